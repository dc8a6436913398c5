// What predictions of systems that are left out are made of, by eigenvalues or by Cholesky factors.
// Names as in docs/krfd.md.
#pragma once

#include <vector>

#include "krfd/spectra.hpp"  // for Spectra, Matrix

namespace kronite::krfd {

/// Curves smoothed along t, and their means.
struct AlongPoints {
  double share = 0, remainder = 0;  ///< sB = 1'B1, and T - sB without cancellation
  Matrix y_b;                       ///< Y B, n x T
  std::vector<double> ends;         ///< B 1, T
  std::vector<double> level;        ///< l = Y (I - B) 1 / (T - sB), n
  std::vector<double> mean_b;       ///< Y B 1 / sB, n
};

/// The inverse of the equations in (chi, psi) and that of G + lambda_G, as roots with a row for
/// each system, so that the block of a few systems is made of a few rows:
///   P_11 = chi chi',  P_21 = psi chi',  P_22 = psi psi' + rest,  H = h h'.
struct LeftOut {
  Matrix chi, psi, h;  ///< n x n
  Matrix rest;         ///< n x n: itself, or a root of it
  bool rest_is_root;
  bool upper;       ///< row i of chi and of h begins with i zeros
  Matrix smoothed;  ///< H Y B, n x T
  AlongPoints points;
  std::vector<double> chi_with_all, psi_with_all;  ///< the solution with all systems, n
};

/// By the eigenvalues of G. `spectra` must be at the kernels of `hyper`. Waits.
/// @throws Error numerical.
LeftOut left_out_by_spectra(Device& device, Spectra& spectra, const Hyperparameters& hyper);

/// By Cholesky factors of three n x n matrices; of `spectra` only the points are moved to the
/// kernel of `hyper`. Waits.
/// @throws Error numerical where a factor fails.
LeftOut left_out_by_factors(Device& device, Spectra& spectra, const Hyperparameters& hyper);

}  // namespace kronite::krfd
