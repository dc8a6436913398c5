// Lazy greedy selection: gains only fall, so that one that is still the largest when it is computed
// anew is the largest of all (Minoux 1978).
#include "csp/coverage.hpp"

#include <cmath>
#include <queue>

#include "csp/close_pairs.hpp"  // for for_close_pairs

namespace kronite::csp {

Covers find_covers(Device& device, const TemplateLibrary& library,
                   std::span<const std::int32_t> members, double tau) {
  Covers covers(members.size());
  const double reach = tau * std::sqrt(-std::log(kLeastCover));
  const CloseEnough alike(library, members, tau);
  for_close_pairs(device, library, members, reach,
                  [&](std::int32_t a, std::int32_t b, float squared) {
                    const auto square = static_cast<double>(squared);
                    const auto k = static_cast<float>(std::exp(-square / (tau * tau)));
                    const bool is_alike = alike(square, a, b);
                    covers[static_cast<std::size_t>(a)].push_back({b, k, is_alike});
                    covers[static_cast<std::size_t>(b)].push_back({a, k, is_alike});
                  });
  return covers;
}

std::vector<Pick> pick_by_coverage(const Covers& covers, const std::vector<double>& p,
                                   std::size_t most) {
  std::vector<double> left = p;
  const auto gain_of = [&](std::size_t j) {
    double gain = left[j];
    for (const auto& [place, k, alike] : covers[j])
      gain += static_cast<double>(k) * left[static_cast<std::size_t>(place)];
    return gain;
  };
  const auto worse = [](const Pick& a, const Pick& b) {
    return a.gain != b.gain ? a.gain < b.gain : a.place > b.place;
  };
  std::vector<Pick> all;
  for (std::size_t j = 0; j < p.size(); ++j)
    if (p[j] > 0) all.push_back({j, gain_of(j)});
  std::priority_queue<Pick, std::vector<Pick>, decltype(worse)> queue(worse, std::move(all));
  std::vector<Pick> picks;
  while (picks.size() < most && !queue.empty()) {
    Pick next = queue.top();
    queue.pop();
    const double now = gain_of(next.place);
    if (!queue.empty() && worse({next.place, now}, queue.top())) {
      queue.push({next.place, now});
      continue;
    }
    picks.push_back({next.place, now});
    for (const auto& [place, k, alike] : covers[next.place])
      left[static_cast<std::size_t>(place)] *= 1 - static_cast<double>(k);
    left[next.place] = 0;
  }
  return picks;
}

}  // namespace kronite::csp
