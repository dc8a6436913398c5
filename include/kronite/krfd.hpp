// KRFD, Bayesian kernel regression of functions that are all measured at the same points
// (docs/krfd.md):
//
//   Y(x, t) = sum_kl k_G(x, X_k) Theta_kl k_T(t, t_l) + sum_m c_m k_M(x, X_m) + noise.
//
// The first sum is the variation along t, the second one a constant per system. N systems with p
// features, X: N x p; T points of q coordinates, t: T x q; one curve per system, Y: N x T. All
// matrices that come in are host memory, all arithmetic is in double precision.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kronite/device.hpp"  // for Device
#include "kronite/kernel.hpp"  // for KernelKind
#include "kronite/log.hpp"     // for Progress
#include "kronite/view.hpp"    // for MatrixView

namespace kronite::krfd {

/// A kernel function on rows of features or on points of t.
struct Kernel {
  KernelKind kind = KernelKind::gaussian;
  /// One for all columns, or one for each (ARD): columns are divided by their length scale.
  std::vector<double> length_scales{1.0};
};

/// The kernels and the strengths of the three penalties. Defaults are those of the original
/// program.
struct Hyperparameters {
  Kernel g;  ///< of X, for the variation
  Kernel t;  ///< of t
  Kernel m;  ///< of X, for the constant
  double lambda_g = 1.0 / 16, lambda_t = 1.0 / 16, lambda_m = 1.0 / 16;
};

/// Variance of the noise, a priori: inverse gamma with these two parameters.
struct NoisePrior {
  double alpha = 1, beta = 1;
};

/// How the variance of the noise is decided.
enum class NoiseRule {
  map,       ///< (|residual|^2 + 2 beta) / (2 alpha + 2 + N T), as the original does
  conjugate  ///< mean of its posterior when the priors of Theta and c scale with it; errors of a
             ///< prediction are then those of Student's t with 2 alpha + N T degrees of freedom
};

/// How the normal equations are solved. The first four give the same result at different cost;
/// the others are for more systems than that can be done for, and only taken where they are named.
enum class FitPath {
  /// The cheaper one of the next two for what is asked; where neither bands nor the like are, and
  /// that does not fit the memory of the device, tiled if that fits, with a notice.
  automatic,
  spectral,  ///< eigenvalues of both Gram matrices, about 13 N^3 operations
  cholesky,  ///< Cholesky factors only, about 2.5 N^3
  tiled,     ///< the same with half of an N x N matrix, or two, in host memory, for one device or
             ///< several: N^3 operations where k_M is k_G, 7/3 N^3 otherwise
  conjugate_gradients,  ///< to a tolerance, with no Gram matrix in memory that does not fit
  nystrom  ///< the kernels of X restricted to functions of some systems, the centres: another
           ///< model, near the one that is asked for where there are enough of them
};

/// For fits of many systems.
struct ScaleOptions {
  /// Systems that are drawn at random: they make the preconditioner, or are the centres. As many as
  /// there are systems where there are fewer.
  std::int64_t centres = 1000;
  std::uint64_t seed = 0;
  double tolerance = 1e-8;    ///< conjugate gradients: of the residual, relative to the right side
  int max_iterations = 1000;  ///< conjugate gradients, of each of two solutions
  std::int64_t tile = 0;      ///< tiled: rows of a tile; 0: what the memory of the device suggests
};

struct FitOptions {
  NoisePrior noise_prior;
  NoiseRule noise = NoiseRule::map;
  FitPath path = FitPath::automatic;
  /// Bands, samples or leverages will be asked for. They need the eigenvalues, so that fitting by
  /// them costs nothing more. Without it they can still be had.
  bool uncertainty = true;
  /// Components along t whose eigenvalue is below this share of the largest one are left out; those
  /// below rounding are in any case. In [0, 1); not for FitPath::cholesky and tiled, where
  /// automatic does not go with it.
  double rank_tolerance = 0;
  ScaleOptions scale;
  Progress progress{};  ///< tiled: after each tile
};

/// How far a fit is from the solution that is asked for.
struct FitReport {
  std::int64_t rank_t = 0;  ///< components along t that were taken, of T
  /// The largest factor d / (d + lambda_t) <= 1 of a component that was left out: the share of the
  /// curves along it that would have been fitted, for an eigenvalue d.
  double dropped_t = 0;
  // Of a tiled fit.
  std::int64_t tile = 0;   ///< rows of a tile
  double moved_bytes = 0;  ///< between the host and the devices
  // Of conjugate gradients.
  int iterations = 0;            ///< of both solutions together
  double relative_residual = 0;  ///< of the worst right-hand side
  bool converged = true;
  // Of a Nystrom fit.
  std::int64_t centres = 0;
  /// Mean share of k(x, x) of the systems that the functions of the centres do not reach, for k_G
  /// and k_M.
  double missed_g = 0, missed_m = 0;
  /// Root of the mean squared difference between fitted values, and those with half of the centres,
  /// at 1,000 systems or all: where the error falls with the number of centres it is below this.
  double change = 0;
};

/// What part of the model is looked at.
enum class Part {
  total,
  variation,  ///< the first sum
  constant    ///< the second sum
};

/// How the posterior covariance of Theta and c is taken.
enum class PosteriorForm {
  joint,       ///< as the model has it
  independent  ///< as the original does: each given the other, and their covariance left out
};

struct PosteriorOptions {
  PosteriorForm form = PosteriorForm::joint;
  /// With what functions outside the span of the training systems and points could do, so that the
  /// prior is that of a Gaussian process: far from all data the band widens. Without it, as in the
  /// original, it closes there, and is too narrow where data are few.
  bool complete = true;
  bool noise = false;  ///< with the noise of an observation
  Part part = Part::total;
};

struct SampleOptions {
  PosteriorOptions posterior;
  int count = 1;
  std::uint64_t seed = 0;
  Progress progress{};  ///< after each draw
};

/// A fitted model. Cheap to copy; may be used from several threads, one device each. What bands and
/// samples need is computed on first use on a device and stays there while this lives.
///
/// Below, x: N* x p and t: T* x q are the systems and points that are asked for.
class Model {
 public:
  struct State;
  explicit Model(std::shared_ptr<const State> state);  // by fit()
  const State& state() const { return *state_; }       // for files

