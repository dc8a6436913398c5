// Checks of compositions against an element table.
#pragma once

#include "kronite/composition.hpp"  // for Composition, ElementTable

namespace kronite {

/// @throws Error invalid_argument, naming the formula and its first element that is not in `table`.
void require_elements(const Composition& composition, const ElementTable& table);

}  // namespace kronite
