// Fitted models: expected values, bands and covariances.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/fail.hpp"       // for fail
#include "krfd/posterior.hpp"  // for Posterior

namespace kronite::krfd {
namespace {

/// Norms and products of p and w of each system: the 2 x 2 blocks of the constants.
struct Blocks {
  std::vector<double> first, along, rest, u;
};

/// (p - beta w)' (p - beta w) = (first + along beta)^2 + (rest beta)^2, a Cholesky factor.
Blocks blocks_of(Device& device, const SystemFactors& factors, Part part) {
  Blocks b;
  b.u = row_dots(device, factors.phi.view(), factors.phi.view());
  std::vector<double> e0 = row_dots(device, factors.p.view(), factors.p.view());
  const std::vector<double> e1 = row_dots(device, factors.p.view(), factors.w.view()),
                            e2 = row_dots(device, factors.w.view(), factors.w.view());
  for (std::size_t i = 0; i < e0.size(); ++i) {
    if (!factors.phi_rest.empty()) b.u[i] += factors.phi_rest[i];
    if (!factors.p_rest.empty()) e0[i] += factors.p_rest[i];
    const double first = part == Part::variation ? 0 : std::sqrt(e0[i]);
    const double along = part == Part::total && first > 0 ? -e1[i] / first : 0;
    const double rest = part == Part::constant ? 0 : e2[i] - along * along;
    if (part == Part::constant) b.u[i] = 0;
    b.first.push_back(first);
    b.along.push_back(along);
    b.rest.push_back(std::sqrt(std::max(0.0, rest)));
  }
  return b;
}

/// W = F F' and what completion adds to it, on the host. Waits.
std::vector<double> point_gram(Device& device, const Model::State& state,
                               const Posterior& posterior, MatrixView<const double> t,
                               const PointFactors& points, bool complete) {
  Matrix w = product(device, points.f.view(), Op::none, points.f.view(), Op::transpose);
  if (complete) {
    const Matrix rest = rest_gram(device, state.hyper.t, posterior.t(), state.hyper.lambda_t, t,
                                  state.data.t_view(), {});
    functional(device).scale(1, {}, rest.view(), {}, 1, w.view());
  }
  return w.to_host();
}

double noise_of(const Model::State& state, const PosteriorOptions& options) {
  return options.noise ? state.sigma2 : 0.0;
}

}  // namespace

Model::Model(std::shared_ptr<const State> state) : state_(std::move(state)) {}

const Hyperparameters& Model::hyperparameters() const { return state_->hyper; }
std::int64_t Model::systems() const { return state_->data.given; }
std::int64_t Model::points() const { return state_->data.points; }
std::int64_t Model::features() const { return state_->data.features; }
std::int64_t Model::coordinates() const { return state_->data.coordinates; }
FitPath Model::path() const { return state_->path; }
const FitReport& Model::report() const { return state_->report; }
double Model::sigma2() const { return state_->sigma2; }
const std::vector<double>& Model::t() const { return state_->data.t; }
const std::vector<double>& Model::theta() const { return state_->theta; }
const std::vector<double>& Model::c() const { return state_->c; }
const std::vector<double>& Model::residuals() const { return state_->residuals; }

std::vector<double> Model::mean(Device& device, MatrixView<const double> x,
                                MatrixView<const double> t, Part part) const {
  check_question(*state_, x, t);
  const Data& data = state_->data;
  LinalgOps<double>& la = linalg<double>(device);
  const MatrixView<const double> basis = state_->basis_x();
  const Matrix theta(device, state_->theta_rows, basis.rows, data.points);
  const Matrix along = cross_gram(device, state_->hyper.t, data.t_view(), t, {});
  const Matrix curves = product(device, theta.view(), Op::none, along.view(), Op::none);
  const Matrix c = on_device(device, state_->c_rows);
  const std::vector<double> ones(static_cast<std::size_t>(t.rows), 1.0);
  const Matrix ones_there(device, ones, 1, t.rows);

  std::vector<double> values(static_cast<std::size_t>(x.rows * t.rows));
  for_row_tiles(
      device, x.rows, 2 * basis.rows + 2 * t.rows, [&](std::int64_t first, std::int64_t count) {
        const MatrixView<const double> rows = x.rows_from(first, count);
        Matrix out(device, std::vector<double>(static_cast<std::size_t>(count * t.rows), 0.0),
                   count, t.rows);
        if (part != Part::constant) {
          const Matrix k = cross_gram(device, state_->hyper.g, rows, basis, {});
          la.gemm(1, k.view(), Op::none, curves.view(), Op::none, 1, out.view());
        }
        if (part != Part::variation) {
          const Matrix k = cross_gram(device, state_->hyper.m, rows, basis, {});
          const Matrix mu = product(device, k.view(), Op::none, c.view(), Op::none);
          la.gemm(1, mu.view(), Op::none, ones_there.view(), Op::none, 1, out.view());
        }
        const std::vector<double> tile = out.to_host();
        std::copy(tile.begin(), tile.end(), values.begin() + first * t.rows);
      });
  return values;
}

std::vector<double> Model::deviation(Device& device, MatrixView<const double> x,
                                     MatrixView<const double> t,
                                     const PosteriorOptions& options) const {
  check_question(*state_, x, t);
  const Posterior& posterior = posterior_of(device, state_);
  const PointFactors points = point_factors(device, *state_, posterior, t, options);
  std::vector<double> w = row_dots(device, points.f.view(), points.f.view());
  for (std::size_t j = 0; j < points.f_rest.size(); ++j) w[j] += points.f_rest[j];
  const Matrix w_there = on_device(device, w), beta = on_device(device, points.beta);

  std::vector<double> values(static_cast<std::size_t>(x.rows * t.rows));
  for_row_tiles(
      device, x.rows, 6 * state_->basis_x().rows + t.rows,
      [&](std::int64_t first, std::int64_t count) {
        const Blocks b = blocks_of(
            device, system_factors(device, *state_, posterior, x.rows_from(first, count), options),
            options.part);
        const Matrix u = on_device(device, b.u), b_first = on_device(device, b.first),
                     along = on_device(device, b.along), rest = on_device(device, b.rest);
        Matrix out(device, count, t.rows);
        functional(device).band(
            {u.vector(), w_there.vector(), b_first.vector(), along.vector(), rest.vector(),
             beta.vector(), state_->sigma2, noise_of(*state_, options)},
            out.view());
        const std::vector<double> tile = out.to_host();
        std::copy(tile.begin(), tile.end(), values.begin() + first * t.rows);
      });
  return values;
}

std::vector<double> Model::covariance(Device& device, MatrixView<const double> x,
                                      MatrixView<const double> t,
                                      const PosteriorOptions& options) const {
  check_question(*state_, x, t);
  const Posterior& posterior = posterior_of(device, state_);
  const PointFactors points = point_factors(device, *state_, posterior, t, options);
  const std::vector<double> w = point_gram(device, *state_, posterior, t, points, options.complete);
  const auto length = static_cast<std::size_t>(t.rows);
  const double noise = noise_of(*state_, options);

  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(x.rows) * length * length);
  for_row_tiles(
      device, x.rows, 6 * state_->basis_x().rows, [&](std::int64_t first, std::int64_t count) {
        const Blocks b = blocks_of(
            device, system_factors(device, *state_, posterior, x.rows_from(first, count), options),
            options.part);
        for (std::size_t i = 0; i < b.u.size(); ++i)
          for (std::size_t j = 0; j < length; ++j)
            for (std::size_t k = 0; k < length; ++k) {
              const double bj = points.beta[j], bk = points.beta[k];
              const double share = b.u[i] * w[j * length + k] +
                                   (b.first[i] + b.along[i] * bj) * (b.first[i] + b.along[i] * bk) +
                                   b.rest[i] * bj * b.rest[i] * bk;
              values.push_back(state_->sigma2 * share + (j == k ? noise : 0));
            }
      });
  return values;
}

