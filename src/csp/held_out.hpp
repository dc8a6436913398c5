// Lists of formulas to be held out of training and templates.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kronite/templates.hpp"  // for TemplateLibrary

namespace kronite::csp {

/// `lists` lists of `count` formulas each, no formula in two of them: the library's different
/// reduced formulas, ascending, are shuffled, and list i is the i-th run of `count`. So the first
/// lists stay the same when more are asked for, and the first formulas of a list are a smaller
/// draw.
/// @throws Error invalid_argument when the library has not so many formulas, or for counts < 1.
std::vector<std::vector<std::string>> draw_formulas(const TemplateLibrary& library,
                                                    std::int64_t count, std::int64_t lists,
                                                    std::uint64_t seed);

}  // namespace kronite::csp
