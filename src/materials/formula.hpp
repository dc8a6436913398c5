// The reader of chemical formulas; its grammar is in docs/formats.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kronite/composition.hpp"  // for ElementAmount

namespace kronite {

/// Elements and amounts by ascending atomic number, each element once. What is worth a word to the
/// user is appended to `notices`, which may be null.
/// @throws Error parse, with the formula and a caret under the offending character.
std::vector<ElementAmount> parse_formula(std::string_view formula,
                                         std::vector<std::string>* notices);

}  // namespace kronite
