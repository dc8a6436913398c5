// Regression of functions when each curve is measured at points of its own (KRSFD).
#pragma once

#include <cstdint>
#include <vector>

#include "kronite/device.hpp"  // for Device
#include "kronite/kernel.hpp"  // for KernelKind
#include "kronite/view.hpp"    // for MatrixView, VectorView

namespace kronite::krfd {

/// Points on curves: point n lies at t_n on the curve with the inputs x_{curve_n}. In any order.
/// Host memory.
struct CurvePoints {
  VectorView<const std::int64_t> curve;  ///< n: a row of x
  MatrixView<const double> t;            ///< n x q
};

/// Values measured at points on curves; one row of x may have any number of them, at least one. A
/// point that is measured twice counts twice.
struct Observations {
  VectorView<const std::int64_t> curve;  ///< n: a row of x
  MatrixView<const double> t;            ///< n x q
  VectorView<const double> y;            ///< n
};

/// How to solve: preconditioned conjugate gradients, until the residual is `tolerance` times the
/// right-hand side, so that scaled values give a scaled answer.
struct SolverOptions {
  double tolerance = 1e-8;
  int max_iterations = 1000;
};

/// How solving went. Where it did not converge, a warning goes to the log callback too.
struct SolverReport {
  int iterations = 0;
  double relative_residual = 0;
  bool converged = false;
};

/// Y(x, t) = sum_il theta_il k_x(x, x_i) k_t(t, t_l), t_l the points of a grid, with the theta that
/// makes |y - H theta|^2 + lambda |theta|^2 least. Its posterior is normal: theta ~ N(0, s2 /
/// lambda) before the data, noise ~ N(0, s2), s2 as the mode under an inverse gamma prior.
struct KrsfdOptions {
  KernelKind kernel_x = KernelKind::gaussian, kernel_t = KernelKind::gaussian;
  double sigma_x = 1, sigma_t = 1;  ///< length scales, > 0
  double lambda = 1.0 / 16;         ///< > 0
  double alpha = 1, beta = 1;       ///< shape and scale of the prior of s2, > 0
  SolverOptions solver;
  /// Share of the values of the Gram matrices of x and of the grid that are set to zero, the
  /// smallest ones, in [0, 1); kernel values up to the largest of them are zero everywhere. Gram
  /// matrices are then no longer positive definite and predictions jump. 0: none.
  double zero_ratio_x = 0, zero_ratio_t = 0;
  /// Solve as the published program does: from theta = 0.1, without a preconditioner, with a first
  /// step that is too short, until the mean squared residual is at most compat_tolerance or after
  /// compat_iterations. The answer then depends on the scale of y. `solver` is not used.
  bool compat = false;
  double compat_tolerance = 1e-3;
  int compat_iterations = 500;

  /// What the published program does when it is told nothing.
  static KrsfdOptions published() {
    KrsfdOptions options;
    options.zero_ratio_x = 0.9;
    options.zero_ratio_t = 0.1;
    options.compat = true;
    return options;
  }
};

/// Where standard deviations come from.
enum class KrsfdVariance {
  automatic,  ///< exact while its matrix, n_obs x n_obs, takes at most a quarter of the memory
              ///< limit
  exact,      ///< from the Cholesky factor of the matrix of all observations: n_obs^3 / 3 products
  pathwise    ///< from draws of the posterior (Matheron's rule), each by conjugate gradients
};

struct KrsfdStdOptions {
  KrsfdVariance variance = KrsfdVariance::automatic;
  bool include_noise = false;  ///< of a measurement, not of the function
  int draws = 64;              ///< pathwise: the relative error is about 1 / sqrt(2 draws)
  std::uint64_t seed = 0;      ///< pathwise
};

/// Values in the order of the points asked for: for points on a grid row by row, one row per input.
struct KrsfdPrediction {
  std::vector<double> mean, std;
  KrsfdVariance variance = KrsfdVariance::exact;  ///< what it came from
};

/// A fitted model: plain values on the host.
struct KrsfdModel {
  KrsfdOptions options;
  std::int64_t curves = 0, features = 0, grid_points = 0, dimensions = 0;
  std::vector<double> x;                    ///< curves x features
  std::vector<double> grid;                 ///< grid_points x dimensions
  std::vector<double> theta;                ///< curves x grid_points
  double threshold_x = 0, threshold_t = 0;  ///< kernel values up to these are zero
  double noise_variance = 0;                ///< s2
  SolverReport report;
  /// What was learned from, curve by curve: the rows [first_i, first_{i+1}) are of curve i.
  std::vector<std::int64_t> first;
  std::vector<double> t;  ///< n x dimensions
  std::vector<double> y;  ///< n

  /// The mean for each input at each t: x: m x features, t: k x dimensions, host; result m x k,
  /// row by row. A t outside the range of the observations gives a notice through the log callback.
  /// Waits.
  /// @throws Error invalid_argument for shapes that do not fit or values that are not finite.
  std::vector<double> predict(Device& device, MatrixView<const double> x_new,
                              MatrixView<const double> t_new) const;
  /// The mean at points on the curves of the inputs x. Result in the order of the points.
  /// @throws Error as above; invalid_argument when a point's curve is not a row of x.
  std::vector<double> predict(Device& device, MatrixView<const double> x_new,
                              const CurvePoints& points) const;

  /// Mean and standard deviation, as predict(). The matrix of all observations is factorised, or
  /// draws are made, in each call: ask for all points at once.
  /// @throws Error as predict(); invalid_argument for options that make no sense; out_of_memory
  /// when exact is asked for and does not fit the memory limit; numerical.
  KrsfdPrediction predict_std(Device& device, MatrixView<const double> x_new,
                              MatrixView<const double> t_new,
                              const KrsfdStdOptions& options = {}) const;
  KrsfdPrediction predict_std(Device& device, MatrixView<const double> x_new,
                              const CurvePoints& points, const KrsfdStdOptions& options = {}) const;

  /// Functions drawn from the posterior: draws x m x k. Draw d of a seed is the same function
  /// whatever points are asked for and however many draws.
  /// @throws Error as predict(); invalid_argument for draws < 1.
  std::vector<double> sample(Device& device, MatrixView<const double> x_new,
                             MatrixView<const double> t_new, int draws,
                             std::uint64_t seed = 0) const;
};

/// x: curves x features, grid: points x dimensions, host. A point of a curve that is there twice
/// gives a notice through the log callback. Waits.
/// @throws Error invalid_argument for shapes that do not fit, values that are not finite, a curve
/// without observations, or options that make no sense; out_of_memory.
KrsfdModel fit_krsfd(Device& device, MatrixView<const double> x, const Observations& observations,
                     MatrixView<const double> grid, const KrsfdOptions& options = {});

}  // namespace kronite::krfd
