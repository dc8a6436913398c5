// The fit: re-weighted least squares with bounds, on one small dense system.
#include "materials/atomic_volume.hpp"

#include <algorithm>
#include <cmath>

namespace kronite {
namespace {

constexpr double kKnee = 0.1;  // relative misfit from which a sample counts linearly
constexpr double kPriorWeight = 0.02;
constexpr double kSmallest = 1.0;  // Å^3: no composition may have the volume 0
constexpr double kUsual = 15.0;    // Å^3: prior of an element that the table does not know
constexpr int kReweightings = 20;

PerElement prior_volumes() {
  PerElement prior;
  prior.fill(kUsual);
  const ElementTable& table = ElementTable::embedded();
  const auto& names = table.features();
  const auto at = std::find(names.begin(), names.end(), "gs_volume_per") - names.begin();
  if (at == static_cast<std::ptrdiff_t>(names.size())) return prior;
  for (int z = 1; z < kByNumber; ++z)
    if (table.has(z) && table.row(z)[at] > kSmallest) prior[z] = table.row(z)[at];
  return prior;
}

// a_e N / V: the model is sum_e row_e v_e = 1.
struct Row {
  std::vector<ElementAmount> share;
};

double predicted(const Row& row, const PerElement& v) {
  double sum = 0;
  for (const auto& [z, share] : row.share) sum += share * v[z];
  return sum;
}

std::vector<Row> relative_rows(const std::vector<VolumeSample>& samples) {
  std::vector<Row> rows;
  for (const VolumeSample& sample : samples) {
    if (!(sample.volume > 0) || sample.composition.empty()) continue;
    Row row{sample.composition.parts()};
    for (auto& part : row.share) part.amount /= sample.volume;
    rows.push_back(std::move(row));
  }
  return rows;
}

// Median over the samples of the factor that makes the prior exact.
double common_scale(const std::vector<Row>& rows, const PerElement& prior) {
  std::vector<double> factors;
  for (const Row& row : rows) factors.push_back(1 / predicted(row, prior));
  const auto middle = factors.begin() + static_cast<std::ptrdiff_t>(factors.size() / 2);
  std::nth_element(factors.begin(), middle, factors.end());
  return *middle;
}

// min 1/2 v^T H v - g^T v over v_e >= kSmallest by cyclic coordinate descent; H is positive
// definite thanks to the prior, so it converges to the one minimum.
void solve_bounded(const std::vector<PerElement>& h, const PerElement& g,
                   const std::vector<int>& elements, PerElement& v) {
  for (int sweep = 0; sweep < 10000; ++sweep) {
    double change = 0;
    for (const int e : elements) {
      double rest = g[e];
      for (const int f : elements)
        if (f != e) rest -= h[e][f] * v[f];
      const double value = std::max(kSmallest, rest / h[e][e]);
      change = std::max(change, std::abs(value - v[e]));
      v[e] = value;
    }
    if (change < 1e-10) return;
  }
}

}  // namespace

PerElement fit_atomic_volumes(const std::vector<VolumeSample>& samples) {
  const std::vector<Row> rows = relative_rows(samples);
  PerElement v{};
  if (rows.empty()) return v;
  PerElement prior = prior_volumes();
  const double scale = common_scale(rows, prior);
  for (double& p : prior) p *= scale;

  std::vector<int> elements;
  for (int z = 1; z < kByNumber; ++z) {
    const auto holds = [z](const Row& row) {
      return std::any_of(row.share.begin(), row.share.end(), [z](auto& p) { return p.z == z; });
    };
    if (std::any_of(rows.begin(), rows.end(), holds)) elements.push_back(z);
  }
  for (const int e : elements) v[e] = std::max(kSmallest, prior[e]);

  for (int pass = 0; pass < kReweightings; ++pass) {
    std::vector<PerElement> h(kByNumber);
    PerElement g{};
    for (const int e : elements) {
      h[e][e] = kPriorWeight / (prior[e] * prior[e]);
      g[e] = kPriorWeight / prior[e];
    }
    for (const Row& row : rows) {
      const double misfit = std::abs(1 - predicted(row, v));
      // The first pass has no fit to judge by.
      const double weight = pass == 0 || misfit <= kKnee ? 1 : kKnee / misfit;
      for (const auto& [e, a] : row.share) {
        g[e] += weight * a;
        for (const auto& [f, b] : row.share) h[e][f] += weight * a * b;
      }
    }
    solve_bounded(h, g, elements, v);
  }
  return v;
}

}  // namespace kronite
