// The normal equations of curves of different lengths, their preconditioner, and the published
// solver.
#include "krfd/krsfd_ridge.hpp"

#include <algorithm>
#include <cmath>

#include "device/scratch.hpp"            // for Scratch
#include "krfd/conjugate_gradients.hpp"  // for conjugate_gradients, Factors, Dots

namespace kronite::krfd {
namespace {

/// The blocks of a matrix without gaps under each other instead of side by side.
template <class T>
MatrixView<T> stacked(MatrixView<T> m, std::int64_t width) {
  return {m.data, m.rows * (m.cols / width), width, m.place};
}

void copy(Device& device, MatrixView<const double> from, MatrixView<double> to) {
  device.backend().copy(to.data, to.place, from.data, from.place,
                        static_cast<std::size_t>(to.rows * to.cols) * sizeof(double));
}

}  // namespace

RaggedOnDevice::RaggedOnDevice(Device& device, const std::vector<std::int64_t>& first,
                               const std::vector<std::int64_t>& curve)
    : first_(device, first, static_cast<std::int64_t>(first.size()), 1),
      curve_(device, curve, static_cast<std::int64_t>(curve.size()), 1) {}

RaggedRidge::RaggedRidge(Device& device, const RaggedRows& rows, MatrixView<const double> design,
                         MatrixView<const double> basis, double lambda)
    : device_(device), curves_(rows), design_(design), basis_(basis), lambda_(lambda) {}

void RaggedRidge::apply(MatrixView<const double> theta, MatrixView<double> values) {
  const Scratch<double> z(device_.backend(), design_.rows, theta.cols);
  linalg<double>(device_).gemm(1, design_, Op::none, theta, Op::none, 0, z.matrix());
  device_.backend().ragged().ragged_product(curves_, basis_, z.matrix(), values);
}

void RaggedRidge::apply_transpose(MatrixView<const double> r, MatrixView<double> out) {
  const Scratch<double> z(device_.backend(), design_.rows, out.cols);
  device_.backend().ragged().ragged_transpose_product(curves_, basis_, r, z.matrix());
  linalg<double>(device_).gemm(1, design_, Op::transpose, z.matrix(), Op::none, 0, out);
}

void RaggedRidge::apply_normal(MatrixView<const double> theta, MatrixView<double> out) {
  const Scratch<double> z(device_.backend(), design_.rows, theta.cols);
  const Scratch<double> values(device_.backend(), rows(), theta.cols / basis_functions());
  RaggedOps& ragged = device_.backend().ragged();
  linalg<double>(device_).gemm(1, design_, Op::none, theta, Op::none, 0, z.matrix());
  ragged.ragged_product(curves_, basis_, z.matrix(), values.matrix());
  ragged.ragged_transpose_product(curves_, basis_, values.matrix(), z.matrix());
  copy(device_, theta, out);
  linalg<double>(device_).gemm(1, design_, Op::transpose, z.matrix(), Op::none, lambda_, out);
}

void RaggedRidge::make_spectrum() {
  if (spectrum_) return;
  const std::int64_t p = width(), k = basis_functions();
  spectrum_ = std::make_unique<Spectrum>(
      Spectrum{Array<double>(device_, p, p), Array<double>(device_, p, 1),
               Array<double>(device_, k, k), Array<double>(device_, k, 1)});
  LinalgOps<double>& la = linalg<double>(device_);
  la.gemm(1, design_, Op::transpose, design_, Op::none, 0, spectrum_->u.view());
  la.eigh(spectrum_->u.view(), spectrum_->w.vector());
  la.gemm(1 / static_cast<double>(design_.rows), basis_, Op::transpose, basis_, Op::none, 0,
          spectrum_->v.view());
  la.eigh(spectrum_->v.view(), spectrum_->d.vector());
  // Rounding may leave small negative numbers, which must not meet a small lambda.
  for (Array<double>* values : {&spectrum_->w, &spectrum_->d}) {
    std::vector<double> host = values->to_host();
    for (double& value : host) value = std::max(value, 0.0);
    device_.backend().copy(values->vector().data, device_.place(), host.data(), Place{},
                           host.size() * sizeof(double));
  }
}

void RaggedRidge::precondition(MatrixView<const double> r, MatrixView<double> z,
                               MatrixView<double> work) {
  LinalgOps<double>& la = linalg<double>(device_);
  const Spectrum& s = *spectrum_;
  const std::int64_t k = basis_functions();
  la.gemm(1, s.u.view(), Op::transpose, r, Op::none, 0, work);
  la.gemm(1, stacked<const double>(work, k), Op::none, s.v.view(), Op::none, 0, stacked(z, k));
  device_.backend().ragged().divide_by_spectrum(s.w.vector(), s.d.vector(), lambda_, z);
  la.gemm(1, stacked<const double>(z, k), Op::none, s.v.view(), Op::transpose, 0, stacked(work, k));
  la.gemm(1, s.u.view(), Op::none, work, Op::none, 0, z);
}

SolverReport RaggedRidge::solve(const SolverOptions& options, MatrixView<const double> b,
                                MatrixView<double> theta) {
  make_spectrum();
  Array<double> work(device_, theta.rows, theta.cols);
  return conjugate_gradients(
      device_, theta.cols / basis_functions(),
      [&](MatrixView<const double> x, MatrixView<double> out) { apply_normal(x, out); },
      [&](MatrixView<const double> r, MatrixView<double> z) { precondition(r, z, work.view()); },
      options, b, theta);
}

SolverReport RaggedRidge::solve_as_published(double tolerance, int iterations,
                                             MatrixView<const double> b, MatrixView<double> theta) {
  Array<double> residual(device_, theta.rows, theta.cols), step(device_, theta.rows, theta.cols);
  Array<double> product(device_, theta.rows, theta.cols);
  const auto r = residual.view(), p = step.view();
  RaggedOps& ragged = device_.backend().ragged();
  Factors alpha_there(device_, 1), beta_there(device_, 1);
  Dots dot(device_, 1);
  const auto combine = [&](double alpha, MatrixView<const double> x, double beta,
                           MatrixView<double> y) {
    ragged.combine_blocks(alpha_there({alpha}), x, beta_there({beta}), y);
  };

  const auto values = static_cast<double>(theta.rows * theta.cols);
  const std::vector<double> start(static_cast<std::size_t>(theta.rows * theta.cols), 0.1);
  const Array<double> first(device_, start, theta.rows, theta.cols);
  copy(device_, first.view(), theta);
  apply_normal(theta, r);
  combine(1, b, -1, r);
  combine(1, r, 0, p);
  const double target = dot(b, b)[0];
  double left = dot(r, r)[0];
  SolverReport report;
  while (left / values > tolerance && report.iterations < iterations) {
    apply_normal(p, product.view());
    const double alpha = left / dot(p, product.view())[0];
    combine(alpha, p, 1, theta);
    combine(-alpha, product.view(), 1, r);
    const double next = dot(r, r)[0], beta = next / left;
    check_finite({next});
    // There, step and residual are one array until the first step is done, so that the second
    // direction is the new residual alone, stretched.
    if (report.iterations == 0)
      combine(1 + beta, r, 0, p);
    else
      combine(1, r, beta, p);
    left = next;
    ++report.iterations;
  }
  report.relative_residual = target > 0 ? std::sqrt(left / target) : 0;
  report.converged = left / values <= tolerance;
  return report;
}

std::int64_t RaggedRidge::systems_that_fit(std::int64_t most) const {
  const Backend& b = device_.backend();
  if (b.memory_limit() == 0) return most;
  // theta, the right-hand side, and what solve() and the products hold, in half of what is left.
  const std::int64_t values = 9 * (width() + design_.rows) * basis_functions() + 4 * rows();
  const auto left = static_cast<std::int64_t>(b.memory_limit() - b.memory_in_use()) / 2;
  return std::clamp<std::int64_t>(left / (values * static_cast<std::int64_t>(sizeof(double))), 1,
                                  most);
}

}  // namespace kronite::krfd
