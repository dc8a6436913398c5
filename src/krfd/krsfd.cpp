// Fitting and the predicted mean of KRSFD.
#include "kronite/krsfd.hpp"

#include <utility>

#include "base/fail.hpp"       // for fail
#include "device/backend.hpp"  // for linalg
#include "krfd/krsfd_input.hpp"
#include "krfd/krsfd_kernel.hpp"
#include "krfd/krsfd_parts.hpp"
#include "krfd/krsfd_ridge.hpp"

namespace kronite::krfd {
void check_options(const KrsfdOptions& o) {
  check_positive("sigma_x", o.sigma_x);
  check_positive("sigma_t", o.sigma_t);
  check_positive("lambda", o.lambda);
  check_positive("alpha", o.alpha);
  check_positive("beta", o.beta);
  check_solver(o.solver);
  if (o.compat) {
    check_positive("compat_tolerance", o.compat_tolerance);
    if (o.compat_iterations < 1)
      fail(Errc::invalid_argument, "compat_iterations is {}, and must be 1 at least",
           o.compat_iterations);
  }
}

void set_thresholds(Device& device, KrsfdModel& model) {
  const KrsfdOptions& o = model.options;
  model.threshold_x = threshold_of(device, o.kernel_x, o.sigma_x, model.x, model.features,
                                   o.zero_ratio_x, "zero_ratio_x");
  model.threshold_t = threshold_of(device, o.kernel_t, o.sigma_t, model.grid, model.dimensions,
                                   o.zero_ratio_t, "zero_ratio_t");
}

KrsfdModel begin_krsfd(Device& device, MatrixView<const double> x, const Observations& observations,
                       MatrixView<const double> grid, const KrsfdOptions& options) {
  check_options(options);
  SortedObservations sorted = check_irregular(x, observations, grid);
  KrsfdModel model;
  model.options = options;
  model.curves = x.rows;
  model.features = x.cols;
  model.grid_points = grid.rows;
  model.dimensions = grid.cols;
  model.x = contiguous(x);
  model.grid = contiguous(grid);
  set_thresholds(device, model);
  model.first = std::move(sorted.points.first);
  model.t = std::move(sorted.points.t);
  model.y = std::move(sorted.y);
  return model;
}

KrsfdModel fit_krsfd(Device& device, MatrixView<const double> x, const Observations& observations,
                     MatrixView<const double> grid, const KrsfdOptions& options) {
  KrsfdModel model = begin_krsfd(device, x, observations, grid, options);
  const KrsfdParts parts(device, model);
  RaggedRidge ridge(device, parts.rows.rows(), parts.gram.view(), parts.basis.view(),
                    options.lambda);
  const auto n = static_cast<std::int64_t>(model.y.size());
  Array<double> y(device, model.y, n, 1);
  Array<double> b(device, model.curves, model.grid_points);
  Array<double> theta(device, model.curves, model.grid_points);
  ridge.apply_transpose(y.view(), b.view());
  model.report = options.compat
                     ? ridge.solve_as_published(options.compat_tolerance, options.compat_iterations,
                                                b.view(), theta.view())
                     : ridge.solve(options.solver, b.view(), theta.view());
  warn_unless_converged(model.report);
  model.theta = theta.to_host();

  Array<double> fitted(device, n, 1);
  ridge.apply(theta.view(), fitted.view());
  const std::vector<double> values = fitted.to_host();
  double squares = 0;
  for (std::size_t k = 0; k < values.size(); ++k)
    squares += (model.y[k] - values[k]) * (model.y[k] - values[k]);
  model.noise_variance =
      (2 * options.beta + squares) / (2 * options.alpha + 2 + static_cast<double>(n));
  return model;
}

std::vector<double> KrsfdModel::predict(Device& device, MatrixView<const double> x_new,
                                        MatrixView<const double> t_new) const {
  check_new_inputs(features, x_new);
  check_matrix("t", t_new);
  check_columns("t", t_new.cols, dimensions);
  notice_outside(t, t_new);
  const Array<double> coefficients(device, theta, curves, grid_points);
  const Array<double> k_t =
      kernel_matrix(device, kernel_t(*this), contiguous(t_new), grid, dimensions);
  Array<double> out(device, x_new.rows, t_new.rows);
  for_input_rows(x_new, curves, [&](MatrixView<const double> some, std::int64_t begin) {
    const Array<double> k_x = kernel_matrix(device, kernel_x(*this), contiguous(some), x, features);
    Array<double> z(device, some.rows, grid_points);
    LinalgOps<double>& la = linalg<double>(device);
    la.gemm(1, k_x.view(), Op::none, coefficients.view(), Op::none, 0, z.view());
    la.gemm(1, z.view(), Op::none, k_t.view(), Op::transpose, 0,
            out.view().rows_from(begin, some.rows));
  });
  return out.to_host();
}

std::vector<double> KrsfdModel::predict(Device& device, MatrixView<const double> x_new,
                                        const CurvePoints& points) const {
  check_new_inputs(features, x_new);
  const SortedPoints sorted = sort_points(points, x_new.rows);
  check_columns("t", sorted.dimensions, dimensions);
  notice_outside(t, points.t);
  const Array<double> coefficients(device, theta, curves, grid_points);
  Array<double> z(device, x_new.rows, grid_points);
  for_input_rows(x_new, curves, [&](MatrixView<const double> some, std::int64_t begin) {
    const Array<double> k_x = kernel_matrix(device, kernel_x(*this), contiguous(some), x, features);
    linalg<double>(device).gemm(1, k_x.view(), Op::none, coefficients.view(), Op::none, 0,
                                z.view().rows_from(begin, some.rows));
  });
  return values_at(device, sorted, z.view(),
                   kernel_matrix(device, kernel_t(*this), sorted.t, grid, dimensions).view());
}

}  // namespace kronite::krfd
