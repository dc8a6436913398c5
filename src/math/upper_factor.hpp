// Cholesky factors of small dense matrices, in loops along rows that compilers turn into vectors.
#pragma once

#include <cmath>
#include <cstddef>

namespace kronite::math {

/// Upper triangle of A (n x n, row-major, symmetric; only that triangle is read) <- U, A = U'U.
/// False when A is not positive definite.
inline bool factorise_upper(double* a, int n) {
  for (int k = 0; k < n; ++k) {
    double* row = a + static_cast<std::ptrdiff_t>(k) * n;
    if (!(row[k] > 0)) return false;
    const double inverse = 1 / std::sqrt(row[k]);
    for (int j = k; j < n; ++j) row[j] *= inverse;
    for (int i = k + 1; i < n; ++i) {
      double* other = a + static_cast<std::ptrdiff_t>(i) * n;
      const double factor = row[i];
      for (int j = i; j < n; ++j) other[j] -= factor * row[j];
    }
  }
  return true;
}

/// x <- U'^-1 x.
inline void solve_transposed(const double* u, int n, double* x) {
  for (int k = 0; k < n; ++k) {
    const double* row = u + static_cast<std::ptrdiff_t>(k) * n;
    const double value = x[k] /= row[k];
    for (int j = k + 1; j < n; ++j) x[j] -= value * row[j];
  }
}

/// x <- U^-1 x.
inline void solve_upper(const double* u, int n, double* x) {
  for (int k = n; k-- > 0;) {
    const double* row = u + static_cast<std::ptrdiff_t>(k) * n;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int j = k + 1; j < n; ++j) sum += row[j] * x[j];
    x[k] = (x[k] - sum) / row[k];
  }
}

}  // namespace kronite::math
