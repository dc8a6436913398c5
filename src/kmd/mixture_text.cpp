// Looking for small integers, and writing them down.
#include "kmd/mixture_text.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/fail.hpp"            // for fmt::format
#include "kronite/composition.hpp"  // for Composition, element_number, element_symbol

namespace kronite::kmd {
namespace {

constexpr double kTolerance = 1e-6;
constexpr std::int64_t kMostAtoms = 1000;

std::span<const double> weights_of_row(const Weights& weights, std::int64_t row) {
  return {weights.weight.data() + weights.first[row],
          static_cast<std::size_t>(weights.first[row + 1] - weights.first[row])};
}

}  // namespace

std::vector<std::int64_t> integer_ratio(std::span<const double> weights, double tolerance,
                                        std::int64_t most) {
  std::vector<std::int64_t> numbers(weights.size());
  for (std::int64_t sum = 1; sum <= most; ++sum) {
    const auto n = static_cast<double>(sum);
    std::int64_t found = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double nearest = std::round(weights[i] * n);
      if (nearest < 1 || !(std::abs(weights[i] - nearest / n) <= tolerance)) break;
      numbers[i] = static_cast<std::int64_t>(nearest);
      found += numbers[i];
    }
    if (found == sum && std::all_of(numbers.begin(), numbers.end(), [](auto k) { return k > 0; }))
      return numbers;
    std::fill(numbers.begin(), numbers.end(), 0);
  }
  return {};
}

MixtureText::MixtureText(const Components& components) : names_(components.names) {
  for (const std::string& name : names_) {
    const int z = element_number(name);
    elements_ = elements_ && z != 0 && element_symbol(z) == name;  // no D, no T
    z_.push_back(z);
  }
}

std::string MixtureText::formula(const Weights& weights, std::int64_t row) const {
  if (!elements_) return "";
  const auto numbers = integer_ratio(weights_of_row(weights, row), kTolerance, kMostAtoms);
  if (numbers.empty()) return "";
  std::vector<ElementAmount> parts;
  for (std::size_t k = 0; k < numbers.size(); ++k)
    parts.push_back({z_[weights.component[weights.first[row] + static_cast<std::int64_t>(k)]],
                     static_cast<double>(numbers[k])});
  return Composition(std::move(parts)).reduced_formula();
}

std::string MixtureText::fractions(const Weights& weights, std::int64_t row,
                                   std::size_t most) const {
  const auto values = weights_of_row(weights, row);
  const std::int32_t* component = weights.component.data() + weights.first[row];
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  if (most > 0 && order.size() > most) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t i, std::size_t j) { return values[i] > values[j]; });
    order.resize(most);
  }
  std::string text;
  if (elements_ && most == 0) {
    std::vector<ElementAmount> parts;
    for (const std::size_t k : order) parts.push_back({z_[component[k]], values[k]});
    return Composition(std::move(parts)).reduced_formula();
  }
  for (const std::size_t k : order) {
    if (!text.empty()) text += elements_ ? " " : ", ";
    text += most == 0 ? fmt::format("{} {}", names_[component[k]], values[k])
                      : fmt::format("{} {:.4g}", names_[component[k]], values[k]);
  }
  return order.size() < values.size() ? text + " ..." : text;
}

}  // namespace kronite::kmd
