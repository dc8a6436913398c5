// Repairs and explanations of JSON text, for files that the fast parser refuses.
#pragma once

#include <string>

namespace kronite::io {

/// Replaces NaN, Infinity and -Infinity outside strings by null; false when there are none.
bool null_for_nan(std::string& text);

/// Why the text is not JSON, with line and column.
std::string syntax_error(const std::string& text);

}  // namespace kronite::io
