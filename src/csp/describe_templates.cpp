// Descriptors of templates, computed when they are needed: one costs about a microsecond.
#include "csp/describe_templates.hpp"

#include <algorithm>
#include <cmath>

namespace kronite::csp {

bool covers(const ElementTable& table, const Composition& composition) {
  return std::all_of(composition.parts().begin(), composition.parts().end(),
                     [&](const ElementAmount& part) { return table.has(part.z); });
}

bool same_composition(const Composition& a, const Composition& b) {
  constexpr double kRounding = 1e-9;
  const auto x = a.fractions(), y = b.fractions();
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [](const ElementAmount& p, const ElementAmount& q) {
                      return p.z == q.z && std::abs(p.amount - q.amount) <= kRounding;
                    });
}

CoveredTemplates covered_templates(const TemplateLibrary& library, TemplateRange range,
                                   const ElementTable& table) {
  CoveredTemplates covered;
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    const Composition composition = library.composition(i);
    if (!covers(table, composition)) continue;
    covered.index.push_back(i);
    covered.compositions.push_back(composition.reduced());
  }
  return covered;
}

std::vector<double> standardised_descriptors(const std::vector<Composition>& compositions,
                                             const ElementTable& table,
                                             const std::vector<double>& mean,
                                             const std::vector<double>& deviation) {
  const std::size_t width = mean.size();
  std::vector<double> x(compositions.size() * width);
  describe(compositions, table,
           MatrixView<double>(x.data(), static_cast<std::int64_t>(compositions.size()),
                              static_cast<std::int64_t>(width)));
  for (std::size_t row = 0; row < x.size(); row += width)
    for (std::size_t f = 0; f < width; ++f) x[row + f] = (x[row + f] - mean[f]) / deviation[f];
  return x;
}

std::unique_ptr<Ranker> Ranker::among(const TemplateLibrary&, std::vector<bool>) const {
  return nullptr;
}

void sort_best_first(std::vector<Ranker::Scored>& scored) {
  std::stable_sort(
      scored.begin(), scored.end(),
      [](const Ranker::Scored& a, const Ranker::Scored& b) { return a.score > b.score; });
}

}  // namespace kronite::csp
