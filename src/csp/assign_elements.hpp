// Which element of a query takes the place of which element of a template.
#pragma once

#include "kronite/csp.hpp"             // for Assignment
#include "materials/substitution.hpp"  // for ElementDissimilarity

namespace kronite::csp {

/// As the public assign_elements, with the dissimilarities made once for many calls.
Assignment assign_elements(const Composition& query, const Composition& candidate,
                           const ElementDissimilarity& dissimilarity);

}  // namespace kronite::csp
