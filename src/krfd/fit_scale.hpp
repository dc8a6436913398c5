// Fits of more systems than a device has memory for the Gram matrices of, or than exact ones allow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "krfd/gram_operator.hpp"  // for KernelRows
#include "krfd/model_state.hpp"    // for FittedCoefficients
#include "krfd/spectra.hpp"        // for Spectrum, PointBasis

namespace kronite::krfd {

/// Numbers of systems, `count` of n or all, in random order.
std::vector<std::int64_t> draw_centres(std::int64_t n, std::int64_t count, std::uint64_t seed);
/// These rows of x.
std::vector<double> rows_of(const Data& data, const std::vector<std::int64_t>& numbers);

/// What the device has left of its memory limit, in bytes, at least one; 0 without a limit.
std::size_t memory_left(const Device& device);
/// Values that conjugate gradients hold on the device beside the rows of Gram matrices that they
/// keep, with or without room for a tile of those that they form anew; `components` of the shape is
/// known.
double gradient_values(const FitShape& shape, const FitOptions& options, bool tiles);
/// Values of Gram matrices that they keep.
double kept_gram_values(const FitShape& shape, const FitOptions& options);
/// The maximum of the posterior by conjugate gradients. Waits.
FittedCoefficients fit_conjugate_gradients(Device& device, const Data& data,
                                           const Hyperparameters& hyper, const FitOptions& options,
                                           FitReport& report);

/// Rows of the tiles of a tiled fit: those of the options, or as the memory limit allows; 0 where
/// no tile fits.
std::int64_t tile_of(const FitShape& shape, const FitOptions& options);
/// Whether a fit by the path of the options does not fit the memory limit of the shape, which is
/// that of the device, while tiles do, with what they take of the host.
bool better_in_tiles(const Device& device, const FitShape& shape, const FitOptions& options);
/// The maximum of the posterior by Cholesky factors whose tiles lie in host memory. Notes in the
/// report how it was cut. Waits. @throws Error numerical; cancelled; out_of_memory, also where host
/// memory would not do.
FittedCoefficients fit_tiled(std::span<Device> devices, const Data& data,
                             const Hyperparameters& hyper, const FitOptions& options,
                             FitReport& report);

/// KRFD with the kernels of X restricted to functions of the centres Z (docs/krfd.md):
/// k(x, Z) k(Z, Z)^-1 k(Z, x'). With F = k(X, Z) E, E from centre_basis(), its Gram matrices are
/// F F', and all of the model follows from products of F with itself and with the curves, whose
/// size does not depend on the number of systems. Names as in docs/krfd.md.
class NystromModel {
 public:
  /// centres: m x p on the host. One pass over the systems. Waits.
  /// @throws Error numerical.
  NystromModel(Device& device, const Data& data, MatrixView<const double> centres,
               const Hyperparameters& hyper, double rank_tolerance);

  const PointBasis& points() const { return points_; }
  /// Coefficients of k_G(x, Z) k_T(t, .), m x T, and of k_M(x, Z), m. Wait.
  std::vector<double> theta(Device& device) const;
  std::vector<double> c(Device& device) const;
  /// Expected curves of systems at the points of the fit. x: n* x p on the host; n* x T. Waits.
  std::vector<double> fitted(Device& device, MatrixView<const double> x) const;

  /// The other pass over the systems.
  struct Remainder {
    std::vector<double> residuals;      ///< n x T, with the weights of the systems
    double quad = 0;                    ///< y' S^-1 y without `spread`
    double missed_g = 0, missed_m = 0;  ///< FitReport
  };
  /// Waits.
  Remainder remainder(Device& device, const Data& data) const;

  /// What stands for the eigenvectors of G: k_G(x, Z) vectors = k_G(x, X) U, m x k.
  Spectrum g(Device& device) const;
  /// The same for orthonormal functions of k_M, whose values are 1.
  Spectrum m(Device& device) const;
  /// p = (k_M(x, Z) m().vectors) along, w = k_G(x, Z) across (Posterior::Constant).
  Matrix along(Device& device, PosteriorForm form) const;
  Matrix across(Device& device) const;

 private:
  /// k(X, Z) E of tiles of rows: f(first, count, of k_G, of k_M), both count x k.
  template <class F>
  void for_functions(Device& device, const KernelRows& g, const KernelRows& m, const F& f) const;
  /// From F_G'YV and F_M'YV.
  void solve(Device& device, Matrix b_g, const Matrix& b_m);

  std::vector<double> centres_;  // m x p
  std::int64_t count_;
  Hyperparameters hyper_;
  bool same_;  // k_M is k_G
  PointBasis points_;
  double share_ = 0, theta_ = 0;
  KernelRows rows_g_, rows_m_;      // of the centres
  Matrix basis_g_, basis_m_;        // E of both kernels
  std::optional<Spectrum> of_g_;    // F_G'F_G = W diag(s) W'
  std::optional<Matrix> between_;   // W'F_G'F_M
  std::optional<Matrix> of_m_;      // F_M'F_M
  std::optional<Spectrum> inner_;   // F_M'Q F_M
  std::optional<Matrix> along_t_;   // W'F_G'H E V (d + lambda_T)^-1, k x K
  std::optional<Matrix> constant_;  // F_M'c, k x 1
};

}  // namespace kronite::krfd
