// Checks of what comes in, and equal rows joined.
#include "krfd/data.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/fail.hpp"  // for fail
#include "base/log.hpp"   // for notice

namespace kronite::krfd {
namespace {

std::vector<double> contiguous(MatrixView<const double> m) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(m.rows * m.cols));
  for (std::int64_t i = 0; i < m.rows; ++i)
    values.insert(values.end(), m.row(i), m.row(i) + m.cols);
  return values;
}

/// For each row the number of its value among the different ones, in the order of first appearance.
std::vector<std::int64_t> distinct_rows(MatrixView<const double> x) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(x.rows));
  std::iota(order.begin(), order.end(), 0);
  const auto less = [&](std::int64_t a, std::int64_t b) {
    return std::lexicographical_compare(x.row(a), x.row(a) + x.cols, x.row(b), x.row(b) + x.cols);
  };
  std::stable_sort(order.begin(), order.end(), less);
  std::vector<std::int64_t> first(order.size());  // of the rows equal to this one
  for (std::size_t k = 0; k < order.size(); ++k) {
    const bool equal = k > 0 && !less(order[k - 1], order[k]);
    first[static_cast<std::size_t>(order[k])] =
        equal ? first[static_cast<std::size_t>(order[k - 1])] : order[k];
  }
  std::vector<std::int64_t> number(order.size());
  std::int64_t distinct = 0;
  for (std::size_t i = 0; i < first.size(); ++i)
    number[i] = first[i] == static_cast<std::int64_t>(i)
                    ? distinct++
                    : number[static_cast<std::size_t>(first[i])];
  return number;
}

/// One row per different system, its curve the mean times the root of its weight.
void join(MatrixView<const double> x, MatrixView<const double> y, Data& data) {
  const auto n = static_cast<std::size_t>(data.systems), p = static_cast<std::size_t>(x.cols),
             points = static_cast<std::size_t>(y.cols);
  std::vector<double> weight(n, 0.0);
  data.x.resize(n * p);
  data.y.assign(n * points, 0.0);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const auto k = static_cast<std::size_t>(data.row[static_cast<std::size_t>(i)]);
    std::copy_n(x.row(i), p, data.x.data() + k * p);
    weight[k] += 1;
    // The mean so far moves by its share of the difference, so that large numbers do not add up.
    for (std::size_t j = 0; j < points; ++j) {
      double& mean = data.y[k * points + j];
      const double difference = y.row(i)[j] - mean;
      mean += difference / weight[k];
      data.spread += difference * (y.row(i)[j] - mean);
    }
  }
  data.root.resize(n);
  for (std::size_t k = 0; k < n; ++k) {
    data.root[k] = std::sqrt(weight[k]);
    for (std::size_t j = 0; j < points; ++j) data.y[k * points + j] *= data.root[k];
  }
}

void check(const Kernel& kernel, const char* name, std::int64_t columns, const char* of) {
  const auto given = static_cast<std::int64_t>(kernel.length_scales.size());
  if (given != 1 && given != columns)
    fail(Errc::invalid_argument,
         "the kernel {} has {} length scales; expected one, or one for each of the {} {}", name,
         given, columns, of);
  for (const double length : kernel.length_scales)
    if (!(length > 0) || !std::isfinite(length))
      fail(Errc::invalid_argument,
           "the kernel {} has a length scale of {}; expected a finite number above 0", name,
           length);
}

void check_lambda(double lambda, const char* name) {
  if (!(lambda > 0) || !std::isfinite(lambda))
    fail(Errc::invalid_argument, "{} is {}; expected a finite number above 0", name, lambda);
}

}  // namespace

void check_matrix(MatrixView<const double> m, const char* name, std::int64_t cols) {
  if (m.place != Place{})
    fail(Errc::invalid_argument, "{} must be in the memory of the host", name);
  if (m.cols != cols)
    fail(Errc::invalid_argument, "{} has {} columns; expected {}", name, m.cols, cols);
  if (m.rows < 1 || m.cols < 1)
    fail(Errc::invalid_argument, "{} is empty: {} x {} values", name, m.rows, m.cols);
  if (m.ld < m.cols)
    fail(Errc::invalid_argument, "rows of {} are {} values apart but {} long", name, m.ld, m.cols);
  for (std::int64_t i = 0; i < m.rows; ++i)
    for (std::int64_t j = 0; j < m.cols; ++j)
      if (!std::isfinite(m.row(i)[j]))
        fail(Errc::invalid_argument, "{} holds {} in row {}, column {}; expected finite numbers",
             name, m.row(i)[j], i, j);
}

Data prepare(MatrixView<const double> x, MatrixView<const double> t, MatrixView<const double> y,
             EqualRows equal_rows) {
  check_matrix(x, "X", x.cols);
  check_matrix(t, "t", t.cols);
  if (y.rows != x.rows)
    fail(Errc::invalid_argument, "Y has {} rows, one for each system; X has {}", y.rows, x.rows);
  if (y.cols != t.rows)
    fail(Errc::invalid_argument, "Y has {} columns, one for each point; t has {} rows", y.cols,
         t.rows);
  check_matrix(y, "Y", y.cols);

  Data data;
  data.given = data.systems = x.rows;
  data.features = x.cols;
  data.points = t.rows;
  data.coordinates = t.cols;
  data.t = contiguous(t);
  if (equal_rows == EqualRows::join) {
    data.row = distinct_rows(x);
    data.systems = *std::max_element(data.row.begin(), data.row.end()) + 1;
  }
  if (data.systems < data.given) {
    notice(
        fmt::format("{} of {} systems have the features of another one; they count as {} "
                    "different systems with weights",
                    data.given - data.systems, data.given, data.systems));
    join(x, y, data);
    return data;
  }
  data.row.resize(static_cast<std::size_t>(x.rows));
  std::iota(data.row.begin(), data.row.end(), 0);
  data.x = contiguous(x);
  data.y = contiguous(y);
  return data;
}

void check(const Hyperparameters& hyper, std::int64_t features, std::int64_t coordinates) {
  check(hyper.g, "g", features, "features");
  check(hyper.m, "m", features, "features");
  check(hyper.t, "t", coordinates, "coordinates of t");
  check_lambda(hyper.lambda_g, "lambda_g");
  check_lambda(hyper.lambda_t, "lambda_t");
  check_lambda(hyper.lambda_m, "lambda_m");
}

void check(const NoisePrior& prior) {
  check_lambda(prior.alpha, "alpha of the noise's prior");
  check_lambda(prior.beta, "beta of the noise's prior");
}

bool same_kernel(const Kernel& a, const Kernel& b, std::int64_t columns) {
  if (a.kind != b.kind) return false;
  for (std::size_t k = 0; k < static_cast<std::size_t>(columns); ++k)
    if (a.length_scales[a.length_scales.size() == 1 ? 0 : k] !=
        b.length_scales[b.length_scales.size() == 1 ? 0 : k])
      return false;
  return true;
}

}  // namespace kronite::krfd
