// Functions drawn from the posterior: products of its factors with normal numbers, so that their
// covariance is positive semi-definite whatever the rounding.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/fail.hpp"       // for fail
#include "krfd/posterior.hpp"  // for system_factors
#include "math/random.hpp"     // for Random

namespace kronite::krfd {
namespace {

/// [left | a root of `rest`]: its product with its transpose is left left' + rest.
Matrix with_rest(Device& device, MatrixView<const double> left, Matrix rest) {
  const Spectrum spectrum = spectrum_of(device, std::move(rest));
  const Matrix root =
      on_device(device, each(spectrum.values, [](double value) { return std::sqrt(value); }));
  Matrix both(device, left.rows, left.cols + left.rows);
  const MatrixView<double> all = both.view();
  functional(device).scale(1, {}, left, {}, 0, {all.data, left.rows, left.cols, all.ld, all.place});
  functional(device).scale(1, {}, spectrum.vectors.view(), root.vector(), 0,
                           {all.data + left.cols, left.rows, left.rows, all.ld, all.place});
  return both;
}

Matrix normal_matrix(Device& device, math::Random& random, std::int64_t rows, std::int64_t cols) {
  std::vector<double> values(static_cast<std::size_t>(rows * cols));
  for (double& value : values) value = random.normal();
  return Matrix(device, values, rows, cols);
}

}  // namespace

std::vector<double> Model::sample(Device& device, MatrixView<const double> x,
                                  MatrixView<const double> t, const SampleOptions& options) const {
  check_question(*state_, x, t);
  if (options.count < 0)
    fail(Errc::invalid_argument, "{} functions cannot be drawn", options.count);
  const PosteriorOptions& how = options.posterior;
  const Data& data = state_->data;
  const Posterior& posterior = posterior_of(device, state_);
  LinalgOps<double>& la = linalg<double>(device);
  const std::vector<double> mean = this->mean(device, x, t, how.part);
  const PointFactors points = point_factors(device, *state_, posterior, t, how);
  const SystemFactors systems = system_factors(device, *state_, posterior, x, how);
  Matrix phi = copy(device, systems.phi.view()), p = copy(device, systems.p.view()),
         f = copy(device, points.f.view());
  std::optional<Matrix> whole_phi, whole_p, whole_f;
  if (how.complete) {
    const double theta = static_cast<double>(data.points) * state_->hyper.lambda_m;
    const auto rest = [&](const Kernel& kernel, const Spectrum& spectrum, double lambda) {
      return rest_gram(device, kernel, spectrum, lambda, x, state_->basis_x(),
                       state_->basis_root());
    };
    whole_phi.emplace(with_rest(device, phi.view(),
                                rest(state_->hyper.g, posterior.g(), state_->hyper.lambda_g)));
    whole_p.emplace(with_rest(device, p.view(), rest(state_->hyper.m, posterior.m(device), theta)));
    whole_f.emplace(with_rest(device, f.view(),
                              rest_gram(device, state_->hyper.t, posterior.t(),
                                        state_->hyper.lambda_t, t, data.t_view(), {})));
  }
  const MatrixView<const double> phi_view = how.complete ? whole_phi->view() : phi.view(),
                                 p_view = how.complete ? whole_p->view() : p.view(),
                                 f_view = how.complete ? whole_f->view() : f.view();
  const Matrix beta(device, points.beta, 1, t.rows);
  const Matrix ones(device, std::vector<double>(static_cast<std::size_t>(t.rows), 1.0), 1, t.rows);
  const double sigma = std::sqrt(state_->sigma2);

  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(options.count) * mean.size());
  for (int n = 0; n < options.count; ++n) {
    math::Random random(options.seed, static_cast<std::uint64_t>(n));
    const Matrix of_variation = normal_matrix(device, random, phi_view.cols, f_view.cols);
    const Matrix of_constant = normal_matrix(device, random, p_view.cols, 1);
    Matrix out(device, std::vector<double>(mean.size(), 0.0), x.rows, t.rows);
    if (how.part != Part::constant) {
      const Matrix half = product(device, phi_view, Op::none, of_variation.view(), Op::none);
      la.gemm(sigma, half.view(), Op::none, f_view, Op::transpose, 1, out.view());
      const MatrixView<const double> z(of_constant.view().data, systems.w.view().cols, 1,
                                       device.place());
      const Matrix w = product(device, systems.w.view(), Op::none, z, Op::none);
      la.gemm(-sigma, w.view(), Op::none, beta.view(), Op::none, 1, out.view());
    }
    if (how.part != Part::variation) {
      const Matrix constant = product(device, p_view, Op::none, of_constant.view(), Op::none);
      la.gemm(sigma, constant.view(), Op::none, ones.view(), Op::none, 1, out.view());
    }
    const std::vector<double> drawn = out.to_host();
    for (std::size_t i = 0; i < drawn.size(); ++i)
      values.push_back(mean[i] + drawn[i] + (how.noise ? sigma * random.normal() : 0));
    if (options.progress && !options.progress(n + 1, options.count))
      fail(Errc::cancelled, "drawing was stopped");
  }
  return values;
}

}  // namespace kronite::krfd
