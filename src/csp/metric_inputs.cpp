// Descriptors, slots of elements and traits of templates.
#include "csp/metric_inputs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "csp/describe_templates.hpp"  // for standardised_descriptors
#include "kronite/fingerprint.hpp"     // for kFingerprintSize
#include "materials/elements.hpp"      // for formula_order, kElements
#include "materials/substitution.hpp"  // for element_scores

namespace kronite::csp {
namespace {

static_assert(kTraits == kFingerprintSize + 2);

float to_float(double value) { return static_cast<float>(value); }

std::vector<ElementAmount> in_order(const Composition& composition) {
  std::vector<ElementAmount> parts = composition.parts();
  std::sort(parts.begin(), parts.end(), [](const ElementAmount& a, const ElementAmount& b) {
    return a.amount != b.amount ? a.amount > b.amount : formula_order(a.z) < formula_order(b.z);
  });
  return parts;
}

}  // namespace

MetricInputs::MetricInputs(const ElementTable& table, std::vector<double> mean,
                           std::vector<double> deviation, std::int64_t slots, std::int64_t vector)
    : table_(table),
      mean_(std::move(mean)),
      deviation_(std::move(deviation)),
      slots_(slots),
      vector_(vector),
      features_(static_cast<std::int64_t>(table.features().size())),
      scores_(element_scores(table)) {
  for (std::int32_t z = 1; z <= kElements; ++z)
    if (table.has(z)) elements_.push_back(z);
}

MetricInputs::Rows MetricInputs::rows(const std::vector<Composition>& compositions) const {
  Rows rows{std::ssize(compositions), width(), slots_, {}, {}};
  rows.values.resize(static_cast<std::size_t>(rows.count * rows.width), 0.0F);
  rows.kinds.resize(static_cast<std::size_t>(rows.count * slots_), -1);
  const auto described = standardised_descriptors(compositions, table_, mean_, deviation_);
  for (std::int64_t i = 0; i < rows.count; ++i) {
    float* row = rows.values.data() + i * rows.width;
    const auto from = described.begin() + i * descriptor();
    std::transform(from, from + descriptor(), row, to_float);
    const Composition& composition = compositions[static_cast<std::size_t>(i)];
    const std::vector<ElementAmount> parts = in_order(composition);
    for (std::int64_t s = 0; s < std::min(slots_, std::ssize(parts)); ++s) {
      const auto& [z, amount] = parts[static_cast<std::size_t>(s)];
      const double* scores = scores_.data() + z * features_;
      float* to = row + slot(s);
      std::transform(scores, scores + features_, to, to_float);
      to[features_ + vector_] = to_float(amount / composition.total());
      to[features_ + vector_ + 1] = 1;
      rows.kinds[static_cast<std::size_t>(i * slots_ + s)] = static_cast<std::int32_t>(
          std::lower_bound(elements_.begin(), elements_.end(), z) - elements_.begin());
    }
  }
  return rows;
}

std::vector<float> template_traits(const TemplateLibrary& library,
                                   const std::vector<std::int64_t>& templates) {
  const MatrixView<const float> fingerprints = library.fingerprints();
  const double* atomic = library.atomic_volumes();
  std::vector<float> traits;
  traits.reserve(templates.size() * kTraits);
  for (const std::int64_t i : templates) {
    const Structure structure = library.structure(i);
    const double cell = volume(structure.lattice);
    double expected = 0;
    bool known = true;
    for (const std::uint8_t z : structure.z) {
      known = known && atomic[z] > 0;
      expected += atomic[z];
    }
    traits.insert(traits.end(), fingerprints.row(i), fingerprints.row(i) + kFingerprintSize);
    traits.push_back(to_float(std::log(cell / static_cast<double>(structure.size()))));
    traits.push_back(known ? to_float(cell / expected) : 1.0F);  // as if it were as expected
  }
  return traits;
}

TraitStatistics trait_statistics(const std::vector<float>& traits) {
  constexpr double kRaised = 0.05;
  const auto rows = static_cast<double>(traits.size() / kTraits);
  TraitStatistics statistics;
  for (std::size_t k = 0; k < kTraits; ++k) {
    double sum = 0, squares = 0;
    for (std::size_t at = k; at < traits.size(); at += kTraits)
      sum += static_cast<double>(traits[at]);
    const double mean = sum / rows;
    for (std::size_t at = k; at < traits.size(); at += kTraits)
      squares += std::pow(static_cast<double>(traits[at]) - mean, 2);
    const double deviation = rows > 1 ? std::sqrt(squares / (rows - 1)) : 0;
    statistics.mean.push_back(mean);
    statistics.std.push_back(k < kFingerprintSize ? deviation + kRaised
                                                  : std::max(deviation, kRaised));
  }
  return statistics;
}

void standardise(std::vector<float>& traits, const TraitStatistics& statistics) {
  for (std::size_t at = 0; at < traits.size(); ++at) {
    const std::size_t k = at % kTraits;
    traits[at] =
        to_float((static_cast<double>(traits[at]) - statistics.mean[k]) / statistics.std[k]);
  }
}

}  // namespace kronite::csp
