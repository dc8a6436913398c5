// Hyper-parameters of largest evidence: L-BFGS on their logarithms from several starts.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.hpp"             // for fail
#include "krfd/evidence.hpp"         // for evidence_of
#include "krfd/evidence_search.hpp"  // for check_search, climbing_options, counted_loss
#include "krfd/hyper_numbers.hpp"    // for logarithms_of, drawn_start
#include "math/lbfgs.hpp"            // for minimise

namespace kronite::krfd {
namespace {

constexpr std::size_t kLambdas = 3;
/// Steps with the lambdas alone. More of them only follow length scales that are not kept.
constexpr int kLambdaSteps = 5;

/// In the order of logarithms_of().
std::vector<double> numbers(const EvidenceGradient& g) {
  std::vector<double> x{g.lambda_g, g.lambda_t, g.lambda_m};
  for (const auto* lengths : {&g.g, &g.t, &g.m})
    x.insert(x.end(), lengths->begin(), lengths->end());
  return x;
}

class Climbing {
 public:
  Climbing(Device& device, const Data& data, const EvidenceTuning& options)
      : device_(device), data_(data), options_(options), spectra_(data, Spectra::Distances::keep) {}

  EvidenceClimb climb(const Hyperparameters& start) {
    EvidenceClimb result;
    result.hyper = start;
    const int before = evaluations_;
    // First the lambdas alone: the eigenvalues of that start serve all steps.
    const std::size_t all = logarithms_of(start).size();
    if (ascend(result, kLambdas)) ascend(result, all);
    if (std::isfinite(result.log_evidence) && bring_back_constant(result)) ascend(result, all);
    result.evaluations = evaluations_ - before;
    return result;
  }

  /// Length scales around the distances of the data, lambdas over four powers of ten.
  Hyperparameters drawn(std::uint64_t number) const {
    const DataScales scales{typical_distance(data_.x_view()), typical_distance(data_.t_view()),
                            data_.features, data_.coordinates};
    return drawn_start(options_.start, scales, options_.seed, number);
  }

 private:
  /// A climb that begins with length scales of another size may put the constant aside, to where no
  /// slope leads back. Whether it is worth more with length scales of the data; `climb` is moved
  /// there.
  bool bring_back_constant(EvidenceClimb& climb) {
    const double typical = typical_distance(data_.x_view());
    const Hyperparameters put_aside = climb.hyper;
    bool better = false;
    for (const double times : {1.0, 4.0})
      for (const double lambda : {1e-3, 1e-5}) {
        Hyperparameters hyper = put_aside;
        set_length(hyper.m, times * typical, data_.features);
        hyper.lambda_m = lambda;
        std::vector<double> gradient(logarithms_of(hyper).size());
        const double value = -loss(hyper, gradient);
        if (!(value > climb.log_evidence)) continue;
        climb.log_evidence = value;
        climb.hyper = hyper;
        better = true;
      }
    return better;
  }

  /// Moves the first `free` numbers of `climb` up; false when there is no evidence at its start.
  bool ascend(EvidenceClimb& climb, std::size_t free) {
    std::vector<double> all = logarithms_of(climb.hyper);
    const auto objective = [&](const std::vector<double>& x, std::vector<double>& gradient) {
      std::copy(x.begin(), x.end(), all.begin());
      return loss(with_logarithms(climb.hyper, all), gradient);
    };
    std::vector<double> start(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(free));
    math::LbfgsOptions options = climbing_options(options_, start);
    options.gain = options_.gain;
    if (free == kLambdas) options.most_steps = std::min(options.most_steps, kLambdaSteps);
    const math::Minimum found = math::minimise(objective, std::move(start), options);
    climb.log_evidence =
        std::isfinite(found.value) ? -found.value : std::numeric_limits<double>::quiet_NaN();
    climb.converged = found.converged;
    std::copy(found.x.begin(), found.x.end(), all.begin());
    climb.hyper = with_logarithms(climb.hyper, all);
    return std::isfinite(found.value);
  }

  /// Minus the evidence; no value where double precision is not enough.
  double loss(const Hyperparameters& hyper, std::vector<double>& gradient) {
    return counted_loss(options_, evaluations_, [&] {
      const Evidence evidence =
          evidence_of(device_, spectra_, hyper, options_.noise_prior,
                      gradient.size() == kLambdas ? Derivatives::lambdas : Derivatives::all);
      const std::vector<double> all = numbers(evidence.gradient);
      for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] = -all[i];
      return -evidence.log;
    });
  }

  Device& device_;
  const Data& data_;
  const EvidenceTuning& options_;
  Spectra spectra_;
  int evaluations_ = 0;
};

}  // namespace

EvidenceTuned tune_by_evidence(Device& device, MatrixView<const double> x,
                               MatrixView<const double> t, MatrixView<const double> y,
                               const EvidenceTuning& options) {
  const Data data = prepare(x, t, y, EqualRows::join);
  check(options.start, x.cols, t.cols);
  check(options.noise_prior);
  check_search(options);
  Climbing climbing(device, data, options);
  EvidenceTuned result;
  for (int n = 0; n < options.starts; ++n) {
    result.climbs.push_back(
        climbing.climb(n == 0 ? options.start : climbing.drawn(static_cast<std::uint64_t>(n))));
    const EvidenceClimb& now = result.climbs.back();
    if (n == 0 || !(now.log_evidence <= result.best.log_evidence)) {
      const bool better = !std::isnan(now.log_evidence);
      if (n == 0 || better) result.best = now;
    }
  }
  if (std::isnan(result.best.log_evidence))
    fail(Errc::numerical, "none of {} starts has an evidence in double precision", options.starts);
  return result;
}

}  // namespace kronite::krfd
