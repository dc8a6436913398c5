// Descriptors and slots of elements.
#include "csp/metric_inputs.hpp"

#include <algorithm>

#include "csp/describe_templates.hpp"  // for standardised_descriptors
#include "materials/elements.hpp"      // for formula_order
#include "materials/substitution.hpp"  // for element_scores

namespace kronite::csp {

MetricInputs::MetricInputs(const ElementTable& table, std::vector<double> mean,
                           std::vector<double> deviation, std::int64_t slots)
    : table_(table),
      mean_(std::move(mean)),
      deviation_(std::move(deviation)),
      slots_(slots),
      features_(table.features().size()),
      scores_(element_scores(table)) {}

std::int64_t MetricInputs::width() const { return slot(slots_); }

std::int64_t MetricInputs::slot(std::int64_t s) const {
  return static_cast<std::int64_t>(mean_.size()) + s * slot_width();
}

std::int64_t MetricInputs::slot_width() const { return static_cast<std::int64_t>(features_); }

std::vector<float> MetricInputs::rows(const std::vector<Composition>& compositions) const {
  const auto width = static_cast<std::size_t>(this->width());
  const auto described = standardised_descriptors(compositions, table_, mean_, deviation_);
  const std::size_t values = mean_.size();
  std::vector<float> rows(compositions.size() * width, 0.0F);
  const auto to_float = [](double v) { return static_cast<float>(v); };
  for (std::size_t i = 0; i < compositions.size(); ++i) {
    auto to = rows.begin() + static_cast<std::ptrdiff_t>(i * width);
    const auto from = described.begin() + static_cast<std::ptrdiff_t>(i * values);
    to = std::transform(from, from + static_cast<std::ptrdiff_t>(values), to, to_float);
    std::vector<ElementAmount> parts = compositions[i].parts();
    std::sort(parts.begin(), parts.end(), [](const ElementAmount& a, const ElementAmount& b) {
      return a.amount != b.amount ? a.amount > b.amount : formula_order(a.z) < formula_order(b.z);
    });
    parts.resize(std::min(parts.size(), static_cast<std::size_t>(slots_)));
    for (const ElementAmount& part : parts) {
      const double* scores = scores_.data() + static_cast<std::size_t>(part.z) * features_;
      to = std::transform(scores, scores + features_, to, to_float);
    }
  }
  return rows;
}

}  // namespace kronite::csp
