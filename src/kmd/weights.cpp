// Mixtures as sparse rows of weights, and compositions as mixtures of elements.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/fail.hpp"            // for fail
#include "base/printable.hpp"       // for printable
#include "kronite/composition.hpp"  // for Composition, element_number
#include "kronite/kmd.hpp"
#include "materials/elements.hpp"  // for kByNumber

namespace kronite::kmd {
namespace {

constexpr double kSumTolerance = 1e-9;

/// Where each element stands among the components; -1: nowhere.
std::array<std::int32_t, kByNumber> places_of_elements(const Components& components) {
  std::array<std::int32_t, kByNumber> places;
  places.fill(-1);
  for (std::size_t i = 0; i < components.names.size(); ++i) {
    const std::string& name = components.names[i];
    const int z = element_number(name);
    if (z != 0 && element_symbol(z) == name) places[z] = static_cast<std::int32_t>(i);
  }
  return places;
}

/// Appends a row; `total` is what its amounts add up to.
void append(Weights& weights, const std::vector<ElementAmount>& parts, double total,
            const std::array<std::int32_t, kByNumber>& places) {
  const auto begin = static_cast<std::ptrdiff_t>(weights.component.size());
  std::vector<std::pair<std::int32_t, double>> row;
  for (const ElementAmount& part : parts)
    if (places[part.z] >= 0) row.emplace_back(places[part.z], part.amount / total);
  std::sort(row.begin(), row.end());
  for (const auto& [component, weight] : row) {
    weights.component.push_back(component);
    weights.weight.push_back(weight);
  }
  weights.first.push_back(begin + std::ssize(row));
}

}  // namespace

void Weights::check() const {
  if (first.empty() || first.front() != 0 || component.size() != weight.size() ||
      first.back() != std::ssize(component))
    fail(Errc::invalid_argument,
         "weights: the rows do not cover the {} components and {} weights given", component.size(),
         weight.size());
  for (std::int64_t i = 0; i < rows(); ++i) {
    double sum = 0;
    if (first[i + 1] < first[i] || first[i + 1] > first.back())
      fail(Errc::invalid_argument, "weights: row {} ends before it begins", i);
    for (std::int64_t e = first[i]; e < first[i + 1]; ++e) {
      if (component[e] < 0 || component[e] >= components)
        fail(Errc::invalid_argument, "weights: row {} names component {}, of {}", i, component[e],
             components);
      if (e > first[i] && component[e] <= component[e - 1])
        fail(Errc::invalid_argument, "weights: row {} does not name its components in order", i);
      if (!(weight[e] > 0) || !std::isfinite(weight[e]))
        fail(Errc::invalid_argument,
             "weights: row {} has {} as a weight, where one above 0 is "
             "expected",
             i, weight[e]);
      sum += weight[e];
    }
    if (!(std::abs(sum - 1) <= kSumTolerance))
      fail(Errc::invalid_argument, "weights: row {} adds up to {}, not to 1", i, sum);
  }
}

Weights weights_of(const std::vector<Composition>& compositions, const Components& components,
                   Unknown unknown, std::vector<std::int64_t>* kept) {
  const std::array<std::int32_t, kByNumber> places = places_of_elements(components);
  Weights weights;
  weights.components = components.size();
  if (kept) kept->clear();
  for (std::size_t i = 0; i < compositions.size(); ++i) {
    const std::vector<ElementAmount>& parts = compositions[i].parts();
    if (parts.empty()) fail(Errc::invalid_argument, "an empty composition is no mixture");
    double total = 0;
    const ElementAmount* missing = nullptr;
    for (const ElementAmount& part : parts) {
      if (places[part.z] >= 0)
        total += part.amount;
      else if (!missing)
        missing = &part;
    }
    if (missing && unknown == Unknown::skip) continue;
    if (missing && (unknown == Unknown::refuse || total == 0))
      fail(Errc::invalid_argument, "{}: {} is not among the components",
           printable(compositions[i].reduced_formula()), element_symbol(missing->z));
    if (!std::isfinite(total))
      fail(Errc::invalid_argument, "{}: the amounts are too large to be added up",
           printable(compositions[i].reduced_formula()));
    append(weights, parts, total, places);
    if (kept) kept->push_back(static_cast<std::int64_t>(i));
  }
  return weights;
}

}  // namespace kronite::kmd
