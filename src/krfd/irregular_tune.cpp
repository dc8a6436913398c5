// Evidence and hyper-parameters of regressions on curves with points of their own.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "base/fail.hpp"             // for fail
#include "krfd/data.hpp"             // for check
#include "krfd/evidence_search.hpp"  // for check_search, climbing_options, counted_loss
#include "krfd/hyper_numbers.hpp"
#include "krfd/irregular.hpp"
#include "krfd/krsfd_parts.hpp"  // for dual_factor
#include "math/lbfgs.hpp"        // for minimise
#include "math/random.hpp"       // for Random

namespace kronite::krfd {
namespace {

/// The evidence at logarithms of hyper-parameters, and where a search for its largest value starts.
struct Climbable {
  std::function<double(const std::vector<double>& logarithms)> evidence;  ///< @throws numerical
  std::function<std::vector<double>(std::uint64_t number)> start;         ///< 0: the one given
};

struct Climb {
  std::vector<double> logarithms;
  double log_evidence = 0;
  int evaluations = 0;
  bool converged = false;
};

/// Step of the differences, in a logarithm. What a step of this size leaves out, about its half
/// times the second derivative, and the rounding of the evidence, some 1e-8 over the step, are both
/// about 1e-3.
constexpr double kStep = 3e-5;

std::vector<Climb> climb_all(const Climbable& climbable, const EvidenceTuning& how) {
  check_search(how);
  int evaluations = 0;
  const auto value_at = [&](const std::vector<double>& x) {
    return counted_loss(how, evaluations, [&] { return -climbable.evidence(x); });
  };
  const auto objective = [&](const std::vector<double>& x, std::vector<double>& gradient) {
    const double value = value_at(x);
    if (!std::isfinite(value)) return value;
    std::vector<double> moved = x;
    for (std::size_t k = 0; k < x.size(); ++k) {
      moved[k] = x[k] + kStep;
      gradient[k] = (value_at(moved) - value) / kStep;
      moved[k] = x[k];
      if (!std::isfinite(gradient[k])) return std::numeric_limits<double>::quiet_NaN();
    }
    return value;
  };
  std::vector<Climb> climbs;
  for (int n = 0; n < how.starts; ++n) {
    const std::vector<double> start = climbable.start(static_cast<std::uint64_t>(n));
    const int before = evaluations;
    math::Minimum found = math::minimise(objective, start, climbing_options(how, start));
    climbs.push_back(
        {std::move(found.x),
         std::isfinite(found.value) ? -found.value : std::numeric_limits<double>::quiet_NaN(),
         evaluations - before, found.converged});
  }
  return climbs;
}

/// The number of the best one. @throws Error numerical when all have failed.
std::size_t best_of(const std::vector<Climb>& climbs) {
  std::size_t best = 0;
  for (std::size_t n = 1; n < climbs.size(); ++n)
    if (!(climbs[n].log_evidence <= climbs[best].log_evidence) &&
        !std::isnan(climbs[n].log_evidence))
      best = n;
  if (std::isnan(climbs[best].log_evidence))
    fail(Errc::numerical, "none of {} starts has an evidence in double precision", climbs.size());
  return best;
}

double evidence_of(Device& device, const IrregularShape& shape, const SortedObservations& sorted,
                   const NoisePrior& noise) {
  const IrregularPrior prior(device, shape);
  const IrregularCovariance covariance(device, prior, sorted.points.first, sorted.points.t);
  const Matrix factor = covariance.factor();
  Matrix solved = on_device(device, sorted.y);
  linalg<double>(device).cholesky_solve(Side::left, factor.view(), solved.view());
  return log_evidence(noise, static_cast<double>(sorted.y.size()), logdet_of_factor(device, factor),
                      dot(sorted.y, solved.to_host()));
}

/// With S = (H H' + lambda) / lambda.
double evidence_of(Device& device, const KrsfdModel& model) {
  const KrsfdParts parts(device, model);
  const double lambda = model.options.lambda;
  const Array<double> factor = dual_factor(device, parts, lambda);
  Matrix solved = on_device(device, model.y);
  linalg<double>(device).cholesky_solve(Side::left, factor.view(), solved.view());
  const auto n = static_cast<double>(model.y.size());
  return log_evidence({model.options.alpha, model.options.beta}, n,
                      logdet_of_factor(device, factor) - n * std::log(lambda),
                      lambda * dot(model.y, solved.to_host()));
}

}  // namespace

double irregular_evidence(Device& device, MatrixView<const double> x,
                          const Observations& observations, MatrixView<const double> grid,
                          const Hyperparameters& hyper, const NoisePrior& prior) {
  const SortedObservations sorted = check_irregular(x, observations, grid);
  check(hyper, x.cols, grid.cols);
  check(prior);
  return evidence_of(device, {x, grid, &hyper}, sorted, prior);
}

double krsfd_evidence(Device& device, MatrixView<const double> x, const Observations& observations,
                      MatrixView<const double> grid, const KrsfdOptions& options) {
  return evidence_of(device, begin_krsfd(device, x, observations, grid, options));
}

EvidenceTuned tune_irregular(Device& device, MatrixView<const double> x,
                             const Observations& observations, MatrixView<const double> grid,
                             const EvidenceTuning& options) {
  const SortedObservations sorted = check_irregular(x, observations, grid);
  check(options.start, x.cols, grid.cols);
  check(options.noise_prior);
  const double of_x = typical_distance(x), of_t = typical_distance(grid);
  Climbable climbable;
  climbable.evidence = [&](const std::vector<double>& logarithms) {
    const Hyperparameters hyper = with_logarithms(options.start, logarithms);
    return evidence_of(device, {x, grid, &hyper}, sorted, options.noise_prior);
  };
  climbable.start = [&](std::uint64_t number) {
    if (number == 0) return logarithms_of(options.start);
    return logarithms_of(
        drawn_start(options.start, {of_x, of_t, x.cols, grid.cols}, options.seed, number));
  };
  const std::vector<Climb> climbs = climb_all(climbable, options);
  EvidenceTuned result;
  for (const Climb& climb : climbs)
    result.climbs.push_back({with_logarithms(options.start, climb.logarithms), climb.log_evidence,
                             climb.evaluations, climb.converged});
  result.best = result.climbs[best_of(climbs)];
  return result;
}

KrsfdTuned tune_krsfd(Device& device, MatrixView<const double> x, const Observations& observations,
                      MatrixView<const double> grid, const KrsfdOptions& start,
                      const EvidenceTuning& how) {
  KrsfdModel model = begin_krsfd(device, x, observations, grid, start);
  const double of_x = typical_distance(x), of_t = typical_distance(grid);
  const auto options_at = [&](const std::vector<double>& logarithms) {
    KrsfdOptions options = start;
    options.sigma_x = std::exp(logarithms[0]);
    options.sigma_t = std::exp(logarithms[1]);
    options.lambda = std::exp(logarithms[2]);
    return options;
  };
  Climbable climbable;
  climbable.evidence = [&](const std::vector<double>& logarithms) {
    model.options = options_at(logarithms);
    set_thresholds(device, model);
    return evidence_of(device, model);
  };
  climbable.start = [&](std::uint64_t number) -> std::vector<double> {
    if (number == 0)
      return {std::log(start.sigma_x), std::log(start.sigma_t), std::log(start.lambda)};
    math::Random random(how.seed, number);
    const double along_x = random.normal(), along_t = random.normal();
    return {std::log(of_x / 2) + along_x, std::log(of_t / 2) + along_t,
            random.uniform(std::log(1e-5), std::log(1e-1))};
  };
  const std::vector<Climb> climbs = climb_all(climbable, how);
  KrsfdTuned result;
  for (const Climb& climb : climbs)
    result.climbs.push_back(
        {options_at(climb.logarithms), climb.log_evidence, climb.evaluations, climb.converged});
  result.best = result.climbs[best_of(climbs)];
  return result;
}

}  // namespace kronite::krfd
