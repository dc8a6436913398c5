// How the refusal of a formula looks.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kronite {

/// Throws Error parse: the reason, and below it the formula with a caret under byte `at`. Of a long
/// formula only the part around the caret is shown.
[[noreturn]] void refuse_formula(std::string_view formula, std::size_t at,
                                 const std::string& reason);

}  // namespace kronite
