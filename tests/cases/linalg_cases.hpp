// Cases of the linear algebra operations, for tests and benches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "device/ops.hpp"      // for Op
#include "support/matrix.hpp"  // for HostMatrix
#include "support/oracle.hpp"  // for product

namespace kronite::test {

/// C (n x m) <- alpha op(A) op(B) + beta C with inner size k.
struct GemmCase {
  std::string name;
  std::int64_t n, m, k;
  Op op_a = Op::none, op_b = Op::none;
  double alpha = 1, beta = 0;
  std::int64_t pad = 0;  ///< unused values between rows
};

inline std::vector<GemmCase> gemm_cases() {
  const Op n = Op::none, t = Op::transpose;
  return {
      {"no rows", 0, 3, 2},
      {"no columns", 3, 0, 2},
      {"no inner size clears C", 3, 2, 0},
      {"no inner size scales C", 3, 2, 0, n, n, 1, 0.5},
      {"one value", 1, 1, 1, n, n, 2, 3},
      {"A B with strides", 37, 29, 23, n, n, 1, 0, 3},
      {"A B' with strides", 37, 29, 23, n, t, 1, 0, 3},
      {"A' B with strides", 37, 29, 23, t, n, 1, 0, 3},
      {"A' B' with strides", 37, 29, 23, t, t, 1, 0, 3},
      {"alpha and beta", 19, 17, 40, n, t, -1.5, 0.25, 1},
      {"alpha zero", 5, 6, 7, n, n, 0, 2},
      {"a column", 100, 1, 50, t, n},
      {"a row", 1, 100, 50, n, t},
      {"across tiles", 300, 530, 40, n, n, 1, 1},
      {"square", 512, 512, 512, n, n},
  };
}

/// A symmetric positive definite n x n matrix and m right-hand sides.
struct FactorCase {
  std::string name;
  std::int64_t n, m;
  std::int64_t pad = 0;
};

inline std::vector<FactorCase> factor_cases() {
  return {
      {"empty", 0, 2},
      {"one value", 1, 1},
      {"no right-hand side", 4, 0},
      {"two rows", 2, 3},
      {"with strides", 33, 5, 7},
      {"a power of two", 64, 64},
      {"blocked", 150, 10, 1},
      {"many right-hand sides", 20, 300},
      {"halves of halves", 300, 40, 3},
  };
}

/// Well conditioned (condition number about 10), the same for every precision: G G' / n + I / 2,
/// rounded. Only the lower triangle means anything; the upper holds `upper`.
template <class T>
HostMatrix<T> positive_definite(std::int64_t n, std::int64_t pad = 0, double upper = 1e6) {
  const auto g = oracle::to_double(random_matrix<T>(11, n, n));
  const auto square = oracle::product(g, oracle::apply(Op::transpose, g));
  HostMatrix<T> a(n, n, pad);
  a.fill([&](std::int64_t i, std::int64_t j) {
    if (j > i) return upper;
    return square.at(i, j) / static_cast<double>(n) + (i == j ? 0.5 : 0.0);
  });
  return a;
}

/// The full matrix that a lower triangle stands for.
template <class T>
oracle::Matrix from_lower(const HostMatrix<T>& a) {
  return oracle::Matrix(a.rows, a.rows).fill([&](std::int64_t i, std::int64_t j) {
    return a.at(std::max(i, j), std::min(i, j));
  });
}

}  // namespace kronite::test
