// Means over splits, and differences of two descriptors with intervals.
#include <cmath>
#include <limits>
#include <numeric>

#include "base/fail.hpp"       // for fail
#include "kmd/experiment.hpp"  // for Spread, PairedDifference

namespace kronite::kmd {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// P(|T| <= t), in closed form (Abramowitz and Stegun 26.7.3 and 26.7.4).
double within(double t, int freedom) {
  constexpr double kPi = 3.14159265358979323846;
  const double angle = std::atan2(t, std::sqrt(freedom));
  const double sine = std::sin(angle), cosine = std::cos(angle);
  double term = freedom % 2 == 0 ? 1 : cosine, sum = 0;
  for (int k = freedom % 2 == 0 ? 2 : 3; k <= freedom; k += 2) {
    sum += term;
    term *= cosine * cosine * (k - 1) / k;
  }
  return freedom % 2 == 0 ? sine * sum : 2 / kPi * (angle + sine * sum);
}

}  // namespace

Spread spread_of(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, values.size() < 2 ? kNaN : std::sqrt(squares / (n - 1))};
}

double student_quantile(double p, int freedom) {
  if (!(p > 0 && p < 1) || freedom < 1)
    fail(Errc::invalid_argument,
         "a quantile of Student's t is asked for at {} with {} degrees of freedom", p, freedom);
  if (p < 0.5) return -student_quantile(1 - p, freedom);
  const double share = 2 * p - 1;
  double low = 0, high = 1;
  while (within(high, freedom) < share && high < 1e300) high *= 2;
  constexpr int kHalvings = 200;  // to the last bit
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (within(middle, freedom) < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

PairedDifference paired_difference(const std::vector<double>& a, const std::vector<double>& b,
                                   double test_share) {
  if (a.size() != b.size() || a.empty())
    fail(Errc::invalid_argument, "{} values are paired with {}, expected as many", a.size(),
         b.size());
  std::vector<double> off(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) off[i] = a[i] - b[i];
  const Spread spread = spread_of(off);
  if (a.size() < 2) return {spread.mean, kNaN, kNaN, kNaN, kNaN};
  const auto n = static_cast<double>(a.size());
  const double t = student_quantile(0.975, static_cast<int>(a.size()) - 1);
  const double half = t * spread.std * std::sqrt(1 / n);
  const double wide = t * spread.std * std::sqrt(1 / n + test_share);
  return {spread.mean, spread.mean - half, spread.mean + half, spread.mean - wide,
          spread.mean + wide};
}

std::vector<double> metric_over_splits(const Experiment& experiment, std::size_t descriptor,
                                       std::size_t learner, std::size_t metric, bool validation) {
  std::vector<double> values;
  for (const Trial& trial : experiment.trials)
    if (trial.descriptor == descriptor && trial.learner == learner)
      values.push_back((validation ? trial.validation : trial.metrics)[metric]);
  return values;
}

double test_share(const Experiment& experiment) {
  double sum = 0;
  for (const learn::RowParts& parts : experiment.splits)
    sum += static_cast<double>(parts.test.size()) / static_cast<double>(parts.training.size());
  return sum / static_cast<double>(experiment.splits.size());
}

}  // namespace kronite::kmd
