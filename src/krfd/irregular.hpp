// The prior of KRFD for curves with points of their own, on a device: in the eigenbases of the Gram
// matrices of the curves and of the grid it is diagonal (docs/krsfd.md).
//
//   f(x, t) = sum_kl a_k(x) e_l(t) z_kl,   z_kl ~ N(0, sigma^2 w_kl),
//   w_kl = s_k / (lambda_G d_l + lambda_T s_k + lambda_G lambda_T),
//   a_k(x) = k_G(x, X) U_k / s_k,   e_l(t) = k_T(t, grid) V_l / sqrt(d_l),
//
// and the constants have the covariance sigma^2 k_M / (K lambda_M), K the points of the grid.
#pragma once

#include <cstdint>
#include <vector>

#include "krfd/krsfd_input.hpp"  // for SortedPoints
#include "krfd/krsfd_ridge.hpp"  // for RaggedOnDevice
#include "krfd/spectra.hpp"      // for Spectrum
#include "kronite/krsfd.hpp"     // for Hyperparameters

namespace kronite::krfd {

/// Curves, the grid and hyper-parameters; host memory that must outlive what is made of it.
struct IrregularShape {
  MatrixView<const double> x;     ///< curves x features
  MatrixView<const double> grid;  ///< K x dimensions
  const Hyperparameters* hyper = nullptr;
};

class IrregularPrior {
 public:
  IrregularPrior(Device& device, const IrregularShape& shape);

  std::int64_t curves() const { return shape_.x.rows; }
  std::int64_t width() const { return weights_.view().cols; }  ///< rank of the grid's Gram matrix
  const IrregularShape& shape() const { return shape_; }
  const Spectrum& g() const { return g_; }
  const Spectrum& t() const { return t_; }
  const Matrix& weights() const { return weights_; }         ///< w: rank x width
  double constant_scale() const { return constant_scale_; }  ///< 1 / (K lambda_M)

  /// a(x), rows x rank(G).
  Matrix systems(MatrixView<const double> x) const;
  /// a of the curves themselves.
  Matrix own_systems() const;
  /// e(t), rows x width.
  Matrix points(MatrixView<const double> t) const;
  /// k_M(x, X), rows x curves.
  Matrix constants(MatrixView<const double> x) const;

 private:
  Device& device_;
  IrregularShape shape_;
  Spectrum g_, t_;
  Matrix weights_;
  double constant_scale_;
};

/// Observations of a prior, and the covariance of what is looked at with them.
class IrregularCovariance {
 public:
  /// `prior` must outlive this.
  IrregularCovariance(Device& device, const IrregularPrior& prior,
                      const std::vector<std::int64_t>& first, const std::vector<double>& t);

  std::int64_t size() const { return basis_.view().rows; }
  const RaggedOnDevice& rows() const { return rows_; }
  MatrixView<const double> basis() const { return basis_.view(); }  ///< e(t), n x width

  /// The Cholesky factor of I + the covariance of the observations over sigma^2, n x n.
  /// @throws Error out_of_memory, numerical.
  Matrix factor() const;
  /// cov(points of one new system, observations) / sigma^2, into out: points x n. a: 1 x rank,
  /// m: 1 x curves, e: points x width.
  void cross(MatrixView<const double> a, MatrixView<const double> m, MatrixView<const double> e,
             MatrixView<double> out) const;

 private:
  /// out_pn = e_p' diag(covariance of the system with the curve of n) e_n for the first out.cols
  /// observations; e has a column of ones behind.
  void block(MatrixView<const double> a, MatrixView<const double> m, MatrixView<const double> e,
             MatrixView<double> out) const;

  Device& device_;
  const IrregularPrior& prior_;
  std::vector<std::int64_t> first_, curve_;
  RaggedOnDevice rows_;
  Matrix own_, basis_, with_one_;
  Array<std::int64_t> columns_;
};

/// [e 1].
Matrix with_ones(Device& device, MatrixView<const double> e);

/// What the evidence takes of a factor L and S^-1 y: the logarithm of p(y), sigma^2 integrated out.
double log_evidence(const NoisePrior& prior, double observations, double logdet, double quad);
/// log det(L L'). Waits.
double logdet_of_factor(Device& device, const Matrix& factor);

}  // namespace kronite::krfd
