// What leaving systems out takes. omega = 1 - a_i b_j enters its equations only through
// H = (G + lambda_G)^-1 and W = sB lambda_G D^-1, D = (T - sB) G + T lambda_G, so that Cholesky
// factors do as well as the eigenvalues of G, at the speed of products.
#include "krfd/left_out.hpp"

#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "krfd/solution.hpp"   // for solve
#include "krfd/triangles.hpp"  // for inverse_root, square_of_upper

namespace kronite::krfd {
namespace {

AlongPoints along_points(Device& device, const Spectra& spectra, const Hyperparameters& hyper) {
  const Data& data = spectra.data();
  const Matrix& vectors = spectra.t().vectors;
  const std::vector<double>&d = spectra.t().values, &v = spectra.v();
  const std::vector<double> b = each(d, [&](double x) { return x / (x + hyper.lambda_t); });
  const std::vector<double> b_v = each(b, v, std::multiplies<>());
  const std::vector<double> rest_v =
      each(d, v, [&](double x, double y) { return hyper.lambda_t / (x + hyper.lambda_t) * y; });
  const double share = dot(b_v, v), remainder = dot(rest_v, v);

  const Matrix y(device, data.y, data.systems, data.points);
  Matrix curves = product(device, y.view(), Op::none, vectors.view(), Op::none);
  const std::vector<double> of_rest = times(device, curves.view(), Op::none, rest_v),
                            of_b = times(device, curves.view(), Op::none, b_v);
  const Matrix b_there = on_device(device, b);
  functional(device).scale(1, {}, curves.view(), b_there.vector(), 0, curves.view());
  return {share,
          remainder,
          product(device, curves.view(), Op::none, vectors.view(), Op::transpose),
          times(device, vectors.view(), Op::none, b_v),
          each(of_rest, [&](double x) { return x / remainder; }),
          each(of_b, [&](double x) { return x / share; })};
}

/// H and H Y B, which is in `smoothed` without H.
Matrix root_of_h(Device& device, MatrixView<const double> g, double lambda, Matrix& smoothed) {
  const Matrix l = shifted_factor(device, g, 1, lambda);
  linalg<double>(device).cholesky_solve(Side::left, l.view(), smoothed.view());
  return inverse_root(device, 1, l.view());
}

Matrix matrix_w(Device& device, MatrixView<const double> g, const AlongPoints& points,
                double lambda) {
  const double length = points.share + points.remainder;
  const auto root_of_d = [&] {
    const Matrix l = shifted_factor(device, g, points.remainder, length * lambda);
    return inverse_root(device, 1, l.view());
  };
  const Matrix root = root_of_d();
  return square_of_upper(device, points.share * lambda, root.view());
}

/// M <- M + theta Q^-1, the lower triangle. Q^-1 = (I - W) / (T - sB), or the sum (I + W G /
/// lambda_G) / T.
void add_inverse_of_q(Device& device, double theta, const AlongPoints& points, double lambda,
                      MatrixView<const double> g, MatrixView<const double> w,
                      MatrixView<double> m) {
  FunctionalOps& ops = functional(device);
  if (as_difference(theta, points.share, points.remainder)) {
    ops.scale(-theta / points.remainder, {}, w, {}, 1, m);
    ops.add_to_diagonal(theta / points.remainder, {}, m);
  } else {
    const double length = points.share + points.remainder;
    add_lower_product(device, theta / (length * lambda), w, g, m);
    ops.add_to_diagonal(theta / length, {}, m);
  }
}

}  // namespace

LeftOut left_out_by_factors(Device& device, Spectra& spectra, const Hyperparameters& hyper) {
  spectra.use_points(device, hyper);
  const Data& data = spectra.data();
  const double lambda = hyper.lambda_g, theta = static_cast<double>(data.points) * hyper.lambda_m;
  AlongPoints points = along_points(device, spectra, hyper);
  std::optional<Matrix> g(spectra.gram(device, hyper.g));
  Matrix smoothed = copy(device, points.y_b.view());
  Matrix h = root_of_h(device, g->view(), lambda, smoothed);
  Matrix w = matrix_w(device, g->view(), points, lambda);
  const auto w_times = [&](const std::vector<double>& x) {
    return times(device, w.view(), Op::none, x);
  };

  // Q^-1 r = (I - W) l + W YB1/sB, where I - W = (T - sB) / (sB lambda_G) (G + lambda_G) W.
  const std::vector<double> w_l = w_times(points.level), w_b = w_times(points.mean_b),
                            g_w_l = times(device, g->view(), Op::none, w_l);
  const double factor = points.remainder / (points.share * lambda);
  std::vector<double> right;
  for (std::size_t i = 0; i < w_l.size(); ++i)
    right.push_back(factor * (g_w_l[i] + lambda * w_l[i]) + w_b[i]);

  std::optional<Matrix> inner(same_kernel(hyper.g, hyper.m, data.features)
                                  ? copy(device, g->view())
                                  : spectra.gram(device, hyper.m));
  add_inverse_of_q(device, theta, points, lambda, g->view(), w.view(), inner->view());
  g.reset();
  linalg<double>(device).cholesky(inner->view());
  Matrix chi = inverse_root(device, std::sqrt(theta), inner->view());
  inner.reset();
  Matrix psi = times_upper(device, -1, w.view(), chi.view());

  std::vector<double> chi_with_all =
      times(device, chi.view(), Op::none, times(device, chi.view(), Op::transpose, right));
  std::vector<double> difference;
  for (std::size_t i = 0; i < chi_with_all.size(); ++i)
    difference.push_back(points.remainder * (points.level[i] - points.mean_b[i]) - chi_with_all[i]);
  std::vector<double> psi_with_all = w_times(difference);
  functional(device).scale(points.remainder, {}, w.view(), {}, 0, w.view());
  return {std::move(chi),
          std::move(psi),
          std::move(h),
          std::move(w),
          false,
          true,
          std::move(smoothed),
          std::move(points),
          std::move(chi_with_all),
          std::move(psi_with_all)};
}

LeftOut left_out_by_spectra(Device& device, Spectra& spectra, const Hyperparameters& hyper) {
  spectra.use(device, hyper);
  const Solution solution = solve(device, spectra, hyper);
  AlongPoints points = along_points(device, spectra, hyper);
  const Matrix& u = spectra.g().vectors;
  const std::vector<double> h =
      each(spectra.g().values, [&](double s) { return 1 / (s + hyper.lambda_g); });
  const std::vector<double> kappa =
      each(h, [&](double value) { return solution.share * hyper.lambda_g * value; });
  const auto scaled_u = [&](double factor, const std::vector<double>& column) {
    const Matrix there = on_device(device, column);
    Matrix out(device, u.view().rows, u.view().cols);
    functional(device).scale(factor, {}, u.view(), there.vector(), 0, out.view());
    return out;
  };
  const auto from_basis = [&](const std::vector<double>& x) {
    return times(device, u.view(), Op::none, x);
  };

  // theta J B^-1 J' with J = (U Q^1/2; -U kappa Q^-1/2), and U (T - sB) kappa / Q U'.
  const double root_theta = std::sqrt(solution.theta);
  Matrix chi = scaled_u(root_theta, solution.root_q),
         psi = scaled_u(-root_theta, each(kappa, solution.root_q, std::divides<>()));
  solution.divide_rows_by_root(device, chi);
  solution.divide_rows_by_root(device, psi);
  Matrix rest = scaled_u(1, each(kappa, solution.q, [&](double k, double q) {
                           return std::sqrt(solution.remainder * k / q);
                         }));
  Matrix root_h = scaled_u(1, each(h, [](double value) { return std::sqrt(value); }));

  const Matrix weight = on_device(device, h);
  Matrix smoothed(device, u.view().rows, spectra.data().points);
  {
    Matrix in_basis = product(device, u.view(), Op::transpose, points.y_b.view(), Op::none);
    functional(device).scale(1, weight.vector(), in_basis.view(), {}, 0, in_basis.view());
    linalg<double>(device).gemm(1, u.view(), Op::none, in_basis.view(), Op::none, 0,
                                smoothed.view());
  }
  const std::vector<double> mean_b = times(device, u.view(), Op::transpose, points.mean_b);
  std::vector<double> psi_with_all;
  for (std::size_t i = 0; i < kappa.size(); ++i)
    psi_with_all.push_back(kappa[i] * (solution.mu[i] - mean_b[i]));
  return {std::move(chi),
          std::move(psi),
          std::move(root_h),
          std::move(rest),
          true,
          false,
          std::move(smoothed),
          std::move(points),
          from_basis(each(solution.c, [&](double c) { return solution.theta * c; })),
          from_basis(psi_with_all)};
}

}  // namespace kronite::krfd
