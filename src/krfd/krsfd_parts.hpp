// What fitting KRSFD, its mean and its posterior share: the model's matrices on a device.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "krfd/krsfd_input.hpp"   // for SortedPoints
#include "krfd/krsfd_kernel.hpp"  // for TruncatedKernel
#include "krfd/krsfd_ridge.hpp"   // for RaggedOnDevice
#include "kronite/array.hpp"      // for Array
#include "kronite/krsfd.hpp"      // for KrsfdModel

namespace kronite::krfd {

inline TruncatedKernel kernel_x(const KrsfdModel& m) {
  return {m.options.kernel_x, m.options.sigma_x, m.threshold_x};
}
inline TruncatedKernel kernel_t(const KrsfdModel& m) {
  return {m.options.kernel_t, m.options.sigma_t, m.threshold_t};
}

/// @throws Error invalid_argument, naming what makes no sense.
void check_options(const KrsfdOptions& options);
/// A model with all but its coefficients, checked. @throws Error as fit_krsfd().
KrsfdModel begin_krsfd(Device& device, MatrixView<const double> x, const Observations& observations,
                       MatrixView<const double> grid, const KrsfdOptions& options);
/// The thresholds of its kernels, of its options. @throws Error invalid_argument.
void set_thresholds(Device& device, KrsfdModel& model);

/// The matrices of the observations that a model learned from.
struct KrsfdParts {
  KrsfdParts(Device& device, const KrsfdModel& model);

  std::vector<std::int64_t> curve;  ///< of each observation
  RaggedOnDevice rows;
  Array<double> gram;   ///< curves x curves
  Array<double> basis;  ///< observations x grid points
};

/// L of H H' + lambda (n x n), the covariance of all observations. @throws Error out_of_memory.
Array<double> dual_factor(Device& device, const KrsfdParts& parts, double lambda);

/// All t on each curve, row by row.
class PointsOfCurves {
 public:
  PointsOfCurves(std::int64_t curves, MatrixView<const double> t);
  CurvePoints points() const;

 private:
  std::int64_t dimensions_;
  std::vector<std::int64_t> curve_;
  std::vector<double> t_;
};

/// The curve of each row from the rows of each curve.
std::vector<std::int64_t> curve_of_rows(const std::vector<std::int64_t>& first);

void check_new_inputs(std::int64_t features, MatrixView<const double> x);

/// m <- m + value I.
void add_to_diagonal(Device& device, double value, MatrixView<double> m);

/// A warning through the log callback where solving stopped early.
void warn_unless_converged(const SolverReport& report);

/// f(rows of x, number of the first one), as many at a time as keep a kernel matrix with `columns`
/// columns small.
template <class F>
void for_input_rows(MatrixView<const double> x, std::int64_t columns, const F& f) {
  constexpr std::int64_t kValues = 1 << 24;
  const std::int64_t tile = std::max<std::int64_t>(1, kValues / std::max<std::int64_t>(columns, 1));
  for (std::int64_t first = 0; first < x.rows; first += tile)
    f(x.rows_from(first, std::min(tile, x.rows - first)), first);
}

/// basis_n' z_i for the points n of curve i, in the order in which they were given. z: curves x K,
/// basis: points x K, on the device. Waits.
std::vector<double> values_at(Device& device, const SortedPoints& points,
                              MatrixView<const double> z, MatrixView<const double> basis);

}  // namespace kronite::krfd
