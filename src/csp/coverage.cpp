// Lazy greedy selection: gains only fall, so that one that is still the largest when it is computed
// anew is the largest of all (Minoux 1978). All members of a class have one gain.
#include "csp/coverage.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>

namespace kronite::csp {
namespace {

FingerprintClasses each_alone(std::span<const std::int32_t> members) {
  FingerprintClasses classes{std::vector<std::int32_t>(members.size()),
                             {members.begin(), members.end()}};
  std::iota(classes.of.begin(), classes.of.end(), 0);
  return classes;
}

/// Picks class by class, and the members of each in turn.
class Picker {
 public:
  Picker(const Covers& covers, const std::vector<double>& p)
      : covers_(covers),
        left_(sums_of_classes(covers.classes.of, covers.classes.size(), p)),
        waiting_(covers.classes.size()),
        next_(covers.classes.size(), 0) {
    for (std::size_t j = 0; j < p.size(); ++j)
      if (p[j] > 0) waiting_[static_cast<std::size_t>(covers.classes.of[j])].push_back(j);
    for (std::size_t c = 0; c < waiting_.size(); ++c) {
      std::stable_sort(waiting_[c].begin(), waiting_[c].end(),
                       [&](std::size_t a, std::size_t b) { return p[a] > p[b]; });
      enqueue(c);
    }
  }

  std::vector<Pick> pick(std::size_t most) {
    std::vector<Pick> picks;
    while (picks.size() < most && !queue_.empty()) {
      Entry next = queue_.top();
      queue_.pop();
      next.gain = gain_of(next.of);
      if (!queue_.empty() && next < queue_.top()) {
        queue_.push(next);
        continue;
      }
      if (!(next.gain > 0)) break;
      picks.push_back({next.place, next.gain});
      for (const Cover& cover : covers_.of[next.of])
        left_[static_cast<std::size_t>(cover.to)] *= 1 - static_cast<double>(cover.k);
      ++next_[next.of];
      enqueue(next.of);
    }
    return picks;
  }

 private:
  struct Entry {
    std::size_t of;     ///< a class
    std::size_t place;  ///< of its members the next one
    double gain;

    bool operator<(const Entry& other) const {
      return gain != other.gain ? gain < other.gain : place > other.place;
    }
  };

  double gain_of(std::size_t of) const {
    double gain = 0;
    for (const Cover& cover : covers_.of[of])
      gain += static_cast<double>(cover.k) * left_[static_cast<std::size_t>(cover.to)];
    return gain;
  }
  void enqueue(std::size_t of) {
    if (next_[of] < waiting_[of].size()) queue_.push({of, waiting_[of][next_[of]], gain_of(of)});
  }

  const Covers& covers_;
  std::vector<double> left_;                       ///< of each class
  std::vector<std::vector<std::size_t>> waiting_;  ///< places of each class, p falling, > 0
  std::vector<std::size_t> next_;                  ///< how many of these are picked
  std::priority_queue<Entry> queue_;
};

}  // namespace

Covers find_covers(Device& device, const TemplateLibrary& library,
                   std::span<const std::int32_t> members, double tau) {
  const bool known = library.has_fingerprints();
  Covers covers{known ? fingerprint_classes(library, members) : each_alone(members), {}};
  covers.of.resize(covers.classes.size());
  for (std::int32_t c = 0; c < std::ssize(covers.of); ++c)
    covers.of[static_cast<std::size_t>(c)].push_back({c, 1.0F, true});
  if (!known) return covers;
  const double reach = tau * std::sqrt(-std::log(kLeastCover));
  const CloseEnough alike(library, covers.classes.first, tau);
  for_close_pairs(device, library, covers.classes.first, reach,
                  [&](std::int32_t a, std::int32_t b, float squared) {
                    const auto square = static_cast<double>(squared);
                    const auto k = static_cast<float>(std::exp(-square / (tau * tau)));
                    const bool is_alike = alike(square, a, b);
                    covers.of[static_cast<std::size_t>(a)].push_back({b, k, is_alike});
                    covers.of[static_cast<std::size_t>(b)].push_back({a, k, is_alike});
                  });
  for (auto& list : covers.of)
    std::sort(list.begin(), list.end(), [](const Cover& a, const Cover& b) { return a.to < b.to; });
  return covers;
}

std::vector<double> sums_over_alike(const Covers& covers, const std::vector<double>& p) {
  const auto own = sums_of_classes(covers.classes.of, covers.classes.size(), p);
  std::vector<double> sums(own.size(), 0.0);
  for (std::size_t c = 0; c < sums.size(); ++c)
    for (const Cover& cover : covers.of[c])
      if (cover.alike) sums[c] += own[static_cast<std::size_t>(cover.to)];
  return sums;
}

std::vector<Pick> pick_by_coverage(const Covers& covers, const std::vector<double>& p,
                                   std::size_t most) {
  return Picker(covers, p).pick(most);
}

}  // namespace kronite::csp
