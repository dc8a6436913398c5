// Small random problems of KRFD, and the definitions in plain dense algebra that they are held to.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "kronite/krfd.hpp"
#include "support/matrix.hpp"  // for HostMatrix
#include "support/oracle.hpp"  // for product, solve

namespace kronite::krfd::test {

using kronite::test::HostMatrix;
using kronite::test::random_matrix;
namespace oracle = kronite::test::oracle;
using Dense = oracle::Matrix;

struct Problem {
  HostMatrix<double> x, t, y;
  Hyperparameters hyper;

  std::int64_t n() const { return x.rows; }
  std::int64_t points() const { return t.rows; }
};

inline Kernel kernel(KernelKind kind, std::vector<double> lengths) {
  return {kind, std::move(lengths)};
}

/// Curves that neither kernel can follow exactly.
inline Problem random_problem(std::int64_t n, std::int64_t points, std::int64_t features = 2,
                              std::int64_t coordinates = 1, std::uint64_t seed = 1) {
  Problem p{random_matrix<double>(seed, n, features),
            random_matrix<double>(seed + 1, points, coordinates),
            random_matrix<double>(seed + 2, n, points),
            {}};
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < points; ++j)
      p.y.at(i, j) += 2 * std::sin(2 * p.t.at(j, 0) + p.x.at(i, 0)) + p.x.at(i, features - 1);
  p.hyper.g = kernel(KernelKind::gaussian, {0.9});
  p.hyper.t = kernel(KernelKind::gaussian, {0.6});
  p.hyper.m = kernel(KernelKind::gaussian, {1.7});
  p.hyper.lambda_g = 0.3;
  p.hyper.lambda_t = 0.2;
  p.hyper.lambda_m = 0.1;
  return p;
}

/// Columns divided by their length scales.
inline HostMatrix<double> stretched(const HostMatrix<double>& x, const Kernel& k) {
  return HostMatrix<double>(x.rows, x.cols).fill([&](std::int64_t i, std::int64_t j) {
    const auto& lengths = k.length_scales;
    return x.at(i, j) / lengths[lengths.size() == 1 ? 0 : static_cast<std::size_t>(j)];
  });
}

inline Dense gram(const Kernel& k, const HostMatrix<double>& x, const HostMatrix<double>& y) {
  const auto a = stretched(x, k), b = stretched(y, k);
  return Dense(x.rows, y.rows).fill([&](std::int64_t i, std::int64_t j) {
    return oracle::kernel(k.kind, 1, a, i, b, j);
  });
}

inline Dense transposed(const Dense& a) { return oracle::apply(Op::transpose, a); }

/// a + f b.
inline Dense sum(const Dense& a, const Dense& b, double f = 1) {
  return Dense(a.rows, a.cols).fill([&](std::int64_t i, std::int64_t j) {
    return a.at(i, j) + f * b.at(i, j);
  });
}

/// Kronecker product; index (i, j) of a matrix n x T is i T + j.
inline Dense kronecker(const Dense& a, const Dense& b) {
  return Dense(a.rows * b.rows, a.cols * b.cols).fill([&](std::int64_t i, std::int64_t j) {
    return a.at(i / b.rows, j / b.cols) * b.at(i % b.rows, j % b.cols);
  });
}

inline Dense column_of(const HostMatrix<double>& y) {
  return Dense(y.rows * y.cols, 1).fill([&](std::int64_t i, std::int64_t) {
    return y.at(i / y.cols, i % y.cols);
  });
}

inline Dense ones(std::int64_t rows, std::int64_t cols) {
  return Dense(rows, cols).fill([](std::int64_t, std::int64_t) { return 1.0; });
}

/// The model as one linear regression of y on (theta, c), theta of N T and c of N values, with a
/// quadratic penalty: |y - H z|^2 + z' P z.
struct Regression {
  Dense design;   ///< N T x (N T + N)
  Dense penalty;  ///< of theta and c, block-diagonal
};

inline Regression regression(const Problem& p) {
  const Hyperparameters& h = p.hyper;
  const Dense g = gram(h.g, p.x, p.x), t = gram(h.t, p.t, p.t), m = gram(h.m, p.x, p.x);
  const std::int64_t n = p.n(), points = p.points(), big = n * points;
  const Dense variation = kronecker(g, t), constant = kronecker(m, ones(points, 1));
  const Dense gg = oracle::product(g, g), tt = oracle::product(t, t);
  const Dense of_theta = sum(sum(kronecker(g, tt), kronecker(gg, t), h.lambda_t / h.lambda_g),
                             kronecker(g, t), h.lambda_t);
  Regression r{Dense(big, big + n), Dense(big + n, big + n)};
  r.design.fill([&](std::int64_t i, std::int64_t j) {
    return j < big ? variation.at(i, j) : constant.at(i, j - big);
  });
  // lambda_G G x T^2 + lambda_T G^2 x T + lambda_G lambda_T G x T, and T lambda_M M.
  r.penalty.fill([&](std::int64_t i, std::int64_t j) {
    if (i < big && j < big) return h.lambda_g * of_theta.at(i, j);
    if (i >= big && j >= big)
      return static_cast<double>(points) * h.lambda_m * m.at(i - big, j - big);
    return 0.0;
  });
  return r;
}

/// H'H + P.
inline Dense precision(const Regression& r) {
  return sum(oracle::product(transposed(r.design), r.design), r.penalty);
}

/// Rows of the regression at other systems and points.
inline Dense design_at(const Problem& p, const HostMatrix<double>& x, const HostMatrix<double>& t) {
  const Dense variation = kronecker(gram(p.hyper.g, x, p.x), gram(p.hyper.t, t, p.t));
  const Dense constant = kronecker(gram(p.hyper.m, x, p.x), ones(t.rows, 1));
  return Dense(variation.rows, variation.cols + constant.cols)
      .fill([&](std::int64_t i, std::int64_t j) {
        return j < variation.cols ? variation.at(i, j) : constant.at(i, j - variation.cols);
      });
}

inline double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    largest = std::isnan(a[i] - b[i]) ? INFINITY : std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

inline Model fit(Device& device, const Problem& p, const FitOptions& options = {}) {
  return krfd::fit(device, p.x.view(), p.t.view(), p.y.view(), p.hyper, options);
}

}  // namespace kronite::krfd::test
