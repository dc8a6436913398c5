// Summary statistics of a mixture's features: what kernel means are compared with.
#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "base/fail.hpp"  // for fail
#include "kronite/kmd.hpp"

namespace kronite::kmd {
namespace {

constexpr std::array<std::string_view, 5> kBlocks = {"mean:", "var:", "max:", "min:", "sum:"};

std::int64_t blocks(bool sum) { return sum ? 5 : 4; }

}  // namespace

void summary_statistics(const Weights& weights, const Components& components, bool sum,
                        MatrixView<double> out) {
  components.check();
  weights.check();
  if (weights.components != components.size())
    fail(Errc::invalid_argument, "the weights are of {} components, there are {}",
         weights.components, components.size());
  const auto features = static_cast<std::int64_t>(components.features.size());
  if (out.rows != weights.rows() || out.cols != blocks(sum) * features || out.place != Place{})
    fail(Errc::invalid_argument,
         "a host matrix of {} x {} values is expected for the summary statistics, not {} x {}",
         weights.rows(), blocks(sum) * features, out.rows, out.cols);
  const auto row_of = [&](std::int64_t entry) {
    return components.values.data() + weights.component[entry] * features;
  };
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < out.rows; ++i) {
    double* const mean = out.row(i);
    double* const variance = mean + features;
    double* const max = variance + features;
    double* const min = max + features;
    std::fill(mean, max, 0.0);
    std::fill(max, min, -std::numeric_limits<double>::infinity());
    std::fill(min, min + features, std::numeric_limits<double>::infinity());
    for (std::int64_t e = weights.first[i]; e < weights.first[i + 1]; ++e)
      for (std::int64_t f = 0; f < features; ++f) {
        const double x = row_of(e)[f];
        mean[f] += weights.weight[e] * x;
        max[f] = std::max(max[f], x);
        min[f] = std::min(min[f], x);
      }
    for (std::int64_t e = weights.first[i]; e < weights.first[i + 1]; ++e)
      for (std::int64_t f = 0; f < features; ++f) {
        const double deviation = row_of(e)[f] - mean[f];
        variance[f] += weights.weight[e] * (deviation * deviation);
      }
    if (sum) std::copy_n(mean, features, min + features);
  }
}

std::vector<std::string> summary_names(const Components& components, bool sum) {
  std::vector<std::string> names;
  for (std::int64_t block = 0; block < blocks(sum); ++block)
    for (const std::string& feature : components.features)
      names.push_back(std::string(kBlocks[static_cast<std::size_t>(block)]) + feature);
  return names;
}

}  // namespace kronite::kmd
