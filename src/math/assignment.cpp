// Shortest augmenting paths, then the first optimum among the tight edges.
#include "math/assignment.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "base/fail.hpp"  // for fail

namespace kronite::math {
namespace {

constexpr int kFree = -1;
constexpr double kTight = 1e-12;

/// The problem, its dual variables u (rows) and v (columns), and the matching so far.
class Matching {
 public:
  Matching(const std::vector<double>& cost, int n)
      : cost_(cost), n_(n), u_(n, 0.0), v_(n, 0.0), row_of_(n, kFree), column_of_(n, kFree) {
    double largest = 0;
    for (const double c : cost) largest = std::max(largest, std::abs(c));
    tolerance_ = kTight * largest;
  }

  void solve() {
    for (int row = 0; row < n_; ++row) augment(row);
  }
  void make_first_in_order();
  const std::vector<int>& columns() const { return column_of_; }

 private:
  double reduced_cost(int i, int j) const {
    return cost_[static_cast<std::size_t>(i) * n_ + j] - u_[i] - v_[j];
  }
  bool tight(int i, int j) const { return reduced_cost(i, j) <= tolerance_; }
  void augment(int row);
  bool reroute(int row, int first_row, int to, std::vector<bool>& visited);
  void match(int i, int j) {
    row_of_[j] = i;
    column_of_[i] = j;
  }

  const std::vector<double>& cost_;
  const int n_;
  double tolerance_ = 0;
  std::vector<double> u_, v_;
  std::vector<int> row_of_, column_of_;
};

/// Dijkstra over reduced costs from a free row to the nearest free column; the dual variables move
/// with it so that all reduced costs stay >= 0 and those of matched pairs stay 0.
void Matching::augment(int start) {
  std::vector<double> distance(n_, std::numeric_limits<double>::infinity());
  std::vector<int> from(n_, kFree);  // the row from which a column was reached
  std::vector<bool> done(n_, false);
  int row = start, column = kFree;
  double reached = 0;
  do {
    int nearest = kFree;
    for (int j = 0; j < n_; ++j) {
      if (done[j]) continue;
      const double d = reached + reduced_cost(row, j);
      if (d < distance[j]) {
        distance[j] = d;
        from[j] = row;
      }
      if (nearest == kFree || distance[j] < distance[nearest]) nearest = j;
    }
    column = nearest;
    reached = distance[column];
    done[column] = true;
    row = row_of_[column];
  } while (row != kFree);

  u_[start] += reached;
  for (int j = 0; j < n_; ++j) {
    if (!done[j] || j == column) continue;
    v_[j] -= reached - distance[j];
    u_[row_of_[j]] += reached - distance[j];
  }
  for (int i = kFree; i != start;) {
    i = from[column];
    const int next = column_of_[i];
    match(i, column);
    column = next;
  }
}

/// Gives `row` another tight column so that column `to` becomes the last of the chain; only rows
/// after `first_row` may move.
bool Matching::reroute(int row, int first_row, int to, std::vector<bool>& visited) {
  for (int j = 0; j < n_; ++j) {
    if (visited[j] || !tight(row, j)) continue;
    if (j != to && row_of_[j] <= first_row) continue;
    visited[j] = true;
    if (j == to || reroute(row_of_[j], first_row, to, visited)) {
      match(row, j);
      return true;
    }
  }
  return false;
}

/// Every optimal assignment uses tight edges only, so the first one in lexicographic order is found
/// by giving each row in turn its smallest column that the rows after it can make room for.
void Matching::make_first_in_order() {
  for (int row = 0; row < n_; ++row)
    for (int j = 0; j < column_of_[row]; ++j) {
      const int owner = row_of_[j];
      if (owner < row || !tight(row, j)) continue;
      std::vector<bool> visited(n_, false);
      visited[j] = true;
      if (!reroute(owner, row, column_of_[row], visited)) continue;
      match(row, j);
      break;
    }
}

}  // namespace

std::vector<int> least_cost_assignment(const std::vector<double>& cost, int n) {
  if (n < 0 || cost.size() != static_cast<std::size_t>(n) * static_cast<std::size_t>(n))
    fail(Errc::invalid_argument, "assignment: {} costs do not make a {} x {} matrix", cost.size(),
         n, n);
  if (!std::all_of(cost.begin(), cost.end(), [](double c) { return std::isfinite(c); }))
    fail(Errc::invalid_argument, "assignment: a cost is not a finite number");
  Matching matching(cost, n);
  matching.solve();
  matching.make_first_in_order();
  return matching.columns();
}

}  // namespace kronite::math
