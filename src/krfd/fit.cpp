// Fitting: the path is chosen, the noise estimated, equal systems get their shares.
#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

#include "base/fail.hpp"          // for fail
#include "base/log.hpp"           // for notice
#include "base/side_by_side.hpp"  // for require_devices
#include "krfd/fit_scale.hpp"     // for NystromModel, fit_conjugate_gradients, fit_tiled
#include "krfd/model_state.hpp"   // for Model::State
#include "krfd/posterior.hpp"     // for keep_spectra

namespace kronite::krfd {
namespace {

using State = Model::State;

bool finite(const std::vector<double>& values) {
  for (const double value : values)
    if (!std::isfinite(value)) return false;
  return true;
}

/// Coefficients of predictions, and what each of the systems as given has of them. Of centres
/// they are what they are.
void hand_out_coefficients(const FittedCoefficients& fitted, State& state) {
  const Data& data = state.data;
  const auto points = static_cast<std::size_t>(data.points);
  state.theta_rows = fitted.theta;
  state.c_rows = fitted.c;
  if (!state.centres.empty()) {
    state.theta = fitted.theta;
    state.c = fitted.c;
    return;
  }
  for (std::size_t i = 0; i < fitted.c.size(); ++i) {
    const double root = data.root_of(static_cast<std::int64_t>(i));
    state.c_rows[i] *= root;
    for (std::size_t j = 0; j < points; ++j) state.theta_rows[i * points + j] *= root;
  }
  state.theta.reserve(static_cast<std::size_t>(data.given) * points);
  for (const std::int64_t row : data.row) {
    const auto i = static_cast<std::size_t>(row);
    const double root = data.root_of(row), weight = root * root;
    state.c.push_back(state.c_rows[i] / weight);
    for (std::size_t j = 0; j < points; ++j)
      state.theta.push_back(state.theta_rows[i * points + j] / weight);
  }
}

void hand_out_residuals(const std::vector<double>& residuals, MatrixView<const double> y,
                        State& state) {
  const Data& data = state.data;
  const auto points = static_cast<std::size_t>(data.points);
  state.residuals.reserve(static_cast<std::size_t>(data.given) * points);
  for (std::int64_t n = 0; n < data.given; ++n) {
    const auto i = static_cast<std::size_t>(data.row[static_cast<std::size_t>(n)]);
    const double root = data.root_of(static_cast<std::int64_t>(i));
    for (std::size_t j = 0; j < points; ++j) {
      const std::size_t at = i * points + j;
      // The mean of the equal ones is data.y / root.
      const double from_mean = data.root.empty() ? 0.0 : y.row(n)[j] - data.y[at] / root;
      state.residuals.push_back(from_mean + residuals[at] / root);
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

void check_scale(const FitOptions& options) {
  if (!(options.rank_tolerance >= 0) || !(options.rank_tolerance < 1))
    fail(Errc::invalid_argument, "a rank tolerance of {} was given; expected 0 or more, below 1",
         options.rank_tolerance);
  if (options.rank_tolerance > 0 &&
      (options.path == FitPath::cholesky || options.path == FitPath::tiled))
    fail(Errc::invalid_argument,
         "a rank tolerance was given for a fit by Cholesky factors, which has no eigenvalues");
  const ScaleOptions& scale = options.scale;
  if (scale.tile < 0)
    fail(Errc::invalid_argument, "tiles of {} rows were asked for; expected 1 or more, or 0",
         scale.tile);
  if (scale.centres < 1)
    fail(Errc::invalid_argument, "{} centres were asked for; expected one at least", scale.centres);
  if (!(scale.tolerance > 0) || !(scale.tolerance < 1))
    fail(Errc::invalid_argument,
         "a tolerance of {} was given; expected a number above 0 and below 1", scale.tolerance);
  if (scale.max_iterations < 1)
    fail(Errc::invalid_argument, "{} iterations were allowed; expected one at least",
         scale.max_iterations);
}

/// Root of the mean squared difference of expected curves between the model and one with half of
/// its centres.
double change_by_half(Device& device, const State& state, const NystromModel& model) {
  constexpr std::int64_t kMost = 1000;
  const Data& data = state.data;
  const MatrixView<const double> all = state.basis_x();
  const NystromModel half(device, data, all.rows_from(0, (all.rows + 1) / 2), state.hyper,
                          state.options.rank_tolerance);
  std::vector<std::int64_t> some;
  const std::int64_t count = std::min(kMost, data.systems);
  for (std::int64_t k = 0; k < count; ++k) some.push_back(k * data.systems / count);
  const std::vector<double> x = rows_of(data, some);
  const MatrixView<const double> systems(x.data(), count, data.features);
  const std::vector<double> with_all = model.fitted(device, systems),
                            with_half = half.fitted(device, systems);
  double squares = 0;
  for (std::size_t i = 0; i < with_all.size(); ++i)
    squares += (with_all[i] - with_half[i]) * (with_all[i] - with_half[i]);
  return std::sqrt(squares / static_cast<double>(with_all.size()));
}

FittedCoefficients fit_nystrom(Device& device, const std::shared_ptr<State>& state) {
  const Data& data = state->data;
  const ScaleOptions& scale = state->options.scale;
  state->centres = rows_of(data, draw_centres(data.systems, scale.centres, scale.seed));
  NystromModel model(device, data, state->basis_x(), state->hyper, state->options.rank_tolerance);
  NystromModel::Remainder rest = model.remainder(device, data);
  FitReport& report = state->report;
  report.rank_t = model.points().spectrum.rank();
  report.dropped_t = model.points().dropped_share(state->hyper.lambda_t);
  report.centres = state->basis_x().rows;
  report.missed_g = rest.missed_g;
  report.missed_m = rest.missed_m;
  report.change = change_by_half(device, *state, model);
  FittedCoefficients fitted{model.theta(device), model.c(device), std::move(rest.residuals),
                            rest.quad};
  if (state->options.uncertainty) keep_nystrom(device, state, std::move(model));
  return fitted;
}

/// Whether the path of the state gives way to tiles, with a notice.
bool given_to_tiles(const Device& device, const State& state) {
  const Data& data = state.data;
  const std::size_t left = memory_left(device);
  const bool same = same_kernel(state.hyper.g, state.hyper.m, data.features);
  const FitShape shape{data.systems, data.features, data.points, 0, same, left};
  FitOptions options = state.options;
  options.path = state.path;
  if (!better_in_tiles(device, shape, options)) return false;
  const double whole = fit_cost(shape, options).device_bytes;
  options.path = FitPath::tiled;
  notice(fmt::format(
      "the fit takes {:.1f} GB on {}, which has {:.1f} GB left for it: it is done in tiles, with "
      "{:.1f} GB of host memory",
      whole / 1e9, device.description(), static_cast<double>(left) / 1e9,
      fit_cost(shape, options).host_bytes / 1e9));
  return true;
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

namespace {

Model fit_on(std::span<Device> devices, MatrixView<const double> x, MatrixView<const double> t,
             MatrixView<const double> y, const Hyperparameters& hyper, const FitOptions& options) {
  Device& device = devices.front();
  auto state = std::make_shared<State>();
  state->data = prepare(x, t, y, EqualRows::join);
  check(hyper, x.cols, t.cols);
  check(options.noise_prior);
  check_scale(options);
  if (options.noise == NoiseRule::conjugate &&
      options.noise_prior.alpha + state->data.values() / 2 <= 1)
    fail(Errc::invalid_argument,
         "with alpha = {} of the noise's prior and {} value the noise has no mean variance",
         options.noise_prior.alpha, state->data.values());
  state->hyper = hyper;
  state->options = options;
  state->options.progress = {};  // it is of this call alone
  state->path = options.path != FitPath::automatic ? options.path
                : options.rank_tolerance > 0
                    ? FitPath::spectral
                    : cheaper_path(state->data, hyper, options.uncertainty);
  state->report.rank_t = state->data.points;
  if (options.path == FitPath::automatic && options.rank_tolerance == 0 && !options.uncertainty &&
      given_to_tiles(device, *state))
    state->path = FitPath::tiled;

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
  if (state->path == FitPath::tiled)
    fitted = fit_tiled(devices, state->data, hyper, options, state->report);
  else if (state->path == FitPath::nystrom)
    fitted = fit_nystrom(device, state);
  else if (state->path == FitPath::conjugate_gradients)
    fitted = fit_conjugate_gradients(device, state->data, hyper, options, state->report);
  if (!fitted) {
    Spectra spectra(state->data, Spectra::Distances::forget, options.rank_tolerance);
    fitted = fit_spectral(device, spectra, hyper);
    state->report.rank_t = spectra.t().rank();
    state->report.dropped_t = spectra.points().dropped_share(hyper.lambda_t);
    if (options.uncertainty) keep_spectra(device, state, std::move(spectra));
  }
  if (!finite(fitted->theta) || !finite(fitted->c))
    fail(Errc::numerical,
         "the coefficients are too large for double precision: lambda_g = {}, lambda_t = {} or "
         "lambda_m = {} is too small for these kernels",
         hyper.lambda_g, hyper.lambda_t, hyper.lambda_m);
  hand_out_coefficients(*fitted, *state);
  hand_out_residuals(fitted->residuals, y, *state);
  if (!state->data.root.empty())
    for (std::int64_t i = 0; i < y.rows; ++i)
      state->y.insert(state->y.end(), y.row(i), y.row(i) + y.cols);
  state->sigma2 = noise_variance(*state, fitted->quad + state->data.spread);
  return Model(std::move(state));
}

}  // namespace

Model fit(Device& device, MatrixView<const double> x, MatrixView<const double> t,
          MatrixView<const double> y, const Hyperparameters& hyper, const FitOptions& options) {
  return fit_on({&device, 1}, x, t, y, hyper, options);
}

Model fit(std::vector<Device>& devices, MatrixView<const double> x, MatrixView<const double> t,
          MatrixView<const double> y, const Hyperparameters& hyper, const FitOptions& options) {
  require_devices(devices.size());
  return fit_on(devices, x, t, y, hyper, options);
}

}  // namespace kronite::krfd
