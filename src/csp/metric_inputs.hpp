// What the embedding of a metric reads of a composition.
#pragma once

#include <cstdint>
#include <vector>

#include "kronite/composition.hpp"  // for Composition, ElementTable

namespace kronite::csp {

/// Rows for Metric: descriptors standardised by mean and deviation, then slots of elements.
class MetricInputs {
 public:
  /// `table` must outlive this.
  MetricInputs(const ElementTable& table, std::vector<double> mean, std::vector<double> deviation,
               std::int64_t slots);

  /// Values of a row.
  std::int64_t width() const;
  /// Where slot s begins in a row, and how many values it has.
  std::int64_t slot(std::int64_t s) const;
  std::int64_t slot_width() const;
  /// Row by row. The elements must be in the table. Reduced compositions.
  std::vector<float> rows(const std::vector<Composition>& compositions) const;

 private:
  const ElementTable& table_;
  std::vector<double> mean_, deviation_;
  std::int64_t slots_;
  std::size_t features_;
  std::vector<double> scores_;  ///< 119 x features
};

}  // namespace kronite::csp
