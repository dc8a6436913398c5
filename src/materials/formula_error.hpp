// Messages about formulas: safe to print whatever bytes the text holds, and short however long it
// is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kronite {

/// At most `most` characters of the text; control characters and bytes that are not UTF-8 become
/// "?", what is left out becomes "...".
std::string printable(std::string_view text, std::size_t most = 60);

/// The character (not byte) of the text that begins at byte `at`.
std::string_view character_at(std::string_view text, std::size_t at);

/// Throws Error parse: the reason, and below it the formula with a caret under byte `at`.
[[noreturn]] void refuse_formula(std::string_view formula, std::size_t at,
                                 const std::string& reason);

}  // namespace kronite
