// The problem in the eigenbases of both Gram matrices: what does not depend on the lambdas is
// computed once and kept as long as its kernels stay the same.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "krfd/data.hpp"      // for Data
#include "krfd/matrices.hpp"  // for Matrix
#include "kronite/krfd.hpp"   // for Hyperparameters

namespace kronite::krfd {

/// A Gram matrix = vectors diag(values) vectors'; values ascend and are not below zero.
struct Spectrum {
  Matrix vectors;              ///< n x n, in columns
  std::vector<double> values;  ///< n
  Matrix values_there;         ///< the same on the device

  /// Number of values above the rounding errors of the largest one, n epsilon max; these are the
  /// last ones.
  std::int64_t rank() const;
  /// The eigenvectors of these values, n x rank.
  MatrixView<const double> range() const;
  std::vector<double> range_values() const;
};
Spectrum spectrum_of(Device& device, Matrix gram);

/// Names as in docs/krfd.md: G = U diag(s) U', T = V diag(d) V', v = V'1.
class Spectra {
 public:
  /// `data` must outlive this. All calls must be with one device; it may be moved in between.
  explicit Spectra(const Data& data) : data_(&data) {}

  /// Moves to these kernels; what they share with those before stays. Waits.
  /// @throws Error numerical.
  void use(Device& device, const Hyperparameters& hyper);

  const Data& data() const { return *data_; }
  const Spectrum& g() const { return *g_; }
  const Spectrum& t() const { return *t_; }
  /// Spectrum of the Gram matrix of k_M; computed on the first call for a kernel.
  const Spectrum& m(Device& device);
  const std::vector<double>& v() const { return v_; }
  const Matrix& v_there() const { return *v_there_; }
  /// U'YV, n x T.
  const Matrix& y() const { return *y_; }
  /// Whether k_M is k_G: then everything is diagonal here.
  bool diagonal() const { return diagonal_; }
  /// U'MU, n x n.
  const Matrix& constant_gram(Device& device);
  /// U'MU x. Waits.
  std::vector<double> constant_times(Device& device, const std::vector<double>& x);

 private:
  const Data* data_;
  std::optional<Kernel> kernel_g_, kernel_t_, kernel_m_;
  std::optional<Spectrum> g_, t_, m_;
  std::vector<double> v_;
  std::optional<Matrix> v_there_, y_, constant_gram_;
  bool diagonal_ = false;
};

}  // namespace kronite::krfd