std::vector<double> Model::joint_covariance(Device& device, MatrixView<const double> x,
                                            MatrixView<const double> t,
                                            const PosteriorOptions& options) const {
  check_question(*state_, x, t);
  const Data& data = state_->data;
  const Posterior& posterior = posterior_of(device, state_);
  const PointFactors points = point_factors(device, *state_, posterior, t, options);
  const std::vector<double> w = point_gram(device, *state_, posterior, t, points, options.complete);
  const SystemFactors factors = system_factors(device, *state_, posterior, x, options);
  const auto gram_of = [&](const Matrix& a, const Matrix& b) {
    return product(device, a.view(), Op::none, b.view(), Op::transpose);
  };
  Matrix u = gram_of(factors.phi, factors.phi), pp = gram_of(factors.p, factors.p);
  if (options.complete) {
    const double theta = static_cast<double>(data.points) * state_->hyper.lambda_m;
    functional(device).scale(
        1, {},
        rest_gram(device, state_->hyper.g, posterior.g(), state_->hyper.lambda_g, x,
                  state_->basis_x(), state_->basis_root())
            .view(),
        {}, 1, u.view());
    functional(device).scale(1, {},
                             rest_gram(device, state_->hyper.m, posterior.m(device), theta, x,
                                       state_->basis_x(), state_->basis_root())
                                 .view(),
                             {}, 1, pp.view());
  }
  const std::vector<double> u_host = u.to_host(), pp_host = pp.to_host(),
                            pw = gram_of(factors.p, factors.w).to_host(),
                            ww = gram_of(factors.w, factors.w).to_host();
  const double with_u = options.part == Part::constant ? 0 : 1;
  const double with_p = options.part == Part::variation ? 0 : 1;

  const auto n = static_cast<std::size_t>(x.rows), length = static_cast<std::size_t>(t.rows);
  std::vector<double> values(n * length * n * length);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n; ++k)
      for (std::size_t j = 0; j < length; ++j)
        for (std::size_t l = 0; l < length; ++l) {
          const double bj = points.beta[j], bl = points.beta[l];
          const double share =
              with_u * (u_host[i * n + k] * w[j * length + l] + bj * bl * ww[i * n + k]) +
              with_p * pp_host[i * n + k] -
              with_u * with_p * (bl * pw[i * n + k] + bj * pw[k * n + i]);
          const bool same = i == k && j == l;
          values[((i * length + j) * n + k) * length + l] =
              state_->sigma2 * share + (same ? noise_of(*state_, options) : 0);
        }
  return values;
}

}  // namespace kronite::krfd
