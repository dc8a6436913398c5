// Making any text safe inside another format.
#pragma once

#include <string>
#include <string_view>

namespace kronite::io {

/// For the text and attributes of HTML and SVG. Control characters become spaces.
std::string escape_markup(std::string_view text);
/// One path segment or file name of a link: percent-encoded but for letters, digits and "-._~".
std::string escape_link(std::string_view text);
/// A text that a spreadsheet would run as a formula (it begins with = + - @) gets an apostrophe in
/// front.
std::string spreadsheet_safe(std::string_view text);
/// On one line: control characters become spaces.
std::string one_line(std::string_view text);

}  // namespace kronite::io
