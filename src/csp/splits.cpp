// Splits of a library's templates, label by label, in groups that stay together.
#include "csp/splits.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/fail.hpp"               // for fail
#include "csp/close_pairs.hpp"         // for for_close_pairs, fingerprint_classes
#include "csp/describe_templates.hpp"  // for covers

namespace kronite::csp {
namespace {

using Group = std::vector<std::int32_t>;
using Groups = std::vector<Group>;

/// Joins places into sets (union-find with path halving).
class Sets {
 public:
  explicit Sets(std::size_t size) : parent_(size) { std::iota(parent_.begin(), parent_.end(), 0U); }

  /// The least place of the set.
  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) {
    const std::size_t i = root(a), j = root(b);
    parent_[std::max(i, j)] = std::min(i, j);
  }

 private:
  std::vector<std::size_t> parent_;
};

Groups groups_of(Sets& sets, const std::vector<std::int32_t>& members) {
  std::vector<Group> by_root(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) by_root[sets.root(i)].push_back(members[i]);
  by_root.erase(std::remove_if(by_root.begin(), by_root.end(),
                               [](const Group& group) { return group.empty(); }),
                by_root.end());
  return by_root;
}

Groups same_formula(const TemplateLibrary& library, const std::vector<std::int32_t>& members) {
  Sets sets(members.size());
  std::unordered_map<std::string_view, std::size_t> first;
  for (std::size_t i = 0; i < members.size(); ++i)
    sets.join(i, first.emplace(library.info(members[i]).formula, i).first->second);
  return groups_of(sets, members);
}

Groups same_structure_type(Device& device, const TemplateLibrary& library,
                           const std::vector<std::int32_t>& members) {
  const FingerprintClasses classes = fingerprint_classes(library, members);
  Sets joined(classes.size());
  for_close_pairs(device, library, classes.first, kSameStructureType,
                  [&](std::int32_t a, std::int32_t b, float) {
                    joined.join(static_cast<std::size_t>(a), static_cast<std::size_t>(b));
                  });
  Sets sets(members.size());
  std::vector<std::size_t> first(classes.size(), members.size());  // member of each joined class
  for (std::size_t i = 0; i < members.size(); ++i) {
    std::size_t& of_type = first[joined.root(static_cast<std::size_t>(classes.of[i]))];
    of_type = std::min(of_type, i);
    sets.join(of_type, i);
  }
  return groups_of(sets, members);
}

std::vector<std::int64_t> sizes_of(const Groups& groups) {
  std::vector<std::int64_t> sizes;
  for (const Group& group : groups) sizes.push_back(static_cast<std::int64_t>(group.size()));
  return sizes;
}

/// A part, with a probability in proportion to its weight; not all are zero.
int draw_part(const std::array<double, kParts>& weight, math::Random& random) {
  double left = random.uniform() * std::accumulate(weight.begin(), weight.end(), 0.0);
  int drawn = 0;  // rounding may leave a little of `left` after the last part
  for (int part = 0; part < kParts; ++part) {
    const double share = weight[static_cast<std::size_t>(part)];
    if (share == 0) continue;
    drawn = part;
    if (left < share) break;
    left -= share;
  }
  return drawn;
}

int place_group(std::int64_t size, const std::array<double, kParts>& room, math::Random& random) {
  const double most = *std::max_element(room.begin(), room.end());
  std::array<double, kParts> weight{};
  for (std::size_t part = 0; part < kParts; ++part)
    if (most >= static_cast<double>(size))
      weight[part] = room[part] >= static_cast<double>(size) ? room[part] : 0;
    else
      weight[part] = room[part] == most ? 1 : 0;
  return draw_part(weight, random);
}

void check(bool holds, const std::string& sentence) {
  if (!holds) fail(Errc::invalid_argument, "training pairs: {}", sentence);
}

}  // namespace

void check_split(const TemplateLibrary& library, const PairOptions& options) {
  check(library.has_fingerprints(),
        fmt::format("{} has no fingerprints; 'kronite templates merge' adds them", library.path()));
  check(library.size() <= std::numeric_limits<std::int32_t>::max(),
        fmt::format("{} has more than 2147483647 templates", library.path()));
  const auto& [training, validation, test] = options.parts;
  check(training > 0 && validation >= 0 && test >= 0 &&
            std::abs(training + validation + test - 1) <= 1e-6,
        fmt::format("the parts {}, {} and {} are no shares that add up to 1, the first above 0",
                    training, validation, test));
  check(options.least_members >= 0,
        fmt::format("least_members is {}, expected 0 or more", options.least_members));
}

Labels labels_of(const TemplateLibrary& library,
                 const std::vector<std::string>& excluded_formulas) {
  std::unordered_set<std::string> formulas;
  for (const std::string& formula : excluded_formulas)
    formulas.insert(Composition::parse(formula).reduced_formula());
  Labels labels;
  for (const std::string& ratio : library.ratios()) {
    const TemplateRange range = library.with_ratio(ratio);
    std::vector<std::int32_t>& members = labels.emplace_back();
    for (std::int64_t i = range.begin; i < range.end; ++i)
      if (formulas.count(std::string(library.info(i).formula)) == 0 &&
          covers(ElementTable::embedded(), library.composition(i)))
        members.push_back(static_cast<std::int32_t>(i));
  }
  return labels;
}

math::Random random_for(const PairOptions& options, Purpose purpose, std::size_t label, int part) {
  // Distinct for labels below 2^26; the split is the same for every draw.
  const std::uint64_t draw = purpose == Purpose::split ? 0 : options.draw;
  return math::Random(options.seed, static_cast<std::uint64_t>(purpose) << 60 |
                                        static_cast<std::uint64_t>(part) << 58 |
                                        static_cast<std::uint64_t>(label) << 32 | draw);
}

std::vector<int> place_groups(const std::vector<std::int64_t>& sizes,
                              const std::array<double, kParts>& parts, math::Random& random) {
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), 0U);
  random.shuffle(std::span(order));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });

  const auto total = static_cast<double>(std::accumulate(sizes.begin(), sizes.end(), 0LL));
  std::array<double, kParts> room{};
  for (std::size_t part = 0; part < kParts; ++part) room[part] = parts[part] * total;

  std::vector<int> placed(sizes.size());
  for (const std::size_t group : order) {
    placed[group] = place_group(sizes[group], room, random);
    room[static_cast<std::size_t>(placed[group])] -= static_cast<double>(sizes[group]);
  }
  return placed;
}

Split split_templates(Device& device, const TemplateLibrary& library, const Labels& labels,
                      const PairOptions& options) {
  Split split;
  const auto place = [&](const Groups& groups, std::size_t label) {
    math::Random random = random_for(options, Purpose::split, label, 0);
    const std::vector<int> placed = place_groups(sizes_of(groups), options.parts, random);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      Group& part = split[static_cast<std::size_t>(placed[g])];
      part.insert(part.end(), groups[g].begin(), groups[g].end());
    }
  };
  Groups pool;
  for (std::size_t label = 0; label < labels.size(); ++label) {
    const std::vector<std::int32_t>& members = labels[label];
    Groups groups = options.hold_out == HoldOut::formula
                        ? same_formula(library, members)
                        : same_structure_type(device, library, members);
    if (static_cast<std::int64_t>(members.size()) >= options.least_members)
      place(groups, label);
    else
      std::move(groups.begin(), groups.end(), std::back_inserter(pool));
  }
  place(pool, labels.size());
  for (std::vector<std::int32_t>& part : split) std::sort(part.begin(), part.end());
  return split;
}

}  // namespace kronite::csp