  const Hyperparameters& hyperparameters() const;
  std::int64_t systems() const;      ///< N
  std::int64_t points() const;       ///< T
  std::int64_t features() const;     ///< p
  std::int64_t coordinates() const;  ///< q
  FitPath path() const;              ///< the one that was taken
  const FitReport& report() const;
  double sigma2() const;                 ///< variance of the noise
  const std::vector<double>& t() const;  ///< the points that it was fitted at, T x q
  /// Coefficients, N x T and N; those of equal rows of X are equal. Of a Nystrom fit they are those
  /// of the centres. Components along t that are left out (FitReport) have none.
  const std::vector<double>& theta() const;
  const std::vector<double>& c() const;
  /// What is left of the training curves, N x T.
  const std::vector<double>& residuals() const;

  /// Expected values, N* x T*. Waits, as all below.
  /// @throws Error invalid_argument when shapes do not fit or a value is not finite, as all below.
  std::vector<double> mean(Device& device, MatrixView<const double> x, MatrixView<const double> t,
                           Part part = Part::total) const;
  /// Standard deviations around mean() of that part, N* x T*. By the eigenvalues of both Gram
  /// matrices, whatever the path, except for a Nystrom fit, whose posterior is that of its model.
  std::vector<double> deviation(Device& device, MatrixView<const double> x,
                                MatrixView<const double> t,
                                const PosteriorOptions& options = {}) const;
  /// Covariances within each curve, N* x T* x T*.
  std::vector<double> covariance(Device& device, MatrixView<const double> x,
                                 MatrixView<const double> t,
                                 const PosteriorOptions& options = {}) const;
  /// Covariances of everything with everything, (N* T*) x (N* T*).
  std::vector<double> joint_covariance(Device& device, MatrixView<const double> x,
                                       MatrixView<const double> t,
                                       const PosteriorOptions& options = {}) const;
  /// Functions drawn from the posterior, count x N* x T*: each draw is one function of x and t, so
  /// that its curves vary together as joint_covariance() says. The same seed and shapes draw the
  /// same. @throws Error as above; cancelled.
  std::vector<double> sample(Device& device, MatrixView<const double> x, MatrixView<const double> t,
                             const SampleOptions& options = {}) const;

