// The maximum of the posterior by the eigenvalues of both Gram matrices.
#include "krfd/model_state.hpp"

namespace kronite::krfd {
namespace {

/// U X V' on the host. Waits.
std::vector<double> from_bases(Device& device, const Spectra& spectra, MatrixView<const double> x) {
  const Matrix ux = product(device, spectra.g().vectors.view(), Op::none, x, Op::none);
  return product(device, ux.view(), Op::none, spectra.t().vectors.view(), Op::transpose).to_host();
}

}  // namespace

FittedCoefficients fit_spectral(Device& device, Spectra& spectra, const Hyperparameters& hyper) {
  spectra.use(device, hyper);
  Solution solution = solve(device, spectra, hyper);

  const auto inverse = [&](const Spectrum& spectrum, double lambda) {
    return on_device(device, each(spectrum.values, [&](double s) { return 1 / (s + lambda); }));
  };
  const Matrix rows = inverse(spectra.g(), hyper.lambda_g),
               columns = inverse(spectra.t(), hyper.lambda_t);
  const Matrix theta = scaled(device, rows.vector(), solution.residual.view(), columns.vector());

  FittedCoefficients result;
  result.theta = from_bases(device, spectra, theta.view());
  result.c = times(device, spectra.g().vectors.view(), Op::none, solution.c);
  functional(device).smoothing_residual(smoothing_of(spectra, hyper), solution.residual.view(),
                                        solution.residual.view());
  result.residuals = from_bases(device, spectra, solution.residual.view());
  if (spectra.width() < spectra.data().points) {
    const Data& data = spectra.data();
    const Matrix y(device, data.y, data.systems, data.points);
    const std::vector<double> outside =
        curves_outside(device, spectra.points(), y.view()).to_host();
    for (std::size_t i = 0; i < outside.size(); ++i) result.residuals[i] += outside[i];
  }
  result.quad = solution.residual_quad + spectra.outside();
  return result;
}

}  // namespace kronite::krfd
