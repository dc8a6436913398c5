// What regression of functions is compared with: the functional linear model (FLM), and kernel
// ridge regression at each point (KRRs).
#pragma once

#include <cstdint>
#include <vector>

#include "kronite/device.hpp"  // for Device
#include "kronite/kernel.hpp"  // for KernelKind
#include "kronite/krsfd.hpp"   // for CurvePoints, Observations, SolverOptions
#include "kronite/view.hpp"    // for MatrixView

namespace kronite::krfd {

// --- functional linear model --------------------------------------------------------------------

/// Y(x, t) = sum_l (theta_0l + sum_j x_j theta_jl) k_t(t, t_l), with the theta that makes
/// |y - H theta|^2 + lambda |theta|^2 least.
struct FlmOptions {
  KernelKind kernel_t = KernelKind::gaussian;
  double sigma_t = 1;    ///< length scale, > 0
  double lambda = 1;     ///< > 0
  SolverOptions solver;  ///< for curves with points of their own
};

struct FlmModel {
  FlmOptions options;
  std::int64_t features = 0, grid_points = 0, dimensions = 0;
  std::vector<double> grid;   ///< grid_points x dimensions: the t_l
  std::vector<double> theta;  ///< (1 + features) x grid_points, the constant term first
  SolverReport report;        ///< without iterations where all curves have the same points

  /// For each input at each t: x: m x features, t: k x dimensions, host; result m x k, row by row.
  /// Waits.
  /// @throws Error invalid_argument for shapes that do not fit or values that are not finite.
  std::vector<double> predict(Device& device, MatrixView<const double> x_new,
                              MatrixView<const double> t_new) const;
  /// At points on the curves of the inputs x, in the order of the points.
  /// @throws Error as above; invalid_argument when a point's curve is not a row of x.
  std::vector<double> predict(Device& device, MatrixView<const double> x_new,
                              const CurvePoints& points) const;
};

/// All curves at the same points t, which are the grid: x: n x features, t: points x dimensions,
/// y: n x points, host. Two eigen-decompositions, of 1 + features and of points rows. Waits.
/// @throws Error invalid_argument for shapes that do not fit, values that are not finite, or
/// options that make no sense; out_of_memory.
FlmModel fit_flm(Device& device, MatrixView<const double> x, MatrixView<const double> t,
                 MatrixView<const double> y, const FlmOptions& options = {});
/// Each curve at its own points. @throws Error as above, and for a curve without observations.
FlmModel fit_flm(Device& device, MatrixView<const double> x, const Observations& observations,
                 MatrixView<const double> grid, const FlmOptions& options = {});

// --- kernel ridge regression at each point ------------------------------------------------------

/// Y(x, t_j) = sum_i theta_ij k(x, x_i), (G + lambda_j) theta_j = y_j, for each point j by itself.
/// There is nothing between the points.
struct KrrOptions {
  KernelKind kernel = KernelKind::gaussian;
  double sigma = 1;          ///< length scale, > 0
  double lambda = 1.0 / 16;  ///< > 0
};

struct KrrModel {
  KernelKind kernel = KernelKind::gaussian;
  std::int64_t rows = 0, features = 0, points = 0;
  std::vector<double> x;              ///< rows x features
  std::vector<double> sigma, lambda;  ///< of each point
  std::vector<double> theta;          ///< rows x points

  /// For each input at each trained point: x: m x features, host; result m x points, row by row.
  /// Waits.
  /// @throws Error invalid_argument for shapes that do not fit or values that are not finite.
  std::vector<double> predict(Device& device, MatrixView<const double> x_new) const;
};

/// One sigma and lambda for all points. x: n x features, y: n x points, host. Waits.
/// @throws Error invalid_argument for shapes that do not fit, values that are not finite, or
/// options that make no sense; out_of_memory.
KrrModel fit_krr(Device& device, MatrixView<const double> x, MatrixView<const double> y,
                 const KrrOptions& options = {});

enum class KrrScore { absolute_error, squared_error };

/// All pairs of a sigma and a lambda are tried.
struct KrrSearch {
  KernelKind kernel = KernelKind::gaussian;
  std::vector<double> sigmas, lambdas;  ///< each > 0
  KrrScore score = KrrScore::absolute_error;
  bool per_point = true;  ///< the best pair of each point by itself; else one for all points
  /// The fold of each row, 0, 1, ...; empty: every row is a fold (leave one out).
  std::vector<std::int64_t> fold;
};

struct KrrTuned {
  KrrModel model;  ///< with the best pairs, on all rows
  std::vector<double>
      score;              ///< of each point: mean over the rows, each predicted without its fold
  double mean_score = 0;  ///< over the points
};

/// Scores are in closed form: what training without a fold would predict for it, from one
/// eigen-decomposition per sigma. Equal scores: the first pair, sigmas in the outer loop. Waits.
/// @throws Error as fit_krr(); invalid_argument for fewer than two folds or a search without pairs.
KrrTuned tune_krr(Device& device, MatrixView<const double> x, MatrixView<const double> y,
                  const KrrSearch& search);

}  // namespace kronite::krfd
