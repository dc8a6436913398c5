// Splits, errors, and the share of values inside of bands.
#include "krfd/judge.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "base/fail.hpp"             // for fail
#include "math/normal_quantile.hpp"  // for deviations_of_share
#include "math/random.hpp"           // for Random

namespace kronite::krfd {
namespace {

double share_within(const Judged& judged, MatrixView<const double> y, double share) {
  const double factor = math::deviations_of_share(share);
  std::size_t inside = 0, k = 0;
  for (std::int64_t i = 0; i < y.rows; ++i)
    for (std::int64_t j = 0; j < y.cols; ++j, ++k)
      if (std::abs(y.row(i)[j] - judged.mean[k]) <= factor * judged.deviation_measured[k]) ++inside;
  return static_cast<double>(inside) / static_cast<double>(k);
}

}  // namespace

Split random_split(std::int64_t systems, double share, std::uint64_t seed) {
  if (systems < 2)
    fail(Errc::invalid_argument,
         "there is {} system; two are needed, one to learn from and one to test on", systems);
  std::vector<std::int64_t> order(static_cast<std::size_t>(systems));
  std::iota(order.begin(), order.end(), 0);
  math::Random(seed).shuffle(std::span<std::int64_t>(order));
  const auto tested =
      std::clamp<std::int64_t>(std::llround(share * static_cast<double>(systems)), 1, systems - 1);
  Split split;
  split.test.assign(order.begin(), order.begin() + tested);
  split.train.assign(order.begin() + tested, order.end());
  std::sort(split.test.begin(), split.test.end());
  std::sort(split.train.begin(), split.train.end());
  return split;
}

Judged judge_means(std::vector<double> mean, MatrixView<const double> y) {
  Judged judged;
  judged.mean = std::move(mean);
  judged.errors = errors({judged.mean.data(), y.rows, y.cols}, y);
  return judged;
}

void judge_bands(Judged& judged, MatrixView<const double> y) {
  judged.within_68 = share_within(judged, y, 0.68);
  judged.within_95 = share_within(judged, y, 0.95);
}

Judged judge(Device& device, const Model& model, MatrixView<const double> x,
             MatrixView<const double> y) {
  const MatrixView<const double> t{model.t().data(), model.points(), model.coordinates()};
  Judged judged = judge_means(model.mean(device, x, t), y);
  judged.deviation = model.deviation(device, x, t);
  judged.deviation_measured = judged.deviation;
  for (double& deviation : judged.deviation_measured)
    deviation = std::sqrt(deviation * deviation + model.sigma2());
  judge_bands(judged, y);
  return judged;
}

MeanAndDeviation over_splits(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  MeanAndDeviation result;
  result.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.deviation =
      values.size() < 2 ? std::numeric_limits<double>::quiet_NaN() : std::sqrt(squares / (n - 1));
  return result;
}

}  // namespace kronite::krfd
