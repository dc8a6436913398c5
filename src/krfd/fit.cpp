// Fitting: the path is chosen, the noise estimated, equal systems get their shares.
#include <cmath>
#include <optional>
#include <utility>

#include "base/fail.hpp"         // for fail
#include "base/log.hpp"          // for notice
#include "krfd/model_state.hpp"  // for Model::State
#include "krfd/posterior.hpp"    // for keep_spectra

namespace kronite::krfd {
namespace {

using State = Model::State;

bool finite(const std::vector<double>& values) {
  for (const double value : values)
    if (!std::isfinite(value)) return false;
  return true;
}

/// Coefficients of predictions, and what each of the systems as given has of them.
void hand_out(const FittedCoefficients& fitted, MatrixView<const double> y, State& state) {
  const Data& data = state.data;
  const auto points = static_cast<std::size_t>(data.points);
  state.theta_rows = fitted.theta;
  state.c_rows = fitted.c;
  for (std::size_t i = 0; i < fitted.c.size(); ++i) {
    const double root = data.root_of(static_cast<std::int64_t>(i));
    state.c_rows[i] *= root;
    for (std::size_t j = 0; j < points; ++j) state.theta_rows[i * points + j] *= root;
  }
  for (std::int64_t n = 0; n < data.given; ++n) {
    const auto i = static_cast<std::size_t>(data.row[static_cast<std::size_t>(n)]);
    const double root = data.root_of(static_cast<std::int64_t>(i)), weight = root * root;
    state.c.push_back(state.c_rows[i] / weight);
    for (std::size_t j = 0; j < points; ++j) {
      const std::size_t at = i * points + j;
      state.theta.push_back(state.theta_rows[at] / weight);
      // The mean of the equal ones is data.y / root.
      const double from_mean = data.root.empty() ? 0.0 : y.row(n)[j] - data.y[at] / root;
      state.residuals.push_back(from_mean + fitted.residuals[at] / root);
    }
  }
}

double noise_variance(const State& state, double quad) {
  const NoisePrior& prior = state.options.noise_prior;
  const double values = state.data.values();
  if (state.options.noise == NoiseRule::conjugate)
    return (prior.beta + quad / 2) / (prior.alpha + values / 2 - 1);
  const double squares = dot(state.residuals, state.residuals);
  return (squares + 2 * prior.beta) / (2 * prior.alpha + 2 + values);
}

}  // namespace

FitPath cheaper_path(const Data& data, const Hyperparameters& hyper, bool uncertainty) {
  const auto n = static_cast<double>(data.systems), points = static_cast<double>(data.points);
  const bool same = same_kernel(hyper.g, hyper.m, data.features);
  const double eigenvalues = 9 * (n * n * n + points * points * points);
  const double in_their_basis = same ? 0 : 13.0 / 3 * n * n * n;
  const double spectral = eigenvalues + in_their_basis + 6 * n * points * (n + points);
  const double cholesky =
      3 * n * n * n + points * points * points / 3 + 6 * n * n * points + 2 * n * points * points;
  const double afterwards = uncertainty ? eigenvalues + in_their_basis : 0;
  return cholesky + afterwards < spectral ? FitPath::cholesky : FitPath::spectral;
}

Model fit(Device& device, MatrixView<const double> x, MatrixView<const double> t,
          MatrixView<const double> y, const Hyperparameters& hyper, const FitOptions& options) {
  auto state = std::make_shared<State>();
  state->data = prepare(x, t, y, EqualRows::join);
  check(hyper, x.cols, t.cols);
  check(options.noise_prior);
  if (options.noise == NoiseRule::conjugate &&
      options.noise_prior.alpha + state->data.values() / 2 <= 1)
    fail(Errc::invalid_argument,
         "with alpha = {} of the noise's prior and {} value the noise has no mean variance",
         options.noise_prior.alpha, state->data.values());
  state->hyper = hyper;
  state->options = options;
  state->path = options.path == FitPath::automatic
                    ? cheaper_path(state->data, hyper, options.uncertainty)
                    : options.path;

  std::optional<FittedCoefficients> fitted;
  if (state->path == FitPath::cholesky) {
    try {
      fitted = fit_cholesky(device, state->data, hyper);
    } catch (const Error& e) {
      if (e.code() != Errc::numerical || options.path == FitPath::cholesky) throw;
      notice(fmt::format("{}; the eigenvalues are taken instead", e.what()));
      state->path = FitPath::spectral;
    }
  }
  if (!fitted) {
    Spectra spectra(state->data);
    fitted = fit_spectral(device, spectra, hyper);
    if (options.uncertainty) keep_spectra(device, state, std::move(spectra));
  }
  if (!finite(fitted->theta) || !finite(fitted->c))
    fail(Errc::numerical,
         "the coefficients are too large for double precision: lambda_g = {}, lambda_t = {} or "
         "lambda_m = {} is too small for these kernels",
         hyper.lambda_g, hyper.lambda_t, hyper.lambda_m);
  hand_out(*fitted, y, *state);
  if (!state->data.root.empty())
    for (std::int64_t i = 0; i < y.rows; ++i)
      state->y.insert(state->y.end(), y.row(i), y.row(i) + y.cols);
  state->sigma2 = noise_variance(*state, fitted->quad + state->data.spread);
  return Model(std::move(state));
}

}  // namespace kronite::krfd
