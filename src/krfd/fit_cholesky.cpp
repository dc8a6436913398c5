// The maximum of the posterior by Cholesky factors alone: about a quarter of the operations of the
// spectral path for one fit. Sums below are ones of terms that are not below zero, with one
// exception that is taken where it costs little (as_difference()).
#include <optional>

#include "krfd/model_state.hpp"
#include "krfd/solution.hpp"   // for as_difference
#include "krfd/triangles.hpp"  // for shifted_factor, solve_lower

namespace kronite::krfd {

FittedCoefficients fit_cholesky(Device& device, const Data& data, const Hyperparameters& hyper) {
  LinalgOps<double>& la = linalg<double>(device);
  FunctionalOps& ops = functional(device);
  const std::int64_t n = data.systems, points = data.points;
  const auto length = static_cast<double>(points);
  const std::vector<double> ones(static_cast<std::size_t>(points), 1.0);

  // Along t: w = (T + lambda_T)^-1 1, so that (I - B) 1 = lambda_T w and B 1 = T w.
  const Matrix along = gram(device, hyper.t, data.t_view(), {});
  const Matrix along_factor = shifted_factor(device, along.view(), 1, hyper.lambda_t);
  Matrix w_there = on_device(device, ones);
  la.cholesky_solve(Side::left, along_factor.view(), w_there.view());
  const std::vector<double> w = w_there.to_host();
  const double remainder = hyper.lambda_t * sum(w);
  const double share = sum(times(device, along.view(), Op::none, w));

  // r = (Y - AYB) 1 = lambda_G H Y1 + lambda_T G H Y w.
  const Matrix g = gram(device, hyper.g, data.x_view(), data.root);
  const Matrix g_factor = shifted_factor(device, g.view(), 1, hyper.lambda_g);
  const Matrix y(device, data.y, n, points);
  std::vector<double> sides;  // 1 and w, in columns
  for (std::size_t j = 0; j < w.size(); ++j) sides.insert(sides.end(), {1.0, w[j]});
  const Matrix sides_there(device, sides, points, 2);
  Matrix h_y = product(device, y.view(), Op::none, sides_there.view(), Op::none);
  la.cholesky_solve(Side::left, g_factor.view(), h_y.view());
  Matrix r(device, n, 1);
  const MatrixView<const double> first(h_y.view().data, n, 1, 2, device.place());
  const MatrixView<const double> second(h_y.view().data + 1, n, 1, 2, device.place());
  la.gemm(hyper.lambda_t, g.view(), Op::none, second, Op::none, 0, r.view());
  ops.scale(hyper.lambda_g, {}, first, {}, 1, r.view());

  // Q^-1 r = (r + sB D^-1 G r) / T with D = (T - sB) G + T lambda_G.
  Matrix right = product(device, g.view(), Op::none, r.view(), Op::none);
  std::optional<Matrix> d(shifted_factor(device, g.view(), remainder, length * hyper.lambda_g));
  la.cholesky_solve(Side::left, d->view(), right.view());
  ops.scale(1 / length, {}, r.view(), {}, share / length, right.view());

  // (M + theta Q^-1) c = Q^-1 r, of which the lower triangle is enough. theta Q^-1 is theta (I - sB
  // lambda_G D^-1) / (T - sB) or, as a sum, lambda_M (I + sB D^-1 G).
  const double theta_m = length * hyper.lambda_m;
  const bool difference = as_difference(theta_m, share, remainder);
  const auto inverse_of_q = [&] {
    if (difference) {
      const Matrix root = inverse_root(device, 1, d->view());
      d.reset();
      return lower_square_of_upper(device, -theta_m * share * hyper.lambda_g / remainder,
                                   root.view());
    }
    Matrix x = copy(device, g.view());
    solve_lower(device, d->view(), x.view());
    d.reset();
    ops.scale(hyper.lambda_m * share, {}, x.view(), {}, 0, x.view());
    return x;
  };
  Matrix p = inverse_of_q();
  const bool same = same_kernel(hyper.g, hyper.m, data.features);
  const Matrix m = same ? Matrix(device, 0, 0) : gram(device, hyper.m, data.x_view(), data.root);
  const MatrixView<const double> m_view = same ? g.view() : m.view();
  ops.scale(1, {}, m_view, {}, 1, p.view());
  ops.add_to_diagonal(difference ? theta_m / remainder : hyper.lambda_m, {}, p.view());
  la.cholesky(p.view());
  la.cholesky_solve(Side::left, p.view(), right.view());
  const Matrix mu = product(device, m_view, Op::none, right.view(), Op::none);

  // Theta = H E (T + lambda_T)^-1 with E = Y - mu 1', and E - AEB = lambda_G H E + lambda_T G
  // Theta.
  Matrix e = copy(device, y.view());
  const Matrix ones_there(device, ones, 1, points);
  la.gemm(-1, mu.view(), Op::none, ones_there.view(), Op::none, 1, e.view());
  Matrix theta = copy(device, e.view());
  la.cholesky_solve(Side::left, g_factor.view(), theta.view());
  Matrix residuals = scaled(device, {}, theta.view(), {});
  la.cholesky_solve(Side::right, along_factor.view(), theta.view());
  la.gemm(hyper.lambda_t, g.view(), Op::none, theta.view(), Op::none, hyper.lambda_g,
          residuals.view());

  FittedCoefficients result;
  result.theta = theta.to_host();
  result.c = right.to_host();
  result.residuals = residuals.to_host();
  result.quad = sum(row_dots(device, e.view(), residuals.view())) +
                length * hyper.lambda_m * dot(result.c, mu.to_host());
  return result;
}

}  // namespace kronite::krfd
