// Factors of the posterior covariance (docs/krfd.md names them).
#include "krfd/posterior.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/fail.hpp"           // for fail
#include "device/attachments.hpp"  // for Attachments

namespace kronite::krfd {
namespace {

std::vector<double> inverse_roots(const std::vector<double>& values) {
  return each(values, [](double value) { return 1 / std::sqrt(value); });
}

/// T lambda_M + R'QR with M = R R', decomposed, so that p and w are p'p = m'S^-1 m, and so on.
Posterior::Constant joint_constant(Device& device, Spectra& spectra, const Solution& solution,
                                   const Hyperparameters& hyper) {
  const Spectrum &g = spectra.g(), &m = spectra.m(device);
  const Matrix root =
      on_device(device, each(m.range_values(), [](double value) { return std::sqrt(value); }));
  Matrix r = product(device, g.vectors.view(), Op::transpose, m.range(), Op::none);  // U'R
  functional(device).scale(1, {}, r.view(), root.vector(), 0, r.view());
  const Matrix q = on_device(device, solution.q);
  const Matrix q_r = scaled(device, q.vector(), r.view(), {});
  Matrix inner = product(device, r.view(), Op::transpose, q_r.view(), Op::none);
  const Spectrum e = spectrum_of(device, std::move(inner));
  const Matrix weight = on_device(
      device, each(e.values, [&](double value) { return 1 / std::sqrt(value + solution.theta); }));
  const Matrix along = scaled(device, {}, e.vectors.view(), weight.vector());

  const Matrix smoother =
      on_device(device, each(g.values, [&](double s) { return 1 / (s + hyper.lambda_g); }));
  functional(device).scale(1, smoother.vector(), r.view(), {}, 0, r.view());
  const Matrix across = product(device, r.view(), Op::none, along.view(), Op::none);
  const Matrix inverse_root = on_device(device, inverse_roots(m.range_values()));
  return {scaled(device, inverse_root.vector(), along.view(), {}),
          product(device, g.vectors.view(), Op::none, across.view(), Op::none)};
}

/// The original's: the constants given the variation.
Posterior::Constant independent_constant(Device& device, Spectra& spectra,
                                         const Hyperparameters& hyper) {
  const std::vector<double> m = spectra.m(device).range_values();
  const auto points = static_cast<double>(spectra.data().points);
  return {
      on_device(device,
                inverse_roots(each(
                    m, [&](double value) { return points * value * (value + hyper.lambda_m); }))),
      Matrix(device, 0, 0)};
}

/// k(x, X) times the eigenvectors in the range of a Gram matrix.
Matrix in_range(Device& device, const Kernel& kernel, const Spectrum& spectrum,
                MatrixView<const double> x, MatrixView<const double> known,
                const std::vector<double>& root) {
  const Matrix k = cross_gram(device, kernel, x, known, root);
  return product(device, k.view(), Op::none, spectrum.range(), Op::none);
}

/// k(x, x) = 1 less the part in the span, over lambda.
std::vector<double> rest_of(Device& device, const Spectrum& spectrum, double lambda,
                            MatrixView<const double> in_range) {
  const Matrix weight = on_device(device, inverse_roots(spectrum.range_values()));
  const Matrix part = scaled(device, {}, in_range, weight.vector());
  return each(row_dots(device, part.view(), part.view()),
              [&](double norm) { return std::max(0.0, 1 - norm) / lambda; });
}

/// Scales the columns of k(x, X) U to phi, or of k(t, t) V to F.
void to_factor(Device& device, const Spectrum& spectrum, double lambda, Matrix& in_range) {
  const Matrix weight = on_device(
      device, inverse_roots(each(spectrum.range_values(),
                                 [&](double value) { return value * (value + lambda); })));
  functional(device).scale(1, {}, in_range.view(), weight.vector(), 0, in_range.view());
}

}  // namespace

const Solution& Posterior::solution(Device& device) const {
  if (!solution_) solution_.emplace(solve(device, *spectra_, hyper_));
  return *solution_;
}

const Posterior::Constant& Posterior::constant(Device& device, PosteriorForm form) const {
  if (form == PosteriorForm::joint) {
    if (!joint_ && nystrom_)
      joint_.emplace(Constant{nystrom_->along(device, form), nystrom_->across(device)});
    if (!joint_) joint_.emplace(joint_constant(device, *spectra_, solution(device), hyper_));
    return *joint_;
  }
  if (!independent_ && nystrom_)
    independent_.emplace(Constant{nystrom_->along(device, form), Matrix(device, 0, 0)});
  if (!independent_) independent_.emplace(independent_constant(device, *spectra_, hyper_));
  return *independent_;
}

void keep_spectra(Device& device, const std::shared_ptr<const Model::State>& state,
                  Spectra spectra) {
  device.attachments().get<Posterior>(state, [&] { return Posterior(std::move(spectra), *state); });
}

void keep_nystrom(Device& device, const std::shared_ptr<const Model::State>& state,
                  NystromModel nystrom) {
  device.attachments().get<Posterior>(
      state, [&] { return Posterior(device, std::move(nystrom), *state); });
}

const Posterior& posterior_of(Device& device, const std::shared_ptr<const Model::State>& state) {
  return device.attachments().get<Posterior>(state, [&] {
    const double tolerance = state->options.rank_tolerance;
    if (state->path == FitPath::nystrom)
      return Posterior(device,
                       NystromModel(device, state->data, state->basis_x(), state->hyper, tolerance),
                       *state);
    Spectra spectra(state->data, Spectra::Distances::forget, tolerance);
    spectra.use(device, state->hyper);
    return Posterior(std::move(spectra), *state);
  });
}

SystemFactors system_factors(Device& device, const Model::State& state, const Posterior& posterior,
                             MatrixView<const double> x, const PosteriorOptions& options) {
  const Data& data = state.data;
  const Spectrum &g = posterior.g(), &m = posterior.m(device);
  const Posterior::Constant& constant = posterior.constant(device, options.form);
  const Matrix k_g = cross_gram(device, state.hyper.g, x, state.basis_x(), state.basis_root());
  SystemFactors factors{product(device, k_g.view(), Op::none, g.range(), Op::none),
                        in_range(device, state.hyper.m, m, x, state.basis_x(), state.basis_root()),
                        Matrix(device, x.rows, constant.along.view().rows),
                        {},
                        {}};
  if (options.complete) {
    const double theta = static_cast<double>(data.points) * state.hyper.lambda_m;
    factors.phi_rest = rest_of(device, g, state.hyper.lambda_g, factors.phi.view());
    factors.p_rest = rest_of(device, m, theta, factors.p.view());
  }
  to_factor(device, g, state.hyper.lambda_g, factors.phi);
  if (constant.along.view().cols == 1) {
    functional(device).scale(1, {}, factors.p.view(), constant.along.vector(), 0, factors.p.view());
  } else {  // Through w, which is free still, as p is read.
    linalg<double>(device).gemm(1, factors.p.view(), Op::none, constant.along.view(), Op::none, 0,
                                factors.w.view());
    functional(device).scale(1, {}, factors.w.view(), {}, 0, factors.p.view());
  }
  if (constant.across.view().rows > 0)
    linalg<double>(device).gemm(1, k_g.view(), Op::none, constant.across.view(), Op::none, 0,
                                factors.w.view());
  else
    functional(device).scale(0, {}, factors.w.view(), {}, 0, factors.w.view());
  return factors;
}

PointFactors point_factors(Device& device, const Model::State& state, const Posterior& posterior,
                           MatrixView<const double> t, const PosteriorOptions& options) {
  const Data& data = state.data;
  const Spectrum& spectrum = posterior.t();
  const Matrix k = cross_gram(device, state.hyper.t, t, data.t_view(), {});
  const Matrix weight =
      on_device(device, each(posterior.v(), spectrum.values,
                             [&](double v, double d) { return v / (d + state.hyper.lambda_t); }));
  const Matrix side = product(device, spectrum.vectors.view(), Op::none, weight.view(), Op::none);
  PointFactors factors{product(device, k.view(), Op::none, spectrum.range(), Op::none),
                       product(device, k.view(), Op::none, side.view(), Op::none).to_host(),
                       {}};
  if (options.complete)
    factors.f_rest = rest_of(device, spectrum, state.hyper.lambda_t, factors.f.view());
  to_factor(device, spectrum, state.hyper.lambda_t, factors.f);
  return factors;
}

Matrix rest_gram(Device& device, const Kernel& kernel, const Spectrum& spectrum, double lambda,
                 MatrixView<const double> x, MatrixView<const double> known,
                 const std::vector<double>& root) {
  Matrix part = in_range(device, kernel, spectrum, x, known, root);
  const Matrix weight = on_device(device, inverse_roots(spectrum.range_values()));
  functional(device).scale(1, {}, part.view(), weight.vector(), 0, part.view());
  Matrix rest = gram(device, kernel, x, {});
  linalg<double>(device).gemm(-1 / lambda, part.view(), Op::none, part.view(), Op::transpose,
                              1 / lambda, rest.view());
  return rest;
}

void for_row_tiles(Device& device, std::int64_t rows, std::int64_t values,
                   const std::function<void(std::int64_t first, std::int64_t count)>& f) {
  Backend& backend = device.backend();
  std::int64_t fit = rows;
  if (backend.memory_limit() != 0) {
    const std::size_t left = backend.memory_limit() - backend.memory_in_use();
    fit = static_cast<std::int64_t>(left / 2 / sizeof(double)) / std::max<std::int64_t>(1, values);
  }
  constexpr std::int64_t kMost = 8192;
  const std::int64_t tile = std::max<std::int64_t>(1, std::min({fit, rows, kMost}));
  for (std::int64_t first = 0; first < rows; first += tile) f(first, std::min(tile, rows - first));
}

void check_exact(const Model::State& state, const char* what) {
  if (state.path == FitPath::nystrom)
    fail(Errc::invalid_argument,
         "{} of a Nystrom fit is asked for, which has coefficients of its centres only; an exact "
         "fit has it",
         what);
}

void check_question(const Model::State& state, MatrixView<const double> x,
                    MatrixView<const double> t) {
  check_matrix(x, "x", state.data.features);
  check_matrix(t, "t", state.data.coordinates);
}

}  // namespace kronite::krfd
