// Pieces that the files of KRSFD and of the functional linear model share.
#include "krfd/krsfd_parts.hpp"

#include "base/fail.hpp"  // for fmt::format
#include "base/log.hpp"   // for warning

namespace kronite::krfd {

std::vector<std::int64_t> curve_of_rows(const std::vector<std::int64_t>& first) {
  std::vector<std::int64_t> curve;
  for (std::size_t i = 0; i + 1 < first.size(); ++i)
    curve.resize(static_cast<std::size_t>(first[i + 1]), static_cast<std::int64_t>(i));
  return curve;
}

KrsfdParts::KrsfdParts(Device& device, const KrsfdModel& model)
    : curve(curve_of_rows(model.first)),
      rows(device, model.first, curve),
      gram(kernel_matrix(device, kernel_x(model), model.x, model.x, model.features)),
      basis(kernel_matrix(device, kernel_t(model), model.t, model.grid, model.dimensions)) {}

Array<double> dual_factor(Device& device, const KrsfdParts& parts, double lambda) {
  const auto n = static_cast<std::int64_t>(parts.curve.size());
  LinalgOps<double>& la = linalg<double>(device);
  Array<double> dual(device, n, n);
  const auto m = dual.view();
  {
    const MatrixView<const double> gram = parts.gram.view(), basis = parts.basis.view();
    Array<double> squared(device, gram.rows, gram.rows);
    la.gemm(1, gram, Op::none, gram, Op::transpose, 0, squared.view());
    la.gemm(1, basis, Op::none, basis, Op::transpose, 0, m);
    const auto curve = parts.rows.rows().curve;
    device.backend().ragged().multiply_by_curves(curve, curve, squared.view(), m);
  }
  add_to_diagonal(device, lambda, m);
  la.cholesky(m);
  return dual;
}

PointsOfCurves::PointsOfCurves(std::int64_t curves, MatrixView<const double> t)
    : dimensions_(t.cols) {
  const std::vector<double> once = contiguous(t);
  for (std::int64_t i = 0; i < curves; ++i) {
    curve_.insert(curve_.end(), static_cast<std::size_t>(t.rows), i);
    t_.insert(t_.end(), once.begin(), once.end());
  }
}

CurvePoints PointsOfCurves::points() const {
  const auto n = static_cast<std::int64_t>(curve_.size());
  return {{curve_.data(), n}, {t_.data(), n, dimensions_}};
}

void check_new_inputs(std::int64_t features, MatrixView<const double> x) {
  check_matrix("x", x);
  check_columns("x", x.cols, features);
}

void add_to_diagonal(Device& device, double value, MatrixView<double> m) {
  const Array<double> values(device, std::vector<double>(static_cast<std::size_t>(m.rows), value),
                             m.rows, 1);
  const Array<double> one(device, std::vector<double>{1}, 1, 1);
  // A diagonal is a column whose rows are one more than a row apart.
  device.backend().ragged().combine_blocks(one.vector(), values.view(), one.vector(),
                                           {m.data, m.rows, 1, m.ld + 1, m.place});
}

void warn_unless_converged(const SolverReport& report) {
  if (!report.converged)
    warning(fmt::format(
        "the solution has not converged: the residual is {:.1e} of the right-hand side after {} "
        "iterations",
        report.relative_residual, report.iterations));
}

std::vector<double> values_at(Device& device, const SortedPoints& points,
                              MatrixView<const double> z, MatrixView<const double> basis) {
  const RaggedOnDevice rows(device, points.first, points.curve);
  Array<double> values(device, points.size(), 1);
  device.backend().ragged().ragged_product(rows.rows(), basis, z, values.view());
  const std::vector<double> sorted = values.to_host();
  std::vector<double> out(sorted.size());
  for (std::size_t n = 0; n < out.size(); ++n)
    out[static_cast<std::size_t>(points.place[n])] = sorted[n];
  return out;
}

}  // namespace kronite::krfd
