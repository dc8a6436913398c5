// Labelled pairs of templates: alike and unlike structures of one composition ratio.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "base/fail.hpp"             // for fail
#include "csp/close_pairs.hpp"       // for close_pairs
#include "csp/splits.hpp"            // for labels_of, split_templates, random_for
#include "kronite/csp_training.hpp"  // for make_pairs
#include "math/sampling.hpp"         // for draw_distinct

namespace kronite::csp {
namespace {

void check(bool holds, const std::string& sentence) {
  if (!holds) fail(Errc::invalid_argument, "training pairs: {}", sentence);
}

void check_options(const PairOptions& options) {
  check(options.tau > 0 && std::isfinite(options.tau),
        fmt::format("tau is {}, expected a dissimilarity above 0", options.tau));
  check(options.cap > 0 && options.cap <= 1,
        fmt::format("the cap is {}, expected a share above 0 and up to 1", options.cap));
  check(options.training_cap >= 0 && options.training_cap <= 1,
        fmt::format("the cap of the training part is {}, expected a share of 0 (as the cap) to 1",
                    options.training_cap));
  check(options.unlike_per_alike > 0 && options.unlike_per_alike <= 1e6,
        fmt::format("{} unlike pairs for each alike one, expected a number above 0 and up to 1e6",
                    options.unlike_per_alike));
  check(options.most_alike_per_label >= 0,
        fmt::format("most_alike_per_label is {}, expected 0 (no limit) or more",
                    options.most_alike_per_label));
}

/// values[k] for each k of `places`.
template <class T>
std::vector<T> at_places(const std::vector<T>& values, const std::vector<std::int64_t>& places) {
  std::vector<T> chosen;
  chosen.reserve(places.size());
  for (const std::int64_t k : places) chosen.push_back(values[static_cast<std::size_t>(k)]);
  return chosen;
}

/// At most `count` of the values, in their order.
template <class T>
std::vector<T> draw(std::vector<T> values, std::int64_t count, math::Random random) {
  const auto size = static_cast<std::int64_t>(values.size());
  if (count >= size) return values;
  return at_places(values, math::draw_distinct(random, size, count));
}

using Pairs = std::vector<std::pair<std::int32_t, std::int32_t>>;

/// The pairs (a, b), a < b < n, that are not in `alike` (ascending), by their number: only those
/// asked for are ever formed.
class UnlikePairs {
 public:
  UnlikePairs(std::int64_t n, const Pairs& alike) : n_(n), alike_(alike) {}

  std::int64_t size() const { return n_ * (n_ - 1) / 2 - static_cast<std::int64_t>(alike_.size()); }

  /// Those of ascending numbers.
  Pairs pairs(const std::vector<std::int64_t>& numbers) const {
    Pairs result;
    result.reserve(numbers.size());
    std::size_t before = 0;           // alike pairs before the one sought
    std::int64_t row = 0, first = 0;  // number, among all pairs, of the first one of `row`
    for (const std::int64_t number : numbers) {
      while (before < alike_.size() &&
             number_of(alike_[before]) <= number + static_cast<std::int64_t>(before))
        ++before;
      const std::int64_t sought = number + static_cast<std::int64_t>(before);
      while (sought >= first + n_ - 1 - row) first += n_ - 1 - row++;
      result.emplace_back(static_cast<std::int32_t>(row),
                          static_cast<std::int32_t>(row + 1 + sought - first));
    }
    return result;
  }

 private:
  /// Among all pairs in ascending order.
  std::int64_t number_of(const Pairs::value_type& pair) const {
    const std::int64_t a = pair.first, b = pair.second;
    return a * (2 * n_ - a - 1) / 2 + b - a - 1;
  }

