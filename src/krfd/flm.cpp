// The functional linear model: spectral where all curves have the same points, conjugate gradients
// where each has its own. The matrix of its normal equations, ((1 + features) points)^2, is not
// made.
#include <algorithm>

#include "base/fail.hpp"       // for fail
#include "device/backend.hpp"  // for linalg
#include "krfd/krsfd_input.hpp"
#include "krfd/krsfd_kernel.hpp"
#include "krfd/krsfd_parts.hpp"  // for values_at, warn_unless_converged
#include "krfd/krsfd_ridge.hpp"
#include "kronite/functional_baselines.hpp"

namespace kronite::krfd {
namespace {

/// [1 x].
std::vector<double> with_constant(MatrixView<const double> x) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    values.push_back(1);
    values.insert(values.end(), x.row(i), x.row(i) + x.cols);
  }
  return values;
}

/// Checks what both kinds of fit have in common, and begins the model.
FlmModel begin(MatrixView<const double> x, const std::string& grid_name,
               MatrixView<const double> grid, const FlmOptions& options) {
  check_positive("sigma_t", options.sigma_t);
  check_positive("lambda", options.lambda);
  check_solver(options.solver);
  check_matrix("x", x);
  check_matrix(grid_name, grid);
  if (x.rows == 0) fail(Errc::invalid_argument, "x has no rows: there is nothing to learn from");
  if (grid.rows == 0) fail(Errc::invalid_argument, "{} has no points", grid_name);
  FlmModel model;
  model.options = options;
  model.features = x.cols;
  model.grid_points = grid.rows;
  model.dimensions = grid.cols;
  model.grid = contiguous(grid);
  return model;
}

TruncatedKernel kernel_t(const FlmModel& m) { return {m.options.kernel_t, m.options.sigma_t}; }

/// [1 x] theta on the device, x.rows x grid points.
Array<double> coefficients_of(Device& device, const FlmModel& m, MatrixView<const double> x) {
  check_matrix("x", x);
  check_columns("x", x.cols, m.features);
  const Array<double> design(device, with_constant(x), x.rows, 1 + m.features);
  const Array<double> theta(device, m.theta, 1 + m.features, m.grid_points);
  Array<double> out(device, x.rows, m.grid_points);
  linalg<double>(device).gemm(1, design.view(), Op::none, theta.view(), Op::none, 0, out.view());
  return out;
}

}  // namespace

// With [1 x]'[1 x] = U diag(w) U' and the Gram matrix of t = V diag(d) V':
// theta = U [(U' [1 x]' y V diag(d)) / (w d^2 + lambda)] V'.
FlmModel fit_flm(Device& device, MatrixView<const double> x, MatrixView<const double> t,
                 MatrixView<const double> y, const FlmOptions& options) {
  FlmModel model = begin(x, "t", t, options);
  check_matrix("y", y);
  if (y.rows != x.rows || y.cols != t.rows)
    fail(Errc::invalid_argument,
         "y is {} x {}, and must be {} x {}: a row for each row of x, a "
         "column for each t",
         y.rows, y.cols, x.rows, t.rows);
  const std::int64_t p = 1 + x.cols, k = t.rows;
  LinalgOps<double>& la = linalg<double>(device);
  const Array<double> design(device, with_constant(x), x.rows, p);
  const Array<double> values(device, contiguous(y), y.rows, k);
  Array<double> u(device, p, p), w(device, p, 1), d(device, k, 1);
  Array<double> v =
      kernel_matrix(device, kernel_t(model), model.grid, model.grid, model.dimensions);
  la.gemm(1, design.view(), Op::transpose, design.view(), Op::none, 0, u.view());
  la.eigh(u.view(), w.vector());
  la.eigh(v.view(), d.vector());

  // Eigenvalues below zero are rounding. Columns are scaled by d on the way through V.
  std::vector<double> spectrum_x = w.to_host(), spectrum_t = d.to_host();
  for (double& value : spectrum_x) value = std::max(value, 0.0);
  for (double& value : spectrum_t) value = std::max(value, 0.0);
  std::vector<double> scaled = v.to_host(), squared;
  for (std::size_t n = 0; n < scaled.size(); ++n) scaled[n] *= spectrum_t[n % spectrum_t.size()];
  for (const double value : spectrum_t) squared.push_back(value * value);
  const Array<double> vd(device, scaled, k, k), wx(device, spectrum_x, p, 1),
      dd(device, squared, k, 1);
  Array<double> a(device, p, k), b(device, p, k);
  la.gemm(1, design.view(), Op::transpose, values.view(), Op::none, 0, a.view());
  la.gemm(1, u.view(), Op::transpose, a.view(), Op::none, 0, b.view());
  la.gemm(1, b.view(), Op::none, vd.view(), Op::none, 0, a.view());
  device.backend().ragged().divide_by_spectrum(wx.vector(), dd.vector(), options.lambda, a.view());
  la.gemm(1, a.view(), Op::none, v.view(), Op::transpose, 0, b.view());
  la.gemm(1, u.view(), Op::none, b.view(), Op::none, 0, a.view());
  model.theta = a.to_host();
  model.report.converged = true;
  return model;
}

FlmModel fit_flm(Device& device, MatrixView<const double> x, const Observations& observations,
                 MatrixView<const double> grid, const FlmOptions& options) {
  FlmModel model = begin(x, "the grid", grid, options);
  const SortedObservations sorted = sort_observations(observations, x.rows);
  if (grid.cols != sorted.points.dimensions)
    fail(Errc::invalid_argument, "points t have {} coordinates, and those of the grid {}",
         sorted.points.dimensions, grid.cols);
  const std::int64_t p = 1 + x.cols, n = sorted.points.size();
  const Array<double> design(device, with_constant(x), x.rows, p);
  const Array<double> basis =
      kernel_matrix(device, kernel_t(model), sorted.points.t, model.grid, model.dimensions);
  const RaggedOnDevice rows(device, sorted.points.first, sorted.points.curve);
  RaggedRidge ridge(device, rows.rows(), design.view(), basis.view(), options.lambda);
  const Array<double> y(device, sorted.y, n, 1);
  Array<double> b(device, p, model.grid_points), theta(device, p, model.grid_points);
  ridge.apply_transpose(y.view(), b.view());
  model.report = ridge.solve(options.solver, b.view(), theta.view());
  warn_unless_converged(model.report);
  model.theta = theta.to_host();
  return model;
}

std::vector<double> FlmModel::predict(Device& device, MatrixView<const double> x_new,
                                      MatrixView<const double> t_new) const {
  const Array<double> z = coefficients_of(device, *this, x_new);
  check_matrix("t", t_new);
  check_columns("t", t_new.cols, dimensions);
  notice_outside(grid, t_new);
  const Array<double> k_t =
      kernel_matrix(device, kernel_t(*this), contiguous(t_new), grid, dimensions);
  Array<double> out(device, x_new.rows, t_new.rows);
  linalg<double>(device).gemm(1, z.view(), Op::none, k_t.view(), Op::transpose, 0, out.view());
  return out.to_host();
}

std::vector<double> FlmModel::predict(Device& device, MatrixView<const double> x_new,
                                      const CurvePoints& points) const {
  const Array<double> z = coefficients_of(device, *this, x_new);
  const SortedPoints sorted = sort_points(points, x_new.rows);
  check_columns("t", sorted.dimensions, dimensions);
  notice_outside(grid, points.t);
  return values_at(device, sorted, z.view(),
                   kernel_matrix(device, kernel_t(*this), sorted.t, grid, dimensions).view());
}

}  // namespace kronite::krfd
