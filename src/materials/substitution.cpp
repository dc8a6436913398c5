// z-scored element vectors, simultaneous replacement, and rescaling.
#include "materials/substitution.hpp"

#include <array>
#include <cmath>
#include <cstddef>

#include "materials/elements.hpp"  // for kElements, kByNumber

namespace kronite {
namespace {

/// Where each atomic number goes; to itself unless the mapping names it.
std::array<std::uint8_t, 256> replacement_table(const ElementMapping& mapping) {
  std::array<std::uint8_t, 256> to{};
  for (std::size_t z = 0; z < to.size(); ++z) to[z] = static_cast<std::uint8_t>(z);
  for (const auto& [from, into] : mapping)
    to[static_cast<std::uint8_t>(from)] = static_cast<std::uint8_t>(into);
  return to;
}

}  // namespace

std::vector<double> element_scores(const ElementTable& table) {
  const std::size_t features = table.features().size();
  std::vector<double> scores(kByNumber * features, 0.0);
  std::vector<int> known;
  for (int z = 1; z <= kElements; ++z)
    if (table.has(z)) known.push_back(z);
  const auto elements = static_cast<double>(known.size());
  for (std::size_t f = 0; f < features; ++f) {
    double sum = 0, squares = 0;
    for (const int z : known) sum += table.row(z)[f];
    const double mean = sum / elements;
    for (const int z : known) squares += (table.row(z)[f] - mean) * (table.row(z)[f] - mean);
    const double deviation = known.size() > 1 ? std::sqrt(squares / (elements - 1)) : 0;
    if (!(deviation > 0)) continue;
    for (const int z : known)
      scores[static_cast<std::size_t>(z) * features + f] = (table.row(z)[f] - mean) / deviation;
  }
  return scores;
}

ElementDissimilarity::ElementDissimilarity(const ElementTable& table)
    : features_(table.features().size()), scores_(element_scores(table)) {}

double ElementDissimilarity::operator()(int z1, int z2) const {
  const double* x = scores_.data() + static_cast<std::size_t>(z1) * features_;
  const double* y = scores_.data() + static_cast<std::size_t>(z2) * features_;
  double sum = 0;
  for (std::size_t f = 0; f < features_; ++f) sum += (x[f] - y[f]) * (x[f] - y[f]);
  return std::sqrt(sum);
}

Structure replace_elements(Structure structure, const ElementMapping& mapping) {
  const auto to = replacement_table(mapping);
  for (auto& z : structure.z) z = to[z];
  return structure;
}

std::optional<double> volume_factor(const Structure& original, const ElementMapping& mapping,
                                    const double* atomic_volumes) {
  const auto to = replacement_table(mapping);
  double before = 0, after = 0;
  for (const auto z : original.z) {
    if (!(atomic_volumes[z] > 0 && atomic_volumes[to[z]] > 0)) return std::nullopt;
    before += atomic_volumes[z];
    after += atomic_volumes[to[z]];
  }
  return after / before;
}

Structure with_volume_scaled(Structure structure, double factor) {
  const double scale = std::cbrt(factor);
  for (auto& row : structure.lattice)
    for (double& x : row) x *= scale;
  return structure;
}

}  // namespace kronite
