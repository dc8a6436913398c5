// Training, validation and test: which rows go where.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <span>
#include <utility>

#include "base/fail.hpp"           // for fail
#include "kronite/regression.hpp"  // for split_rows
#include "math/random.hpp"         // for Random

namespace kronite::learn {
namespace {

void check_shares(const std::array<double, 3>& shares) {
  const auto& [training, validation, test] = shares;
  if (!(training > 0 && validation >= 0 && test >= 0 &&
        std::abs(training + validation + test - 1) <= 1e-6))
    fail(Errc::invalid_argument,
         "the shares {}, {} and {} are no shares that add up to 1, the first above 0", training,
         validation, test);
}

/// Adds shuffled rows to the parts.
void cut(std::vector<std::int64_t> rows, const std::array<double, 3>& shares, math::Random random,
         RowParts& parts) {
  random.shuffle(std::span(rows));
  const auto count = static_cast<double>(rows.size());
  const auto training = rows.begin() + std::llround(shares[0] * count);
  const auto validation =
      rows.begin() + std::min(std::llround((shares[0] + shares[1]) * count), std::llround(count));
  parts.training.insert(parts.training.end(), rows.begin(), training);
  parts.validation.insert(parts.validation.end(), training, validation);
  parts.test.insert(parts.test.end(), validation, rows.end());
}

void sort(RowParts& parts) {
  for (auto* part : {&parts.training, &parts.validation, &parts.test})
    std::sort(part->begin(), part->end());
}

}  // namespace

RowParts split_rows(std::int64_t n, const std::array<double, 3>& shares, std::uint64_t seed) {
  check_shares(shares);
  if (n < 1) fail(Errc::invalid_argument, "there are {} rows to split, expected at least 1", n);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(n));
  std::iota(rows.begin(), rows.end(), 0);
  RowParts parts;
  cut(std::move(rows), shares, math::Random(seed), parts);
  sort(parts);
  return parts;
}

RowParts split_rows_by_class(VectorView<const std::int32_t> classes,
                             const std::array<double, 3>& shares, std::uint64_t seed) {
  check_shares(shares);
  if (classes.size < 1) fail(Errc::invalid_argument, "there are no rows to split");
  std::map<std::int32_t, std::vector<std::int64_t>> of_class;
  for (std::int64_t row = 0; row < classes.size; ++row) {
    if (classes.data[row] < 0)
      fail(Errc::invalid_argument, "row {} has the class {}, expected 0 or more", row,
           classes.data[row]);
    of_class[classes.data[row]].push_back(row);
  }
  RowParts parts;
  for (auto& [k, rows] : of_class)
    cut(std::move(rows), shares, math::Random(seed, static_cast<std::uint64_t>(k)), parts);
  sort(parts);
  return parts;
}

}  // namespace kronite::learn
