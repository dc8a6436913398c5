// Weights of components, the equation of the constants, and what is left for the variation.
#include "krfd/solution.hpp"

#include <cmath>
#include <utility>

#include "base/fail.hpp"  // for fail

namespace kronite::krfd {
namespace {

/// Column k of the sums of smoothing.
std::vector<double> column(const std::vector<double>& sums, SmoothingSum k) {
  std::vector<double> values;
  values.reserve(sums.size() / kSmoothingSums);
  for (auto at = static_cast<std::size_t>(k); at < sums.size(); at += kSmoothingSums)
    values.push_back(sums[at]);
  return values;
}

/// B, decomposed.
void factorise(Device& device, Spectra& spectra, const Hyperparameters& hyper, Solution& solution) {
  if (spectra.diagonal()) {
    solution.factor_diagonal = each(spectra.g().values, solution.q,
                                    [&](double s, double q) { return solution.theta + q * s; });
    return;
  }
  const Matrix root = on_device(device, solution.root_q);
  solution.factor.emplace(
      scaled(device, root.vector(), spectra.constant_gram(device).view(), root.vector()));
  functional(device).add_to_diagonal(solution.theta, {}, solution.factor->view());
  linalg<double>(device).cholesky(solution.factor->view());
  try {
    device.synchronize();
  } catch (const Error& e) {
    if (e.code() != Errc::numerical) throw;
    fail(Errc::numerical,
         "lambda_m = {} is too small for double precision beside the Gram matrix of the kernel m: "
         "the equations of the constants are not positive definite",
         hyper.lambda_m);
  }
}

}  // namespace

double Solution::log_det_factor() const {
  double log_det = 0;
  for (const double value : factor_diagonal) log_det += (factor ? 2 : 1) * std::log(value);
  return log_det;
}

void Solution::divide_rows(Device& device, Matrix& x) const {
  if (factor) {
    linalg<double>(device).cholesky_solve(Side::right, factor->view(), x.view());
  } else {
    const Matrix inverse =
        on_device(device, each(factor_diagonal, [](double value) { return 1 / value; }));
    functional(device).scale(1, {}, x.view(), inverse.vector(), 0, x.view());
  }
}

void Solution::divide_rows_by_root(Device& device, Matrix& x) const {
  if (factor) {
    linalg<double>(device).triangular_solve(Side::right, Op::transpose, factor->view(), x.view());
  } else {
    const Matrix inverse =
        on_device(device, each(factor_diagonal, [](double value) { return 1 / std::sqrt(value); }));
    functional(device).scale(1, {}, x.view(), inverse.vector(), 0, x.view());
  }
}

Smoothing smoothing_of(const Spectra& spectra, const Hyperparameters& hyper) {
  return {spectra.g().values_there.vector(), spectra.t().values_there.vector(), hyper.lambda_g,
          hyper.lambda_t};
}

Solution solve(Device& device, Spectra& spectra, const Hyperparameters& hyper) {
  const Data& data = spectra.data();
  const Smoothing smoothing = smoothing_of(spectra, hyper);
  const std::vector<double>& v = spectra.v();
  const std::vector<double>& d = spectra.t().values;

  Solution result(copy(device, spectra.y().view()));
  result.theta = static_cast<double>(data.points) * hyper.lambda_m;
  for (std::size_t j = 0; j < v.size(); ++j) {
    result.share += v[j] * v[j] * (d[j] / (d[j] + hyper.lambda_t));
    result.remainder += v[j] * v[j] * (hyper.lambda_t / (d[j] + hyper.lambda_t));
  }

  Matrix sums_there(device, data.systems, kSmoothingSums);
  functional(device).smoothing_sums(smoothing, spectra.v_there().vector(), spectra.y().view(),
                                    sums_there.view());
  const std::vector<double> sums = sums_there.to_host();
  result.q = column(sums, kSumQ);
  result.root_q = each(result.q, [](double q) { return std::sqrt(q); });
  result.r = column(sums, kSumR);
  result.log_omega = sum(column(sums, kSumLog));
  result.over = column(sums, kSumOver);
  result.q2 = column(sums, kSumQ2);

  // c = Q^1/2 B^-1 Q^-1/2 r: symmetric, with eigenvalues not below theta.
  factorise(device, spectra, hyper, result);
  Matrix z(device, each(result.r, result.root_q, [](double r, double q) { return r / q; }), 1,
           data.systems);
  result.divide_rows(device, z);
  result.c = each(z.to_host(), result.root_q, [](double value, double q) { return value * q; });
  result.mu = spectra.constant_times(device, result.c);
  if (result.factor) result.factor_diagonal = diagonal(device, result.factor->view());

  const Matrix mu = on_device(device, result.mu);
  const MatrixView<const double> v_row(spectra.v_there().vector().data, 1, spectra.width(),
                                       device.place());
  linalg<double>(device).gemm(-1, mu.view(), Op::none, v_row, Op::none, 1, result.residual.view());
  Matrix weighed(device, data.systems, spectra.width());
  functional(device).smoothing_residual(smoothing, result.residual.view(), weighed.view());
  result.residual_quad = sum(row_dots(device, weighed.view(), result.residual.view())) +
                         result.theta * dot(result.c, result.mu);
  return result;
}

}  // namespace kronite::krfd
