// The problem in the eigenbases of both Gram matrices: what does not depend on the lambdas is
// computed once and kept as long as its kernels stay the same.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "krfd/data.hpp"      // for Data
#include "krfd/matrices.hpp"  // for Matrix, KeptDistances
#include "kronite/krfd.hpp"   // for Hyperparameters

namespace kronite::krfd {

/// A Gram matrix = vectors diag(values) vectors'; values ascend and are not below zero.
struct Spectrum {
  Matrix vectors;              ///< n x k, in columns
  std::vector<double> values;  ///< k
  Matrix values_there;         ///< the same on the device

  /// Number of values above the rounding errors of the largest one, n epsilon max; these are the
  /// last ones.
  std::int64_t rank() const;
  /// The eigenvectors of these values, n x rank.
  MatrixView<const double> range() const;
  std::vector<double> range_values() const;
};
Spectrum spectrum_of(Device& device, Matrix gram);

/// The points in the eigenbasis of their Gram matrix, K <= T of them: those with an eigenvalue
/// above rounding, or above a tolerance, and one more, of eigenvalue 0, for what a constant has
/// outside of them. Along all others neither the model nor a constant has anything, so that the
/// curves there are noise, whose squares are all that counts.
struct PointBasis {
  Spectrum spectrum;      ///< vectors: T x K, values: K
  std::vector<double> v;  ///< V'1, K
  Matrix v_there;
  double dropped = 0;  ///< the largest eigenvalue that was left out

  std::int64_t size() const { return static_cast<std::int64_t>(v.size()); }
  /// FitReport::dropped_t.
  double dropped_share(double lambda) const { return dropped / (dropped + lambda); }
};
/// `tolerance`: share of the largest eigenvalue.
PointBasis point_basis(Device& device, Matrix gram, double tolerance);

/// What is left of curves outside of the basis, Y - Y V V', n x T.
Matrix curves_outside(Device& device, const PointBasis& basis, MatrixView<const double> y);

/// Names as in docs/krfd.md: G = U diag(s) U', T = V diag(d) V', v = V'1.
class Spectra {
 public:
  enum class Distances { forget, keep };

  /// `data` must outlive this. All calls must be with one device; it may be moved in between.
  /// `tolerance`: as of point_basis().
  explicit Spectra(const Data& data, Distances distances = Distances::forget, double tolerance = 0)
      : data_(&data),
        distances_x_(distances == Distances::keep),
        distances_t_(distances == Distances::keep),
        tolerance_(tolerance) {}

  /// Moves to these kernels; what they share with those before stays. Waits.
  /// @throws Error numerical.
  void use(Device& device, const Hyperparameters& hyper);
  /// The same for the points alone. Waits.
  void use_points(Device& device, const Hyperparameters& hyper);
  /// Whether use() would decompose no Gram matrix of systems, and would find U'MU.
  bool holds(const Hyperparameters& hyper) const;
  /// Gives back what is kept of the systems, but for their distances.
  void forget_systems();
  /// Gram matrix of the systems, by the distances that are kept.
  Matrix gram(Device& device, const Kernel& kernel) {
    return distances_x_.gram(device, kernel, data_->x_view(), data_->root);
  }

  const Data& data() const { return *data_; }
  const Spectrum& g() const { return *g_; }
  const Spectrum& t() const { return t_->spectrum; }
  const PointBasis& points() const { return *t_; }
  /// Columns of what is expressed in the basis of t, K.
  std::int64_t width() const { return t_->size(); }
  /// Spectrum of the Gram matrix of k_M; computed on the first call for a kernel.
  const Spectrum& m(Device& device);
  const std::vector<double>& v() const { return t_->v; }
  const Matrix& v_there() const { return t_->v_there; }
  /// U'YV, n x K.
  const Matrix& y() const { return *y_; }
  /// Sum of squares of the curves outside of V.
  double outside() const { return outside_; }
  /// Whether k_M is k_G: then everything is diagonal here.
  bool diagonal() const { return diagonal_; }
  /// U'MU, n x n.
  const Matrix& constant_gram(Device& device);
  /// U'MU x. Waits.
  std::vector<double> constant_times(Device& device, const std::vector<double>& x);

 private:
  const Data* data_;
  KeptDistances distances_x_, distances_t_;
  double tolerance_;
  std::optional<Kernel> kernel_g_, kernel_t_, kernel_m_;
  std::optional<Spectrum> g_, m_;
  std::optional<PointBasis> t_;
  std::optional<Matrix> y_, constant_gram_;
  double outside_ = 0;
  bool diagonal_ = false;
};

}  // namespace kronite::krfd
