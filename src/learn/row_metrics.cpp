// How good predictions on rows are.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/fail.hpp"           // for fail
#include "kronite/regression.hpp"  // for value_metrics, class_metrics

namespace kronite::learn {
namespace {

void check_sizes(std::size_t truth, std::size_t predicted) {
  if (truth != predicted || truth == 0)
    fail(Errc::invalid_argument, "{} predictions are judged by {} true values, expected as many",
         predicted, truth);
}

void check_finite(const std::vector<double>& values, const char* what) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      fail(Errc::invalid_argument, "{} value {} is {}, expected a finite number", what, i,
           values[i]);
}

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

ValueMetrics value_metrics(const std::vector<double>& truth, const std::vector<double>& predicted) {
  check_sizes(truth.size(), predicted.size());
  check_finite(truth, "true");
  check_finite(predicted, "predicted");
  const auto count = static_cast<double>(truth.size());
  const double mean = std::accumulate(truth.begin(), truth.end(), 0.0) / count;
  double absolute = 0, squares = 0, spread = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double error = predicted[i] - truth[i];
    absolute += std::abs(error);
    squares += error * error;
    spread += (truth[i] - mean) * (truth[i] - mean);
  }
  const auto [low, high] = std::minmax_element(truth.begin(), truth.end());
  return {absolute / count, std::sqrt(squares / count),
          *low == *high ? std::numeric_limits<double>::quiet_NaN() : 1 - squares / spread};
}

ClassMetrics class_metrics(const std::vector<std::int32_t>& truth,
                           const std::vector<std::int32_t>& predicted, std::int64_t count) {
  check_sizes(truth.size(), predicted.size());
  if (count < 1) fail(Errc::invalid_argument, "there are {} classes, expected at least 1", count);
  ClassMetrics metrics;
  metrics.confusion.assign(static_cast<std::size_t>(count * count), 0);
  const auto checked = [&](std::int32_t of_class, std::size_t row) {
    if (of_class < 0 || of_class >= count)
      fail(Errc::invalid_argument, "row {} has the class {}, expected 0 to {}", row, of_class,
           count - 1);
    return of_class;
  };
  for (std::size_t i = 0; i < truth.size(); ++i)
    ++metrics.confusion[static_cast<std::size_t>(checked(truth[i], i) * count +
                                                 checked(predicted[i], i))];
  const auto cell = [&](std::int64_t of_truth, std::int64_t as) {
    return metrics.confusion[static_cast<std::size_t>(of_truth * count + as)];
  };
  std::int64_t right = 0;
  for (std::int64_t k = 0; k < count; ++k) {
    std::int64_t are = 0, called = 0;
    for (std::int64_t other = 0; other < count; ++other) {
      are += cell(k, other);
      called += cell(other, k);
    }
    right += cell(k, k);
    metrics.recall.push_back(ratio(cell(k, k), are));
    metrics.precision.push_back(ratio(cell(k, k), called));
    metrics.f1.push_back(ratio(2 * cell(k, k), are + called));
    metrics.macro_f1 += metrics.f1.back() / static_cast<double>(count);
  }
  metrics.accuracy = ratio(right, static_cast<std::int64_t>(truth.size()));
  return metrics;
}

}  // namespace kronite::learn
