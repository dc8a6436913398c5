// Regression of functions when each curve is measured at points of its own: KRSFD, and KRFD with
// its whole prior on such curves (docs/krsfd.md).
#pragma once

#include <cstdint>
#include <vector>

#include "kronite/device.hpp"  // for Device
#include "kronite/kernel.hpp"  // for KernelKind
#include "kronite/krfd.hpp"    // for Hyperparameters, NoisePrior, NoiseRule
#include "kronite/log.hpp"     // for Progress
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
  /// `progress` hears of draws, some at a time.
  /// @throws Error as predict(); invalid_argument for draws < 1; cancelled.
  std::vector<double> sample(Device& device, MatrixView<const double> x_new,
                             MatrixView<const double> t_new, int draws, std::uint64_t seed = 0,
                             const Progress& progress = {}) const;
};

/// x: curves x features, grid: points x dimensions, host. A point of a curve that is there twice
/// gives a notice through the log callback. Waits.
/// @throws Error invalid_argument for shapes that do not fit, values that are not finite, a curve
/// without observations, or options that make no sense; out_of_memory.
KrsfdModel fit_krsfd(Device& device, MatrixView<const double> x, const Observations& observations,
                     MatrixView<const double> grid, const KrsfdOptions& options = {});

// --- KRFD on curves with points of their own ----------------------------------------------------

struct IrregularOptions {
  NoisePrior noise_prior;
  NoiseRule noise = NoiseRule::map;
};

struct IrregularBandOptions {
  bool include_noise = false;  ///< of a measurement, not of the function
  /// Adds what functions outside the span of the curves and of the grid could do, as
  /// PosteriorOptions::complete does.
  bool complete = true;
};

/// Y(x, t) = sum_il k_G(x, x_i) Theta_il k_T(t, t_l) + sum_i c_i k_M(x, x_i) + noise, with the
/// prior of KRFD (kronite/krfd.hpp) for the curves x_i at the points t_l of a grid; what was
/// measured at other points is a linear function of Theta and c too. Where all curves are measured
/// at all points of the grid this is KRFD. The posterior is exact: from the Cholesky factor of the
/// covariance of all n observations, n x n values and n^3 / 3 products. Plain values on the host.
struct IrregularModel {
  Hyperparameters hyper;
  IrregularOptions options;
  std::int64_t curves = 0, features = 0, grid_points = 0, dimensions = 0;
  std::vector<double> x;      ///< curves x features
  std::vector<double> grid;   ///< grid_points x dimensions
  std::vector<double> theta;  ///< curves x grid_points
  std::vector<double> c;      ///< curves
  double noise_variance = 0;  ///< sigma^2
  double log_evidence = 0;    ///< log p(y | x, t, hyper), sigma^2 integrated out
  /// What was learned from, curve by curve, as in KrsfdModel.
  std::vector<std::int64_t> first;
  std::vector<double> t;          ///< n x dimensions
  std::vector<double> y;          ///< n
  std::vector<double> residuals;  ///< n: y less its expectation

  /// As the functions of KrsfdModel, and with their errors.
  std::vector<double> predict(Device& device, MatrixView<const double> x_new,
                              MatrixView<const double> t_new) const;
  std::vector<double> predict(Device& device, MatrixView<const double> x_new,
                              const CurvePoints& points) const;
  KrsfdPrediction predict_std(Device& device, MatrixView<const double> x_new,
                              MatrixView<const double> t_new,
                              const IrregularBandOptions& how = {}) const;
  KrsfdPrediction predict_std(Device& device, MatrixView<const double> x_new,
                              const CurvePoints& points,
                              const IrregularBandOptions& how = {}) const;
  std::vector<double> sample(Device& device, MatrixView<const double> x_new,
                             MatrixView<const double> t_new, int draws, std::uint64_t seed = 0,
                             const Progress& progress = {}) const;
};

/// x: curves x features, grid: points x dimensions, host. Waits.
/// @throws Error invalid_argument as fit_krsfd() and, for hyper-parameters, krfd::fit();
/// out_of_memory, naming the observations, when their covariance does not fit the memory limit;
/// numerical.
IrregularModel fit_irregular(Device& device, MatrixView<const double> x,
                             const Observations& observations, MatrixView<const double> grid,
                             const Hyperparameters& hyper, const IrregularOptions& options = {});

/// log p(y | x, t, hyper-parameters), the variance of the noise integrated out.
/// @throws Error as fit_irregular().
double irregular_evidence(Device& device, MatrixView<const double> x,
                          const Observations& observations, MatrixView<const double> grid,
                          const Hyperparameters& hyper, const NoisePrior& prior = {});
/// The same of KRSFD, theta having the variance s2 / lambda; alpha and beta are the noise's prior.
/// @throws Error as fit_krsfd(); out_of_memory as above; numerical.
double krsfd_evidence(Device& device, MatrixView<const double> x, const Observations& observations,
                      MatrixView<const double> grid, const KrsfdOptions& options);

/// Hyper-parameters of largest evidence: L-BFGS on their logarithms, with derivatives by
/// differences, so that each step takes an evaluation for each of them.
/// @throws Error as irregular_evidence(); numerical when every start has failed; cancelled.
EvidenceTuned tune_irregular(Device& device, MatrixView<const double> x,
                             const Observations& observations, MatrixView<const double> grid,
                             const EvidenceTuning& options = {});

struct KrsfdClimb {
  KrsfdOptions options;
  double log_evidence = 0;  ///< NaN when it failed
  int evaluations = 0;
  bool converged = false;
};
struct KrsfdTuned {
  KrsfdClimb best;
  std::vector<KrsfdClimb> climbs;
};
/// The same for sigma_x, sigma_t and lambda of KRSFD, from those of `start` and from starts that
/// are drawn. Of `how`, starts, most_steps, tolerance, range, seed and progress count.
KrsfdTuned tune_krsfd(Device& device, MatrixView<const double> x, const Observations& observations,
                      MatrixView<const double> grid, const KrsfdOptions& start,
                      const EvidenceTuning& how = {});

/// `points` points that cover those of the observations (n x dimensions): equal steps over the
/// range of a single coordinate; of several, points of the observations far from each other. Fewer
/// where there are fewer different ones. @throws Error invalid_argument.
std::vector<double> cover_points(MatrixView<const double> t, std::int64_t points);

}  // namespace kronite::krfd
