// Splits of rows that keep groups together and classes in proportion.
#include <algorithm>
#include <map>
#include <numeric>
#include <span>
#include <unordered_map>

#include "base/fail.hpp"       // for fail
#include "kmd/experiment.hpp"  // for experiment_splits
#include "math/random.hpp"     // for Random

namespace kronite::kmd {
namespace {

/// Of the seed, beside those of classes in learn::split_rows_by_class.
constexpr std::uint64_t kFoldStream = std::uint64_t{1} << 32;

using Rows = std::vector<std::int64_t>;

/// What is split: groups of rows, each with the class of its first row (0 without classes).
struct Units {
  std::vector<Rows> rows;
  std::vector<std::int32_t> classes;

  Units(const std::vector<std::int64_t>& groups, const std::vector<std::int32_t>& of_row) {
    std::unordered_map<std::int64_t, std::size_t> places;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      const auto [place, added] = places.try_emplace(groups[i], rows.size());
      if (added) {
        rows.emplace_back();
        classes.push_back(of_row.empty() ? 0 : of_row[i]);
      }
      rows[place->second].push_back(static_cast<std::int64_t>(i));
    }
  }

  std::int64_t size() const { return std::ssize(rows); }
  Rows rows_of(const Rows& units) const {
    Rows all;
    for (const std::int64_t unit : units)
      all.insert(all.end(), rows[unit].begin(), rows[unit].end());
    std::sort(all.begin(), all.end());
    return all;
  }
};

/// Shares of some units, class by class.
learn::RowParts cut(const Units& units, const Rows& some, const std::array<double, 3>& shares,
                    std::uint64_t seed) {
  std::vector<std::int32_t> classes;
  for (const std::int64_t unit : some) classes.push_back(units.classes[unit]);
  const learn::RowParts parts =
      learn::split_rows_by_class({classes.data(), std::ssize(classes)}, shares, seed);
  const auto rows = [&](const Rows& part) {
    Rows of;
    for (const std::int64_t i : part) of.push_back(some[i]);
    return units.rows_of(of);
  };
  return {rows(parts.training), rows(parts.validation), rows(parts.test)};
}

/// Shuffles each class and deals its units to the folds in turn, going on where the last class
/// ended.
std::vector<Rows> deal(const Units& units, int folds, std::uint64_t seed) {
  std::map<std::int32_t, Rows> of_class;
  for (std::int64_t unit = 0; unit < units.size(); ++unit)
    of_class[units.classes[unit]].push_back(unit);
  std::vector<Rows> dealt(static_cast<std::size_t>(folds));
  std::size_t turn = 0;
  for (auto& [k, members] : of_class) {
    math::Random random(seed, kFoldStream + static_cast<std::uint64_t>(k));
    random.shuffle(std::span(members));
    for (const std::int64_t unit : members) dealt[turn++ % dealt.size()].push_back(unit);
  }
  return dealt;
}

void check_parts(const learn::RowParts& parts, std::size_t split) {
  for (const auto& [part, name] : {std::pair{&parts.training, "training"},
                                   {&parts.validation, "validation"},
                                   {&parts.test, "test"}})
    if (part->empty())
      fail(Errc::invalid_argument, "split {} has no {} rows: there are too few rows", split + 1,
           name);
}

}  // namespace

std::vector<learn::RowParts> experiment_splits(const SplitSettings& settings,
                                               const std::vector<std::int64_t>& groups,
                                               const std::vector<std::int32_t>& classes) {
  const Units units(groups, classes);
  if (units.size() == 0) fail(Errc::invalid_argument, "there are no rows to split");
  Rows all(static_cast<std::size_t>(units.size()));
  std::iota(all.begin(), all.end(), 0);
  std::vector<learn::RowParts> splits;
  if (settings.kind == SplitKind::random) {
    for (int s = 0; s < settings.count; ++s)
      splits.push_back(cut(units, all, settings.parts, settings.seed + s));
  } else {
    if (units.size() < settings.count)
      fail(Errc::invalid_argument, "{} groups of rows cannot be dealt to {} folds", units.size(),
           settings.count);
    const auto folds = deal(units, settings.count, settings.seed);
    for (int s = 0; s < settings.count; ++s) {
      Rows others;
      for (int other = 0; other < settings.count; ++other)
        if (other != s) others.insert(others.end(), folds[other].begin(), folds[other].end());
      std::sort(others.begin(), others.end());
      learn::RowParts parts =
          cut(units, others, {1 - settings.validation, settings.validation, 0}, settings.seed + s);
      parts.test = units.rows_of(folds[s]);
      splits.push_back(std::move(parts));
    }
  }
  for (std::size_t s = 0; s < splits.size(); ++s) check_parts(splits[s], s);
  return splits;
}

}  // namespace kronite::kmd
