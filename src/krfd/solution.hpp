// The maximum of the posterior in the eigenbases, for given lambdas.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "krfd/spectra.hpp"  // for Spectra

namespace kronite::krfd {

/// Names as in docs/krfd.md. Vectors of n values are in the basis U.
struct Solution {
  explicit Solution(Matrix y) : residual(std::move(y)) {}

  double theta = 0;       ///< T lambda_M
  double share = 0;       ///< 1'B1, B = T (T + lambda_T)^-1; called sB there
  double remainder = 0;   ///< T - 1'B1, without cancellation
  std::vector<double> q;  ///< eigenvalues of Q = T I - sB A
  std::vector<double> root_q;
  std::vector<double> r;      ///< (Y - AYB) 1
  std::vector<double> c, mu;  ///< coefficients of the constants, and the constants
  double log_omega = 0;       ///< sum of log omega
  std::vector<double> over;   ///< sum_j b_j / omega_ij
  std::vector<double> q2;     ///< sum_j v_j^2 omega_ij^2
  /// B = theta I + Q^1/2 M Q^1/2: its Cholesky factor, or, where M = G, the diagonal that it is.
  std::optional<Matrix> factor;
  std::vector<double> factor_diagonal;
  Matrix residual;           ///< E = Y - mu 1' in both bases, n x T
  double residual_quad = 0;  ///< y' S^-1 y = sum omega E^2 + theta c'mu, without `spread`

  double log_det_factor() const;
  /// B^-1 x of vectors in rows: X (m x n) <- X B^-1.
  void divide_rows(Device& device, Matrix& x) const;
  /// X <- X R^-1 with B = R' R, so that the squares of its rows are those of B^-1.
  void divide_rows_by_root(Device& device, Matrix& x) const;
};

/// Whether M + theta Q^-1 may be formed with the difference Q^-1 = (I - W) / (T - sB), W = sB
/// lambda_G
/// ((T - sB) G + T lambda_G)^-1. It is rounded by epsilon / (T - sB), and Q^-1 is 1 / T at least:
/// that must be less than the rounding of M, or cost five digits of Q^-1 at most.
inline bool as_difference(double theta, double share, double remainder) {
  return theta <= remainder || share + remainder <= 1e5 * remainder;
}

/// The weights of components for these hyper-parameters.
Smoothing smoothing_of(const Spectra& spectra, const Hyperparameters& hyper);

/// `spectra` must be at the kernels of `hyper`. Waits.
/// @throws Error numerical when lambda_m is too small.
Solution solve(Device& device, Spectra& spectra, const Hyperparameters& hyper);

}  // namespace kronite::krfd
