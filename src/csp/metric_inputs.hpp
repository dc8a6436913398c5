// What a metric reads of a composition and of a template.
#pragma once

#include <cstdint>
#include <vector>

#include "kronite/composition.hpp"  // for Composition, ElementTable
#include "kronite/templates.hpp"    // for TemplateLibrary
#include "kronite/view.hpp"         // for MatrixView

namespace kronite::csp {

/// What slots and learned vectors may be at most.
inline constexpr std::int64_t kMostSlots = 64, kMostVector = 4096;

/// Rows of compositions:
///   290 values of the descriptor, standardised;
///   a learned vector of `vector` values for each slot;
///   for each slot its element's 58 features, z-scored (ddof 1) over the table, its learned vector,
///   its atomic fraction, and 1;
/// slots by amount, descending, then by electronegativity; zeros where there is no further element.
class MetricInputs {
 public:
  /// `table` must outlive this.
  MetricInputs(const ElementTable& table, std::vector<double> mean, std::vector<double> deviation,
               std::int64_t slots, std::int64_t vector);

  std::int64_t descriptor() const { return static_cast<std::int64_t>(mean_.size()); }
  std::int64_t features() const { return features_; }
  std::int64_t slots() const { return slots_; }
  std::int64_t vector() const { return vector_; }
  /// Values of a row.
  std::int64_t width() const { return slot(slots_); }
  /// Where slot s begins.
  std::int64_t slot(std::int64_t s) const {
    return descriptor() + slots_ * vector_ + s * slot_width();
  }
  std::int64_t slot_width() const { return features_ + vector_ + 2; }
  /// Elements that have learned vectors: those of the table, by atomic number.
  std::int64_t kinds() const { return static_cast<std::int64_t>(elements_.size()); }

  /// Of reduced compositions whose elements are in the table. Learned vectors are zeros.
  struct Rows {
    std::int64_t count = 0, width = 0, slots = 0;
    std::vector<float> values;
    std::vector<std::int32_t> kinds;  ///< count x slots; -1: no element

    MatrixView<float> view() { return {values.data(), count, width}; }
    MatrixView<const float> view() const { return {values.data(), count, width}; }
    MatrixView<const std::int32_t> kinds_view() const { return {kinds.data(), count, slots}; }
  };
  Rows rows(const std::vector<Composition>& compositions) const;

 private:
  const ElementTable& table_;
  std::vector<double> mean_, deviation_;
  std::int64_t slots_, vector_, features_;
  std::vector<double> scores_;          ///< 119 x features
  std::vector<std::int32_t> elements_;  ///< atomic numbers
};

/// What is known of a template beside its composition: the 244 values of its fingerprint, the
/// logarithm of its volume per atom in Å^3, and its volume over what the library's atomic volumes
/// say.
inline constexpr std::int64_t kTraits = 246;
/// templates x kTraits. @throws Error unavailable when the library has no fingerprints; corrupt.
std::vector<float> template_traits(const TemplateLibrary& library,
                                   const std::vector<std::int64_t>& templates);

/// (x - mean) / deviation.
struct TraitStatistics {
  std::vector<double> mean, std;
};
/// Deviations of fingerprint values are raised by 0.05: many hardly ever vary.
TraitStatistics trait_statistics(const std::vector<float>& traits);
void standardise(std::vector<float>& traits, const TraitStatistics& statistics);

}  // namespace kronite::csp