  std::int64_t n_;
  const Pairs& alike_;
};

/// Draws the pairs of one part, label by label.
class PartMaker {
 public:
  PartMaker(Device& device, const TemplateLibrary& library, const PairOptions& options, int number,
            std::vector<std::int32_t> templates)
      : device_(device), library_(library), options_(options), number_(number) {
    part_.templates = std::move(templates);
    // A share that is an integer may come out a little less; two templates make a pair.
    const double cap = number == 0 && options.training_cap > 0 ? options.training_cap : options.cap;
    const double most = std::floor(cap * static_cast<double>(part_.templates.size()) + 1e-6);
    most_templates_ = std::max<std::int64_t>(2, static_cast<std::int64_t>(most));
  }

  /// `range` of the library is all that has ratio label `label`.
  void add_label(std::size_t label, TemplateRange range) {
    const auto begin =
        std::lower_bound(part_.templates.begin(), part_.templates.end(), range.begin);
    const auto end = std::lower_bound(begin, part_.templates.end(), range.end);
    const auto members = draw(std::vector<std::int32_t>(begin, end), most_templates_,
                              random(Purpose::templates, label));
    const auto n = static_cast<std::int64_t>(members.size());
    const Pairs alike = close_pairs(device_, library_, members, options_.tau);
    const Pairs kept = draw(alike, most_alike(), random(Purpose::alike, label));
    const UnlikePairs unlike(n, alike);
    math::Random unlike_random = random(Purpose::unlike, label);
    const auto count = std::min(unlike.size(), wanted_unlike(kept.size()));
    append(kept, 1, members, label);
    append(unlike.pairs(math::draw_distinct(unlike_random, unlike.size(), count)), 0, members,
           label);
  }

  PairPart take() { return std::move(part_); }

 private:
  std::int64_t most_alike() const {
    return options_.most_alike_per_label > 0 ? options_.most_alike_per_label
                                             : std::numeric_limits<std::int64_t>::max();
  }
  std::int64_t wanted_unlike(std::size_t alike) const {
    const double each = number_ == 0 ? options_.unlike_per_alike : 1;
    return static_cast<std::int64_t>(std::ceil(each * static_cast<double>(alike)));
  }
  math::Random random(Purpose purpose, std::size_t label) const {
    return random_for(options_, purpose, label, number_);
  }

  void append(const Pairs& pairs, std::uint8_t alike, const std::vector<std::int32_t>& members,
              std::size_t label) {
    for (const auto& [a, b] : pairs) {
      part_.pairs.first.push_back(members[static_cast<std::size_t>(a)]);
      part_.pairs.second.push_back(members[static_cast<std::size_t>(b)]);
    }
    part_.pairs.alike.insert(part_.pairs.alike.end(), pairs.size(), alike);
    part_.ratio.insert(part_.ratio.end(), pairs.size(), static_cast<std::int32_t>(label));
  }

  Device& device_;
  const TemplateLibrary& library_;
  const PairOptions& options_;
  int number_;
  std::int64_t most_templates_ = 0;
  PairPart part_;
};

}  // namespace

PairData make_pairs(Device& device, const TemplateLibrary& library, const PairOptions& options,
                    const std::vector<std::string>& excluded_formulas) {
  check_options(options);
  check_split(library, options);
  Split split = split_templates(device, library, labels_of(library, excluded_formulas), options);
  const std::vector<std::string> ratios = library.ratios();
  std::array<PairPart, kParts> parts;
  for (int number = 0; number < kParts; ++number) {
    const auto p = static_cast<std::size_t>(number);
    PartMaker maker(device, library, options, number, std::move(split[p]));
    for (std::size_t label = 0; label < ratios.size(); ++label)
      maker.add_label(label, library.with_ratio(ratios[label]));
    parts[p] = maker.take();
  }
  check(!parts[0].ratio.empty(),
        fmt::format("no two of the {} training templates that share a ratio label have a "
                    "dissimilarity of at most {}",
                    parts[0].templates.size(), options.tau));
  return {std::move(parts[0]), std::move(parts[1]), std::move(parts[2])};
}

}  // namespace kronite::csp
