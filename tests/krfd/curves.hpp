// Small sets of curves, each measured at points of its own, and the matrix that fits of them never
// make.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "kronite/krsfd.hpp"
#include "support/matrix.hpp"
#include "support/oracle.hpp"
#include "support/random.hpp"

namespace kronite::test {

using Matrix = HostMatrix<double>;

struct CurveData {
  Matrix x, t;
  std::vector<std::int64_t> curve;
  std::vector<double> y;

  krfd::Observations observations() const {
    return {{curve.data(), static_cast<std::int64_t>(curve.size())},
            t.view(),
            {y.data(), static_cast<std::int64_t>(y.size())}};
  }
  krfd::CurvePoints points() const {
    return {{curve.data(), static_cast<std::int64_t>(curve.size())}, t.view()};
  }
};

/// `curves` curves of 1 to 5 points each in [-1, 1]^dimensions, smooth values with some noise.
inline CurveData random_curves(std::int64_t curves, std::int64_t features = 2,
                               std::int64_t dimensions = 1, std::uint64_t seed = 1) {
  CurveData data{random_matrix<double>(seed, curves, features), Matrix(0, dimensions), {}, {}};
  for (std::int64_t i = 0; i < curves; ++i)
    data.curve.insert(data.curve.end(), static_cast<std::size_t>(1 + 3 * i % 5), i);
  const auto n = static_cast<std::int64_t>(data.curve.size());
  data.t = random_matrix<double>(seed + 100, n, dimensions);
  for (std::int64_t k = 0; k < n; ++k)
    data.y.push_back(2 * data.x.at(data.curve[static_cast<std::size_t>(k)], 0) +
                     std::sin(3 * data.t.at(k, 0)) +
                     0.1 * random_value(seed + 200, static_cast<std::uint64_t>(k)));
  return data;
}

/// points x dimensions, evenly spread along each dimension.
inline Matrix even_grid(std::int64_t points, std::int64_t dimensions = 1) {
  Matrix grid(points, dimensions);
  grid.fill([&](std::int64_t l, std::int64_t k) {
    return points == 1 ? 0.25
                       : -1 + 2.0 * static_cast<double>((l * (k + 1)) % points) /
                                  static_cast<double>(points - 1);
  });
  return grid;
}

inline Matrix column(const std::vector<double>& values) {
  return Matrix(static_cast<std::int64_t>(values.size()), 1)
      .fill([&](std::int64_t i, std::int64_t) { return values[static_cast<std::size_t>(i)]; });
}

/// Row n is kron(k_x(x_{curve n}, .), k_t(t_n, .)): points x (centres grid points).
inline Matrix design_rows(const Matrix& x, const std::vector<std::int64_t>& curve, const Matrix& t,
                          const Matrix& centres, const Matrix& grid, const krfd::KrsfdOptions& o) {
  return Matrix(t.rows, centres.rows * grid.rows).fill([&](std::int64_t n, std::int64_t c) {
    return oracle::kernel(o.kernel_x, o.sigma_x, x, curve[static_cast<std::size_t>(n)], centres,
                          c / grid.rows) *
           oracle::kernel(o.kernel_t, o.sigma_t, t, n, grid, c % grid.rows);
  });
}

/// H'H + lambda.
inline Matrix normal_matrix(const Matrix& h, double lambda) {
  Matrix a = oracle::product(oracle::apply(Op::transpose, h), h);
  for (std::int64_t i = 0; i < a.rows; ++i) a.at(i, i) += lambda;
  return a;
}

/// The theta of a ridge regression.
inline Matrix ridge(const Matrix& h, double lambda, const std::vector<double>& y) {
  return oracle::solve(normal_matrix(h, lambda),
                       oracle::product(oracle::apply(Op::transpose, h), column(y)));
}

}  // namespace kronite::test
