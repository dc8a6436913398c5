// Either method, by its settings.
#include "krfd/irregular_method.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "krfd/hyper_numbers.hpp"  // for typical_distance
#include "math/random.hpp"         // for Random

namespace kronite::krfd {
namespace {

MatrixView<const double> grid_view(const LongCurves& curves, const std::vector<double>& grid) {
  return {grid.data(), std::ssize(grid) / curves.dimensions(), curves.dimensions()};
}

}  // namespace

AnyModel fit_settings(Device& device, const LongCurves& curves, const std::vector<double>& grid,
                      const IrregularSettings& settings) {
  const MatrixView<const double> at = grid_view(curves, grid);
  if (settings.ridge)
    return fit_krsfd(device, curves.x.view(), curves.observations(), at, settings.krsfd);
  return fit_irregular(device, curves.x.view(), curves.observations(), at, settings.hyper,
                       settings.options);
}

IrregularSettings suggested(IrregularSettings settings, const LongCurves& curves,
                            const std::vector<double>& grid) {
  constexpr double kLambda = 1e-2;
  const double of_x = typical_distance(curves.x.view()),
               of_t = typical_distance(grid_view(curves, grid));
  const auto stretch = [](Kernel& kernel, double length) {
    for (double& value : kernel.length_scales) value = length;
  };
  Hyperparameters& h = settings.hyper;
  stretch(h.g, of_x);
  stretch(h.t, of_t / 2);
  stretch(h.m, 2 * of_x);
  h.lambda_g = h.lambda_t = h.lambda_m = kLambda;
  settings.krsfd.sigma_x = of_x;
  settings.krsfd.sigma_t = of_t / 2;
  settings.krsfd.lambda = kLambda;
  return settings;
}

TunedSettings tune_settings(Device& device, const LongCurves& curves,
                            const std::vector<double>& grid, const IrregularSettings& start,
                            EvidenceTuning how) {
  const MatrixView<const double> at = grid_view(curves, grid);
  TunedSettings tuned;
  tuned.best = start;
  if (start.ridge) {
    KrsfdTuned found =
        tune_krsfd(device, curves.x.view(), curves.observations(), at, start.krsfd, how);
    tuned.best.krsfd = found.best.options;
    tuned.log_evidence = found.best.log_evidence;
    for (const KrsfdClimb& climb : found.climbs) tuned.evaluations += climb.evaluations;
    tuned.ridge = std::move(found.climbs);
    return tuned;
  }
  how.start = start.hyper;
  how.noise_prior = start.options.noise_prior;
  EvidenceTuned found = tune_irregular(device, curves.x.view(), curves.observations(), at, how);
  tuned.best.hyper = found.best.hyper;
  tuned.log_evidence = found.best.log_evidence;
  for (const EvidenceClimb& climb : found.climbs) tuned.evaluations += climb.evaluations;
  tuned.climbs = std::move(found.climbs);
  return tuned;
}

LongCurves some_systems(const LongCurves& curves, std::int64_t count, std::uint64_t seed) {
  if (count == 0 || count >= curves.x.rows) return curves;
  std::vector<std::int64_t> systems(static_cast<std::size_t>(curves.x.rows));
  std::iota(systems.begin(), systems.end(), 0);
  math::Random(seed).shuffle(std::span<std::int64_t>(systems));
  systems.resize(static_cast<std::size_t>(count));
  std::sort(systems.begin(), systems.end());
  return curves.rows(systems);
}

}  // namespace kronite::krfd
