// Conjugate gradients: one step for all systems, until the last one is there.
#include "krfd/conjugate_gradients.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"  // for fail

namespace kronite::krfd {

VectorView<const double> Factors::operator()(const std::vector<double>& values) {
  Backend& b = device_.backend();
  b.copy(there_.vector().data, b.place(), values.data(), Place{}, values.size() * sizeof(double));
  return there_.vector();
}

std::vector<double> Dots::operator()(MatrixView<const double> a, MatrixView<const double> b) {
  device_.backend().ragged().block_dots(a, b, there_.vector());
  return there_.to_host();
}

void check_finite(const std::vector<double>& values) {
  for (const double value : values)
    if (!std::isfinite(value))
      fail(Errc::numerical, "conjugate gradients: a number is no longer finite");
}

SolverReport conjugate_gradients(Device& device, std::int64_t systems, const SystemProduct& matrix,
                                 const SystemProduct& preconditioner, const SolverOptions& options,
                                 MatrixView<const double> b, MatrixView<double> x) {
  Array<double> residual(device, x.rows, x.cols), step(device, x.rows, x.cols);
  Array<double> z(device, x.rows, x.cols);
  const auto r = residual.view(), p = step.view();
  RaggedOps& ragged = device.backend().ragged();
  Factors alpha_there(device, systems), beta_there(device, systems);
  Dots dot(device, systems);
  const auto count = static_cast<std::size_t>(systems);
  const std::vector<double> ones(count, 1), zeros(count, 0);
  const auto combine = [&](const std::vector<double>& alpha, MatrixView<const double> of,
                           const std::vector<double>& beta, MatrixView<double> y) {
    ragged.combine_blocks(alpha_there(alpha), of, beta_there(beta), y);
  };

  const std::vector<double> target = dot(b, b);
  check_finite(target);
  combine(zeros, b, zeros, x);
  SolverReport report;
  // The residual that is carried along drifts from the true one. It is computed afresh when it is
  // small enough, and solving goes on where it is not.
  while (true) {
    matrix(x, r);
    combine(ones, b, std::vector<double>(count, -1), r);
    std::vector<double> left = dot(r, r);
    report.relative_residual = 0;
    for (std::size_t s = 0; s < count; ++s)
      if (target[s] > 0)
        report.relative_residual =
            std::max(report.relative_residual, std::sqrt(left[s] / target[s]));
    report.converged = report.relative_residual <= options.tolerance;
    if (report.converged || report.iterations >= options.max_iterations) return report;

    const double enough = options.tolerance * options.tolerance / 4;  // half the tolerance
    const auto open = [&](std::size_t s) { return left[s] > enough * target[s]; };
    preconditioner(r, z.view());
    combine(ones, z.view(), zeros, p);
    std::vector<double> rz = dot(r, z.view());
    std::vector<double> alpha(count), minus_alpha(count), beta(count);
    while (report.iterations < options.max_iterations) {
      matrix(p, z.view());
      const std::vector<double> curvature = dot(p, z.view());
      check_finite(curvature);
      for (std::size_t s = 0; s < count; ++s) {
        alpha[s] = open(s) && curvature[s] > 0 ? rz[s] / curvature[s] : 0;
        minus_alpha[s] = -alpha[s];
      }
      combine(alpha, p, ones, x);
      combine(minus_alpha, z.view(), ones, r);
      ++report.iterations;
      left = dot(r, r);
      check_finite(left);
      bool any = false;
      for (std::size_t s = 0; s < count; ++s) any |= open(s);
      if (!any) break;
      preconditioner(r, z.view());
      const std::vector<double> next = dot(r, z.view());
      for (std::size_t s = 0; s < count; ++s) beta[s] = open(s) && rz[s] > 0 ? next[s] / rz[s] : 0;
      rz = next;
      combine(ones, z.view(), beta, p);
    }
  }
}

}  // namespace kronite::krfd
