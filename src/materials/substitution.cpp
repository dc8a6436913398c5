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

ElementDissimilarity::ElementDissimilarity(const ElementTable& table)
    : features_(table.features().size()), place_(kByNumber, -1) {
  int elements = 0;
  for (int z = 1; z <= kElements; ++z) {
    if (!table.has(z)) continue;
    place_[z] = elements++;
    scores_.insert(scores_.end(), table.row(z), table.row(z) + features_);
  }
  for (std::size_t f = 0; f < features_; ++f) {
    double sum = 0, squares = 0;
    for (std::size_t i = f; i < scores_.size(); i += features_) sum += scores_[i];
    const double mean = sum / elements;
    for (std::size_t i = f; i < scores_.size(); i += features_)
      squares += (scores_[i] - mean) * (scores_[i] - mean);
    const double deviation = elements > 1 ? std::sqrt(squares / (elements - 1)) : 0;
    for (std::size_t i = f; i < scores_.size(); i += features_)
      scores_[i] = deviation > 0 ? (scores_[i] - mean) / deviation : 0;
  }
}

double ElementDissimilarity::operator()(int z1, int z2) const {
  const double* x = scores_.data() + static_cast<std::size_t>(place_[z1]) * features_;
  const double* y = scores_.data() + static_cast<std::size_t>(place_[z2]) * features_;
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