  /// d mean(x, t) / d Y, N x T, of one x (1 x p) and one t (1 x q): which training systems and
  /// which points carry a prediction. mean = sum of this times Y.
  std::vector<double> influence(Device& device, MatrixView<const double> x,
                                MatrixView<const double> t) const;
  /// d (fitted Y_ij) / d Y_ij, N x T, in [0, 1]: how much of its own value each point of a training
  /// curve decides. They add up to the degrees of freedom that the fit takes.
  /// @throws Error invalid_argument for a Nystrom fit, as influence().
  std::vector<double> leverage(Device& device) const;

 private:
  std::shared_ptr<const State> state_;
};

/// The maximum of the posterior. Equal rows of X count as one system with the mean of their curves
/// and a weight, which changes nothing in the result; a notice says so.
/// @throws Error invalid_argument when shapes do not fit, a value is not finite, or a
/// hyper-parameter is not finite and above 0; numerical when a lambda is too small for double
/// precision; cancelled. Conjugate gradients that do not converge give a warning to the log
/// callback, and the report says so.
Model fit(Device& device, MatrixView<const double> x, MatrixView<const double> t,
          MatrixView<const double> y, const Hyperparameters& hyper, const FitOptions& options = {});
/// The same for a tiled fit on several devices, a thread for each, whose result does not depend on
/// how many of one kind there are; other paths take the first one. Two devices on one GPU are of
/// use, too: one computes while the other one loads. @throws Error also where there is none.
Model fit(std::vector<Device>& devices, MatrixView<const double> x, MatrixView<const double> t,
          MatrixView<const double> y, const Hyperparameters& hyper, const FitOptions& options = {});

// --- what it takes -------------------------------------------------------------------------------

struct FitShape {
  std::int64_t systems = 0, features = 0, points = 0;  ///< N, p, T
  /// Components along t that count (FitReport::rank_t); 0: not known, T.
  std::int64_t components = 0;
  bool same_kernel = false;  ///< k_M is k_G
  /// Of the device; 0: none. It decides what conjugate gradients keep, and the size of tiles.
  std::size_t memory_limit = 0;
};

/// Beside the data that are passed in. Where the device is the CPU, both memories are one. Of a
/// Nystrom fit memory is at most this: functions of centres that depend on each other are left out.
struct FitCost {
  double operations = 0;    ///< with floating-point numbers
  double device_bytes = 0;  ///< at the peak
  double host_bytes = 0;    ///< at the peak
  double moved_bytes = 0;   ///< between host and device, of a tiled fit on one device
};

/// Of fit() by that path; for conjugate gradients with so many iterations for each of its two
/// solutions. @throws Error invalid_argument when a number of the shape is below 1.
FitCost fit_cost(const FitShape& shape, const FitOptions& options, int iterations = 100);
/// Of one evaluation of the evidence with all derivatives in tune_by_evidence().
FitCost evidence_cost(const FitShape& shape);
/// Of one trial with so many folds in tune_by_cross_validation(), with two kinds of kernels.
FitCost cross_validation_cost(const FitShape& shape, int folds);

// --- how good it is -----------------------------------------------------------------------------

/// Of predicted against observed values, over all of them.
struct Errors {
  double mae = 0, rmse = 0;
  double r2 = 0;            ///< 1 - SSE / SST; NaN when all observed values are equal
  double correlation2 = 0;  ///< squared correlation, which the original calls R2; NaN as r2, and
                            ///< when all predicted values are equal
};
/// @throws Error invalid_argument when shapes differ or there is no value.
Errors errors(MatrixView<const double> predicted, MatrixView<const double> observed);

/// Predictions of each system by a model that was not fitted to its fold, N x T: what refitting
/// gives, at the cost of about one fit. fold: N numbers of any kind; all different: leave one out.
/// @throws Error as fit(); invalid_argument when there are fewer than two folds.
std::vector<double> cross_validate(Device& device, MatrixView<const double> x,
                                   MatrixView<const double> t, MatrixView<const double> y,
                                   const Hyperparameters& hyper,
                                   const std::vector<std::int32_t>& fold);
/// As cross_validate() with a fold for each system.
std::vector<double> leave_one_out(Device& device, MatrixView<const double> x,
                                  MatrixView<const double> t, MatrixView<const double> y,
                                  const Hyperparameters& hyper);
/// `folds` folds of nearly one size, drawn at random.
std::vector<std::int32_t> random_folds(std::int64_t systems, int folds, std::uint64_t seed);

// --- evidence -----------------------------------------------------------------------------------

/// Derivatives by the logarithms of the hyper-parameters; as many for a kernel as it has length
/// scales.
struct EvidenceGradient {
  std::vector<double> g, t, m;
  double lambda_g = 0, lambda_t = 0, lambda_m = 0;
};

struct Evidence {
  double log = 0;   ///< log p(Y | X, t, hyper-parameters), the variance of the noise integrated out
  double quad = 0;  ///< y' (covariance of y / variance of the noise)^-1 y
  double logdet = 0;          ///< of that covariance
  double freedom = 0;         ///< degrees of freedom of the fit; 0 without gradient
  EvidenceGradient gradient;  ///< empty without gradient
};

/// @throws Error as fit().
Evidence evidence(Device& device, MatrixView<const double> x, MatrixView<const double> t,
                  MatrixView<const double> y, const Hyperparameters& hyper,
                  const NoisePrior& prior = {}, bool gradient = true);

// --- hyper-parameters ---------------------------------------------------------------------------

struct EvidenceTuning {
  Hyperparameters start;    ///< kinds of kernels, whether ARD, and the first start
  int starts = 3;           ///< the others are drawn around what the data suggest
  int most_steps = 100;     ///< of L-BFGS from each start
  double tolerance = 1e-3;  ///< of the largest derivative, per log of a hyper-parameter
  double gain = 0.01;       ///< ends when two steps in a row raise the log evidence by no more
  /// Factor by which a hyper-parameter may leave its first value, either way.
  double range = 1e6;
  NoisePrior noise_prior;
  std::uint64_t seed = 0;
  Progress progress;  ///< after each evaluation of the evidence; the total is not known
};

/// One climb.
struct EvidenceClimb {
  Hyperparameters hyper;
  double log_evidence = 0;  ///< NaN when it failed
  int evaluations = 0;
  bool converged = false;
};

struct EvidenceTuned {
  EvidenceClimb best;
  std::vector<EvidenceClimb> climbs;
};

/// Hyper-parameters of largest evidence, by L-BFGS on their logarithms.
/// @throws Error as fit(); numerical when every start has failed; cancelled.
EvidenceTuned tune_by_evidence(Device& device, MatrixView<const double> x,
                               MatrixView<const double> t, MatrixView<const double> y,
                               const EvidenceTuning& options = {});

/// From low to high, by factors.
struct Range {
  double low = 0, high = 0;
};

struct SearchOptions {
  int trials = 300;
  std::vector<KernelKind> kinds_x{KernelKind::gaussian, KernelKind::laplacian};  ///< of g and m
  std::vector<KernelKind> kinds_t{KernelKind::gaussian, KernelKind::laplacian};
  Range length_scale{0.1, 100};
  Range lambda{1e-6, 1};
  std::vector<std::int32_t> fold;  ///< N; empty: five random folds of `seed`
  bool random_only = false;        ///< no estimators (TPE), random numbers only
  std::uint64_t seed = 0;
  std::string journal;  ///< JSON Lines file that is gone on with; empty: none is kept
  Progress progress;    ///< after each trial
};

struct SearchResult {
  Hyperparameters hyper;
  double mae = 0;  ///< of the cross-validation
  std::int64_t trial = 0, trials = 0;
};

/// Hyper-parameters of least mean absolute error in cross-validation; defaults are the space that
/// the original searches. Trials whose fit fails count as bad.
/// @throws Error as cross_validate(); io, parse or invalid_argument for a journal that cannot be
/// gone on with; numerical when every trial has failed; cancelled.
SearchResult tune_by_cross_validation(Device& device, MatrixView<const double> x,
                                      MatrixView<const double> t, MatrixView<const double> y,
                                      const SearchOptions& options = {});

}  // namespace kronite::krfd
