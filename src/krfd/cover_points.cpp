// Points of a grid for observations that have points of their own.
#include <algorithm>
#include <limits>

#include "base/fail.hpp"  // for fail
#include "krfd/krsfd_input.hpp"
#include "kronite/krsfd.hpp"

namespace kronite::krfd {
namespace {

std::vector<double> equal_steps(MatrixView<const double> t, std::int64_t points) {
  double low = t.row(0)[0], high = low;
  for (std::int64_t n = 0; n < t.rows; ++n) {
    low = std::min(low, t.row(n)[0]);
    high = std::max(high, t.row(n)[0]);
  }
  if (low == high || points == 1) return {low + (high - low) / 2};
  std::vector<double> grid;
  for (std::int64_t l = 0; l < points; ++l)
    grid.push_back(low + (high - low) * static_cast<double>(l) / static_cast<double>(points - 1));
  return grid;
}

/// Each point is the observation that is farthest from those taken so far, in units of the range
/// of each coordinate; the first one is the first observation.
std::vector<double> farthest_points(MatrixView<const double> t, std::int64_t points) {
  const auto q = static_cast<std::size_t>(t.cols);
  std::vector<double> width(q, 1);
  for (std::size_t k = 0; k < q; ++k) {
    double low = t.row(0)[k], high = low;
    for (std::int64_t n = 0; n < t.rows; ++n) {
      low = std::min(low, t.row(n)[k]);
      high = std::max(high, t.row(n)[k]);
    }
    if (high > low) width[k] = high - low;
  }
  std::vector<double> grid,
      distance(static_cast<std::size_t>(t.rows), std::numeric_limits<double>::infinity());
  std::int64_t next = 0;
  while (std::ssize(grid) < points * t.cols) {
    const double* taken = t.row(next);
    grid.insert(grid.end(), taken, taken + t.cols);
    for (std::int64_t n = 0; n < t.rows; ++n) {
      double squares = 0;
      for (std::size_t k = 0; k < q; ++k) {
        const double step = (t.row(n)[k] - taken[k]) / width[k];
        squares += step * step;
      }
      auto& nearest = distance[static_cast<std::size_t>(n)];
      nearest = std::min(nearest, squares);
    }
    const auto farthest = std::max_element(distance.begin(), distance.end());
    if (*farthest == 0) break;
    next = farthest - distance.begin();
  }
  return grid;
}

}  // namespace

std::vector<double> cover_points(MatrixView<const double> t, std::int64_t points) {
  check_matrix("t", t);
  if (t.rows == 0) fail(Errc::invalid_argument, "there are no points t to cover");
  if (points < 1)
    fail(Errc::invalid_argument, "a grid of {} points was asked for; expected 1 at least", points);
  return t.cols == 1 ? equal_steps(t, points) : farthest_points(t, points);
}

}  // namespace kronite::krfd
