// How well probabilities tell alike from unlike pairs, and whether they mean what they say.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "base/fail.hpp"             // for fail
#include "csp/reliability.hpp"       // for ReliabilityCounter
#include "kronite/csp_training.hpp"  // for PairMetrics, ReliabilityBin

namespace kronite::csp {
namespace {

// A mean over an ensemble may leave [0, 1] by a rounding error.
constexpr float kRounding = 1e-5F;

void check(const PairPart& part, const std::vector<float>& p, const char* call) {
  const std::size_t pairs = part.pairs.alike.size();
  if (p.size() != pairs || part.ratio.size() != pairs)
    fail(Errc::invalid_argument, "{}: {} probabilities and {} ratio labels for {} pairs", call,
         p.size(), part.ratio.size(), pairs);
  for (std::size_t i = 0; i < pairs; ++i)
    if (!(p[i] >= -kRounding && p[i] <= 1 + kRounding))
      fail(Errc::invalid_argument, "{}: the probability of pair {} is {}, expected 0 to 1", call, i,
           p[i]);
}

/// Places of pairs, the most probable first.
using Order = std::span<const std::size_t>;

double accuracy(const PairPart& part, const std::vector<float>& p, Order order) {
  const auto right = std::count_if(order.begin(), order.end(), [&](std::size_t i) {
    return (p[i] > 0.5F) == (part.pairs.alike[i] != 0);
  });
  return static_cast<double>(right) / static_cast<double>(order.size());
}

/// Sum over thresholds of (gain in recall) x precision; equal probabilities share a threshold. 0
/// when no pair is alike.
double average_precision(const PairPart& part, const std::vector<float>& p, Order order) {
  std::int64_t alike = 0, alike_before = 0;
  double sum = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    alike += part.pairs.alike[order[i]];
    if (i + 1 < order.size() && p[order[i + 1]] == p[order[i]]) continue;
    sum += static_cast<double>(alike - alike_before) * static_cast<double>(alike) /
           static_cast<double>(i + 1);
    alike_before = alike;
  }
  return alike == 0 ? 0 : sum / static_cast<double>(alike);
}

bool any_alike(const PairPart& part, Order order) {
  return std::any_of(order.begin(), order.end(),
                     [&](std::size_t i) { return part.pairs.alike[i] != 0; });
}

/// Means over ratio labels; `order` is by label, then by descending probability.
void add_means(const PairPart& part, const std::vector<float>& p, Order order,
               PairMetrics& metrics) {
  std::int64_t labels = 0, with_alike = 0;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    const std::int32_t ratio = part.ratio[order[begin]];
    while (end < order.size() && part.ratio[order[end]] == ratio) ++end;
    const Order label = order.subspan(begin, end - begin);
    ++labels;
    metrics.mean_accuracy += accuracy(part, p, label);
    if (!any_alike(part, label)) continue;
    ++with_alike;
    metrics.mean_average_precision += average_precision(part, p, label);
  }
  metrics.mean_accuracy /= static_cast<double>(labels);
  if (with_alike > 0) metrics.mean_average_precision /= static_cast<double>(with_alike);
}

}  // namespace

PairMetrics pair_metrics(const PairPart& part, const std::vector<float>& p) {
  check(part, p, "pair_metrics");
  PairMetrics metrics;
  metrics.pairs = part.pairs.size();
  metrics.alike = std::count(part.pairs.alike.begin(), part.pairs.alike.end(), 1);
  if (metrics.pairs == 0) return metrics;

  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] > p[b]; });
  metrics.accuracy = accuracy(part, p, order);
  metrics.average_precision = average_precision(part, p, order);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return part.ratio[a] < part.ratio[b]; });
  add_means(part, p, order, metrics);
  return metrics;
}

std::vector<ReliabilityBin> reliability(const PairPart& part, const std::vector<float>& p,
                                        int bins) {
  check(part, p, "reliability");
  if (bins < 1) fail(Errc::invalid_argument, "reliability: {} bins, expected 1 or more", bins);
  ReliabilityCounter counter(bins);
  for (std::size_t i = 0; i < p.size(); ++i)
    counter.add(static_cast<double>(p[i]), part.pairs.alike[i] != 0);
  return counter.bins();
}

double calibration_error(const std::vector<ReliabilityBin>& bins) {
  double sum = 0;
  std::int64_t pairs = 0;
  for (const ReliabilityBin& bin : bins) {
    if (bin.pairs == 0) continue;
    sum += std::abs(bin.mean_p - bin.alike) * static_cast<double>(bin.pairs);
    pairs += bin.pairs;
  }
  return pairs == 0 ? 0 : sum / static_cast<double>(pairs);
}

}  // namespace kronite::csp
