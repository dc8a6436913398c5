// Shortest augmenting paths over lists of entries.
#include "math/sparse_assignment.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace kronite::math {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
constexpr double kFar = std::numeric_limits<double>::infinity();

}  // namespace

bool SparseAssignment::solve(const SparseCosts& costs) {
  begin(costs);
  for (std::size_t row = 0; row < costs.rows(); ++row)
    if (entry_of_[row] == kNone && !augment(costs, row)) return false;
  return true;
}

/// Prices at which no entry costs less than nothing, and the cheapest entries nothing; they are
/// taken where their column is free.
void SparseAssignment::begin(const SparseCosts& costs) {
  const std::size_t n = costs.rows();
  row_price_.assign(n, kFar);
  column_price_.assign(n, 0);
  entry_of_.assign(n, kNone);
  row_of_.assign(n, kNone);
  distance_.assign(n, kFar);
  left_behind_.assign(n, false);
  from_row_.resize(n);
  from_entry_.resize(n);
  for (std::size_t row = 0; row < n; ++row) {
    std::size_t cheapest = kNone;
    for (std::size_t e = costs.first[row]; e < costs.first[row + 1]; ++e)
      if (costs.cost[e] < row_price_[row]) {
        row_price_[row] = costs.cost[e];
        cheapest = e;
      }
    if (cheapest == kNone || row_of_[costs.column[cheapest]] != kNone) continue;
    entry_of_[row] = cheapest;
    row_of_[costs.column[cheapest]] = row;
  }
}

/// Looks at the columns of a row that is reached at the distance.
void SparseAssignment::reach(const SparseCosts& costs, std::size_t row, double distance) {
  for (std::size_t e = costs.first[row]; e < costs.first[row + 1]; ++e) {
    const std::size_t column = costs.column[e];
    const double d = distance + costs.cost[e] - row_price_[row] - column_price_[column];
    if (d >= distance_[column] || left_behind_[column]) continue;
    if (distance_[column] == kFar) open_.push_back(column);
    distance_[column] = d;
    from_row_[column] = row;
    from_entry_[column] = e;
  }
}

/// Dijkstra from a free row to the nearest free column. Columns left behind keep their place in the
/// matching or shift along the path, and prices follow, so that entries of the matching cost
/// nothing.
bool SparseAssignment::augment(const SparseCosts& costs, std::size_t start) {
  open_.clear();
  done_.clear();
  reach(costs, start, 0);
  std::size_t column = kNone;
  while (!open_.empty()) {
    const auto nearest =
        std::min_element(open_.begin(), open_.end(),
                         [&](std::size_t a, std::size_t b) { return distance_[a] < distance_[b]; });
    column = std::exchange(*nearest, open_.back());
    open_.pop_back();
    if (row_of_[column] == kNone) break;
    done_.push_back(column);
    left_behind_[column] = true;
    reach(costs, row_of_[column], distance_[column]);
    column = kNone;
  }
  if (column == kNone) return false;

  const double length = distance_[column];
  row_price_[start] += length;
  for (const std::size_t c : done_) {
    row_price_[row_of_[c]] += length - distance_[c];
    column_price_[c] -= length - distance_[c];
  }
  for (const auto* columns : {&open_, &done_})
    for (const std::size_t c : *columns) {
      distance_[c] = kFar;
      left_behind_[c] = false;
    }
  distance_[column] = kFar;
  for (std::size_t row = kNone; row != start;) {
    row = from_row_[column];
    const std::size_t left = entry_of_[row];
    entry_of_[row] = from_entry_[column];
    row_of_[column] = row;
    if (row != start) column = costs.column[left];
  }
  return true;
}

}  // namespace kronite::math
