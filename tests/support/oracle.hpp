// The definitions of the operations (device/ops.hpp) in plain loops and double precision.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "device/ops.hpp"      // for Op, KernelKind
#include "support/matrix.hpp"  // for HostMatrix

namespace kronite::test::oracle {

using Matrix = HostMatrix<double>;

template <class T>
Matrix to_double(const HostMatrix<T>& m) {
  return Matrix(m.rows, m.cols).fill([&](std::int64_t i, std::int64_t j) { return m.at(i, j); });
}

template <class T>
Matrix apply(Op op, const HostMatrix<T>& m) {
  if (op == Op::none) return to_double(m);
  return Matrix(m.cols, m.rows).fill([&](std::int64_t i, std::int64_t j) { return m.at(j, i); });
}

inline Matrix product(const Matrix& a, const Matrix& b) {
  return Matrix(a.rows, b.cols).fill([&](std::int64_t i, std::int64_t j) {
    double sum = 0;
    for (std::int64_t k = 0; k < a.cols; ++k) sum += a.at(i, k) * b.at(k, j);
    return sum;
  });
}

inline Matrix identity(std::int64_t n) {
  return Matrix(n, n).fill([](std::int64_t i, std::int64_t j) { return i == j ? 1.0 : 0.0; });
}

/// Lower triangular L with L L' = A; the rest is zero.
inline Matrix cholesky(const Matrix& a) {
  Matrix l(a.rows, a.rows);
  l.fill([](std::int64_t, std::int64_t) { return 0.0; });
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j <= i; ++j) {
      double rest = a.at(i, j);
      for (std::int64_t k = 0; k < j; ++k) rest -= l.at(i, k) * l.at(j, k);
      l.at(i, j) = i == j ? std::sqrt(rest) : rest / l.at(j, j);
    }
  return l;
}

/// X with A X = B, by Gaussian elimination (A needs no pivoting: it is positive definite).
inline Matrix solve(Matrix a, Matrix b) {
  for (std::int64_t k = 0; k < a.rows; ++k)
    for (std::int64_t i = 0; i < a.rows; ++i) {
      if (i == k) continue;
      const double factor = a.at(i, k) / a.at(k, k);
      for (std::int64_t j = k; j < a.cols; ++j) a.at(i, j) -= factor * a.at(k, j);
      for (std::int64_t j = 0; j < b.cols; ++j) b.at(i, j) -= factor * b.at(k, j);
    }
  return Matrix(b.rows, b.cols).fill([&](std::int64_t i, std::int64_t j) {
    return b.at(i, j) / a.at(i, i);
  });
}

template <class T>
Matrix squared_distances(const HostMatrix<T>& x, const HostMatrix<T>& y) {
  return Matrix(x.rows, y.rows).fill([&](std::int64_t i, std::int64_t j) {
    double sum = 0;
    for (std::int64_t k = 0; k < x.cols; ++k) {
      const double d = static_cast<double>(x.at(i, k)) - static_cast<double>(y.at(j, k));
      sum += d * d;
    }
    return sum;
  });
}

template <class T>
double kernel(KernelKind kind, double s, const HostMatrix<T>& x, std::int64_t i,
              const HostMatrix<T>& y, std::int64_t j) {
  double squares = 0, absolutes = 0;
  for (std::int64_t k = 0; k < x.cols; ++k) {
    const double d = static_cast<double>(x.at(i, k)) - static_cast<double>(y.at(j, k));
    squares += d * d;
    absolutes += std::abs(d);
  }
  const double r = std::sqrt(squares);
  switch (kind) {
    case KernelKind::gaussian:
      return std::exp(-squares / (2 * s * s));
    case KernelKind::laplacian:
      return std::exp(-absolutes / s);
    case KernelKind::matern32:
      return (1 + std::sqrt(3.0) * r / s) * std::exp(-std::sqrt(3.0) * r / s);
    case KernelKind::matern52:
      return (1 + std::sqrt(5.0) * r / s + 5 * squares / (3 * s * s)) *
             std::exp(-std::sqrt(5.0) * r / s);
  }
  return std::nan("");
}

/// activation(x W' + b); bias is one row.
template <class T>
Matrix dense(const HostMatrix<T>& weight, const HostMatrix<T>& bias, Activation activation,
             const Matrix& x) {
  return Matrix(x.rows, weight.rows).fill([&](std::int64_t n, std::int64_t u) {
    double sum = static_cast<double>(bias.at(0, u));
    for (std::int64_t k = 0; k < x.cols; ++k)
      sum += static_cast<double>(weight.at(u, k)) * x.at(n, k);
    return activation == Activation::relu ? std::max(sum, 0.0) : sum;
  });
}

/// softmax(z)_1 of two logits, the logistic function of one.
inline double alike_probability(const Matrix& logits, std::int64_t n) {
  const double z = logits.cols == 2 ? logits.at(n, 1) - logits.at(n, 0) : logits.at(n, 0);
  return 1 / (1 + std::exp(-z));
}

/// Indices of a row in the order of top-k.
template <class T>
std::vector<std::int32_t> ranking(const std::vector<T>& row, Largest largest) {
  std::vector<std::int32_t> order(row.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t i, std::int32_t j) {
    const T a = row[static_cast<std::size_t>(i)], b = row[static_cast<std::size_t>(j)];
    if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
    return largest == Largest::yes ? a > b : a < b;
  });
  return order;
}

}  // namespace kronite::test::oracle
