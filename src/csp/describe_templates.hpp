// What rankers share: the templates that can be ranked, their standardised descriptors, the order.
#pragma once

#include <cstdint>
#include <vector>

#include "kronite/csp.hpp"  // for Ranker

namespace kronite::csp {

/// Whether all elements are in the table.
bool covers(const ElementTable& table, const Composition& composition);

/// The same elements in the same proportions, however the amounts are written: Na0.5Cl0.5 is NaCl.
bool same_composition(const Composition& a, const Composition& b);

/// Templates whose elements are all in an element table.
struct CoveredTemplates {
  std::vector<std::int64_t> index;        ///< in the library, ascending
  std::vector<Composition> compositions;  ///< reduced
};
CoveredTemplates covered_templates(const TemplateLibrary& library, TemplateRange range,
                                   const ElementTable& table);

/// Descriptors, each value less its mean and over its standard deviation; row by row.
std::vector<double> standardised_descriptors(const std::vector<Composition>& compositions,
                                             const ElementTable& table,
                                             const std::vector<double>& mean,
                                             const std::vector<double>& deviation);

/// Best first; equal scores keep their order.
void sort_best_first(std::vector<Ranker::Scored>& scored);

}  // namespace kronite::csp
