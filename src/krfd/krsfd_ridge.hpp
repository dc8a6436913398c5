// Ridge regression on curves of different lengths, without its matrix: conjugate gradients on
// (H'H + lambda) theta = b, H theta = the values design_i' Theta basis_n for the rows n of curve i.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "device/backend.hpp"  // for RaggedRows
#include "kronite/array.hpp"   // for Array
#include "kronite/krsfd.hpp"   // for SolverOptions, SolverReport

namespace kronite::krfd {

/// Points of curves on a device.
class RaggedOnDevice {
 public:
  RaggedOnDevice(Device& device, const std::vector<std::int64_t>& first,
                 const std::vector<std::int64_t>& curve);
  RaggedRows rows() const { return {first_.vector(), curve_.vector()}; }

 private:
  Array<std::int64_t> first_, curve_;
};

/// Theta is P x K. S systems are solved at once: their Thetas are the blocks of a P x SK matrix,
/// which must lie without gaps.
class RaggedRidge {
 public:
  /// design: curves x P, basis: rows x K, on the device; all of them must outlive this.
  RaggedRidge(Device& device, const RaggedRows& rows, MatrixView<const double> design,
              MatrixView<const double> basis, double lambda);

  std::int64_t width() const { return design_.cols; }           ///< P
  std::int64_t basis_functions() const { return basis_.cols; }  ///< K
  std::int64_t rows() const { return basis_.rows; }

  /// H Theta. theta: P x SK, values: rows x S.
  void apply(MatrixView<const double> theta, MatrixView<double> values);
  /// H' r. r: rows x S, out: P x SK.
  void apply_transpose(MatrixView<const double> r, MatrixView<double> out);

  /// theta (P x SK) <- the solution for b, with the preconditioner (D'D (x) C + lambda)^-1, D the
  /// design and C the mean over the curves of basis' basis. It is exact where all curves have the
  /// same points. Reports the worst system; iterations are those of the longest. Waits.
  SolverReport solve(const SolverOptions& options, MatrixView<const double> b,
                     MatrixView<double> theta);

  /// One system as the published program solves it (KrsfdOptions::compat). Waits.
  SolverReport solve_as_published(double tolerance, int iterations, MatrixView<const double> b,
                                  MatrixView<double> theta);

  /// Systems to solve at once in a share of what is left of the memory limit, at most `most`.
  std::int64_t systems_that_fit(std::int64_t most) const;

 private:
  /// D'D = U diag(w) U', C = V diag(d) V'.
  struct Spectrum {
    Array<double> u, w, v, d;
  };

  void make_spectrum();
  /// out <- (H'H + lambda) theta.
  void apply_normal(MatrixView<const double> theta, MatrixView<double> out);
  void precondition(MatrixView<const double> r, MatrixView<double> z, MatrixView<double> work);

  Device& device_;
  RaggedRows curves_;
  MatrixView<const double> design_, basis_;
  double lambda_;
  std::unique_ptr<Spectrum> spectrum_;  // made when it is first needed
};

}  // namespace kronite::krfd
