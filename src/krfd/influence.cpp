// What a prediction hangs on: its derivatives by the training curves, and leverages.
#include <functional>

#include "krfd/posterior.hpp"  // for Posterior

namespace kronite::krfd {
namespace {

std::vector<double> smoother_of(const std::vector<double>& values, double lambda) {
  return each(values, [&](double s) { return s / (s + lambda); });
}

}  // namespace

// mean = alpha' (Y - M c 1') gamma + m'c with alpha = H g and gamma = (T + lambda_T)^-1 tau, and c
// is linear in r = (Y - AYB) 1, so that the derivative is alpha gamma' + e 1' - A e (B1)' with e =
// Q^-1 K^-1 (m - (1'gamma) M alpha).
std::vector<double> Model::influence(Device& device, MatrixView<const double> x,
                                     MatrixView<const double> t) const {
  check_exact(*state_, "the influence on a prediction");
  check_question(*state_, x, t);
  if (x.rows != 1 || t.rows != 1)
    throw Error(Errc::invalid_argument,
                "the influence on one prediction is asked for: x and t have one row each");
  const Data& data = state_->data;
  const Hyperparameters& hyper = state_->hyper;
  const Posterior& posterior = posterior_of(device, state_);
  const Spectrum &g = posterior.g(), &along = posterior.t();
  const Solution& solution = posterior.solution(device);
  const std::vector<double>& v = posterior.v();
  const auto in_basis = [&](const Kernel& kernel, const Spectrum& spectrum,
                            MatrixView<const double> point, MatrixView<const double> known,
                            const std::vector<double>& root) {
    const Matrix k = cross_gram(device, kernel, point, known, root);
    return product(device, k.view(), Op::none, spectrum.vectors.view(), Op::none).to_host();
  };

  const std::vector<double> alpha =
      each(in_basis(hyper.g, g, x, data.x_view(), data.root), g.values,
           [&](double k, double s) { return k / (s + hyper.lambda_g); });
  const std::vector<double> gamma =
      each(in_basis(hyper.t, along, t, data.t_view(), {}), along.values,
           [&](double k, double d) { return k / (d + hyper.lambda_t); });
  const double beta = dot(gamma, v);
  const std::vector<double> of_c = each(in_basis(hyper.m, g, x, data.x_view(), data.root),
                                        posterior.constant_times(device, alpha),
                                        [&](double m, double shared) { return m - beta * shared; });
  Matrix solved(device, each(of_c, solution.root_q, std::multiplies<>()), 1, data.systems);
  solution.divide_rows(device, solved);
  const std::vector<double> e = each(solved.to_host(), solution.root_q, std::divides<>());

  const auto from_g = [&](const std::vector<double>& values) {
    return times(device, g.vectors.view(), Op::none, values);
  };
  const auto from_t = [&](const std::vector<double>& values) {
    return times(device, along.vectors.view(), Op::none, values);
  };
  const std::vector<double> alpha_row = from_g(alpha), e_row = from_g(e),
                            a_e = from_g(each(smoother_of(g.values, hyper.lambda_g), e,
                                              std::multiplies<>())),
                            gamma_row = from_t(gamma),
                            ends = from_t(each(smoother_of(along.values, hyper.lambda_t), v,
                                               std::multiplies<>()));
  std::vector<double> result;
  for (const std::int64_t row : data.row) {
    const auto i = static_cast<std::size_t>(row);
    for (std::size_t j = 0; j < gamma_row.size(); ++j)
      result.push_back((alpha_row[i] * gamma_row[j] + e_row[i] - a_e[i] * ends[j]) /
                       data.root_of(row));
  }
  return result;
}

// d fit / d Y = I - S^-1 = A x B + Z x 11' - 2 AZ x B1 1' + AZA x B1 1'B on its diagonal, with
// Z = Q^-1/2 (I - theta B^-1) Q^-1/2 in the basis of G.
std::vector<double> Model::leverage(Device& device) const {
  check_exact(*state_, "the leverage of training values");
  const Data& data = state_->data;
  const Posterior& posterior = posterior_of(device, state_);
  const Spectrum &g = posterior.g(), &along = posterior.t();
  const Solution& solution = posterior.solution(device);
  const std::vector<double> a = smoother_of(g.values, state_->hyper.lambda_g),
                            b = smoother_of(along.values, state_->hyper.lambda_t);
  const auto weighed = [&](const Spectrum& spectrum, const std::vector<double>& column) {
    const Matrix there = on_device(device, column);
    return scaled(device, {}, spectrum.vectors.view(), there.vector());
  };
  const auto dots = [&](const Matrix& p, const Matrix& q) {
    return row_dots(device, p.view(), q.view());
  };
  const std::vector<double> a_diagonal = dots(weighed(g, a), g.vectors),
                            b_diagonal = dots(weighed(along, b), along.vectors),
                            ends = times(device, along.vectors.view(), Op::none,
                                         each(b, posterior.v(), std::multiplies<>()));
  const Matrix plain = weighed(g, each(solution.root_q, [](double q) { return 1 / q; })),
               smoothed = weighed(g, each(a, solution.root_q, std::divides<>()));
  Matrix plain_solved = copy(device, plain.view()), smoothed_solved = copy(device, smoothed.view());
  solution.divide_rows(device, plain_solved);
  solution.divide_rows(device, smoothed_solved);
  const auto less = [&](std::vector<double> whole, const std::vector<double>& part) {
    return each(whole, part, [&](double w, double p) { return w - solution.theta * p; });
  };
  const std::vector<double> z = less(dots(plain, plain), dots(plain_solved, plain)),
                            a_z = less(dots(smoothed, plain), dots(plain_solved, smoothed)),
                            a_z_a = less(dots(smoothed, smoothed), dots(smoothed_solved, smoothed));
  std::vector<double> result;
  for (const std::int64_t row : data.row) {
    const auto i = static_cast<std::size_t>(row);
    const double weight = data.root_of(row) * data.root_of(row);
    for (std::size_t j = 0; j < ends.size(); ++j)
      result.push_back((a_diagonal[i] * b_diagonal[j] + z[i] - 2 * a_z[i] * ends[j] +
                        a_z_a[i] * ends[j] * ends[j]) /
                       weight);
  }
  return result;
}

}  // namespace kronite::krfd
