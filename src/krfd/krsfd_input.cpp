// Checks of shapes and numbers, in words; sorting by curve.
#include "krfd/krsfd_input.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/fail.hpp"  // for fail
#include "base/log.hpp"   // for notice

namespace kronite::krfd {
namespace {

void check_host(const std::string& name, Place place) {
  if (place != Place{}) fail(Errc::invalid_argument, "{} must be in host memory", name);
}

/// Gives a notice when a curve has two points in one place.
void notice_repeated(const SortedPoints& points) {
  const auto q = static_cast<std::size_t>(points.dimensions);
  const auto t = [&](std::int64_t n) { return points.t.begin() + n * points.dimensions; };
  std::int64_t repeated = 0, where = -1;
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i + 1 < points.first.size(); ++i) {
    order.resize(static_cast<std::size_t>(points.first[i + 1] - points.first[i]));
    std::iota(order.begin(), order.end(), points.first[i]);
    std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return std::lexicographical_compare(t(a), t(a) + q, t(b), t(b) + q);
    });
    for (std::size_t k = 1; k < order.size(); ++k)
      if (std::equal(t(order[k]), t(order[k]) + q, t(order[k - 1]))) {
        if (repeated++ == 0) where = static_cast<std::int64_t>(i);
      }
  }
  if (repeated > 0)
    notice(
        fmt::format("{} of {} observations repeat a point of their curve, first on curve {}; each "
                    "of them counts",
                    repeated, points.size(), where));
}

}  // namespace

std::vector<double> contiguous(MatrixView<const double> m) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(m.rows * m.cols));
  for (std::int64_t i = 0; i < m.rows; ++i)
    values.insert(values.end(), m.row(i), m.row(i) + m.cols);
  return values;
}

void check_matrix(const std::string& name, MatrixView<const double> m) {
  check_host(name, m.place);
  if (m.rows < 0 || m.cols < 1 || m.ld < m.cols || (m.rows > 0 && !m.data))
    fail(Errc::invalid_argument, "{} is no matrix: {} x {} values, {} from row to row", name,
         m.rows, m.cols, m.ld);
  for (std::int64_t i = 0; i < m.rows; ++i)
    for (std::int64_t j = 0; j < m.cols; ++j)
      if (!std::isfinite(m.row(i)[j]))
        fail(Errc::invalid_argument, "{} is {} in row {}, column {}, and must be a finite number",
             name, m.row(i)[j], i, j);
}

void check_positive(const std::string& name, double value) {
  if (!(value > 0) || !std::isfinite(value))
    fail(Errc::invalid_argument, "{} is {}, and must be a finite number > 0", name, value);
}

void check_solver(const SolverOptions& options) {
  check_positive("tolerance", options.tolerance);
  if (options.max_iterations < 1)
    fail(Errc::invalid_argument, "max_iterations is {}, and must be 1 at least",
         options.max_iterations);
}

void check_columns(const std::string& what, std::int64_t given, std::int64_t trained) {
  if (given != trained)
    fail(Errc::invalid_argument, "{} has {} columns, and had {} when the model was trained", what,
         given, trained);
}

SortedPoints sort_points(const CurvePoints& points, std::int64_t curves) {
  check_matrix("t", points.t);
  check_host("curve", points.curve.place);
  const std::int64_t n = points.curve.size;
  if (n != points.t.rows)
    fail(Errc::invalid_argument, "there are {} numbers of curves for {} points", n, points.t.rows);
  SortedPoints sorted;
  sorted.dimensions = points.t.cols;
  sorted.first.assign(static_cast<std::size_t>(curves) + 1, 0);
  for (std::int64_t k = 0; k < n; ++k) {
    const std::int64_t i = points.curve.data[k];
    if (i < 0 || i >= curves)
      fail(Errc::invalid_argument, "point {} is on curve {}, and x has the rows 0 to {}", k, i,
           curves - 1);
    ++sorted.first[static_cast<std::size_t>(i) + 1];
  }
  std::partial_sum(sorted.first.begin(), sorted.first.end(), sorted.first.begin());
  sorted.place.resize(static_cast<std::size_t>(n));
  std::iota(sorted.place.begin(), sorted.place.end(), 0);
  std::stable_sort(sorted.place.begin(), sorted.place.end(), [&](std::int64_t a, std::int64_t b) {
    return points.curve.data[a] < points.curve.data[b];
  });
  for (const std::int64_t k : sorted.place) {
    sorted.curve.push_back(points.curve.data[k]);
    sorted.t.insert(sorted.t.end(), points.t.row(k), points.t.row(k) + points.t.cols);
  }
  return sorted;
}

SortedObservations sort_observations(const Observations& observations, std::int64_t curves) {
  SortedObservations sorted{sort_points({observations.curve, observations.t}, curves), {}};
  if (observations.y.size != sorted.points.size())
    fail(Errc::invalid_argument, "y has {} values for {} points", observations.y.size,
         sorted.points.size());
  check_matrix("y", {observations.y.data, observations.y.size, 1, observations.y.place});
  for (const std::int64_t k : sorted.points.place) sorted.y.push_back(observations.y.data[k]);
  for (std::int64_t i = 0; i < curves; ++i) {
    const auto at = sorted.points.first.begin() + i;
    if (at[0] == at[1])
      fail(Errc::invalid_argument, "curve {} has no observation: leave its row of x out", i);
  }
  notice_repeated(sorted.points);
  return sorted;
}

SortedObservations check_irregular(MatrixView<const double> x, const Observations& observations,
                                   MatrixView<const double> grid) {
  check_matrix("x", x);
  check_matrix("the grid", grid);
  if (x.rows == 0) fail(Errc::invalid_argument, "x has no rows: there is nothing to learn from");
  if (grid.rows == 0) fail(Errc::invalid_argument, "the grid has no points");
  SortedObservations sorted = sort_observations(observations, x.rows);
  if (grid.cols != sorted.points.dimensions)
    fail(Errc::invalid_argument, "points t have {} coordinates, and those of the grid {}",
         sorted.points.dimensions, grid.cols);
  return sorted;
}

void notice_outside(const std::vector<double>& learned, MatrixView<const double> t) {
  const auto q = static_cast<std::size_t>(t.cols);
  std::vector<double> low(q, std::numeric_limits<double>::infinity()), high(q);
  for (std::size_t k = 0; k < q; ++k) {
    high[k] = -low[k];
    for (std::size_t n = k; n < learned.size(); n += q) {
      low[k] = std::min(low[k], learned[n]);
      high[k] = std::max(high[k], learned[n]);
    }
  }
  std::int64_t outside = 0;
  for (std::int64_t n = 0; n < t.rows; ++n) {
    bool inside = true;
    for (std::size_t k = 0; k < q; ++k) inside &= t.row(n)[k] >= low[k] && t.row(n)[k] <= high[k];
    outside += inside ? 0 : 1;
  }
  if (outside == 0) return;
  std::string range;
  for (std::size_t k = 0; k < q; ++k)
    range += fmt::format("{}{} to {}", k == 0 ? "" : ", ", low[k], high[k]);
  notice(fmt::format("{} of {} points t lie outside the range that the model was trained on ({})",
                     outside, t.rows, range));
}

}  // namespace kronite::krfd
