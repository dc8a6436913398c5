// Text of unknown origin inside a message: safe to print whatever bytes it holds, and short.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kronite {

/// At most `most` characters of the text; control characters and bytes that are not UTF-8 become
/// "?", what is left out becomes "...".
std::string printable(std::string_view text, std::size_t most = 60);

/// A message on one line, whatever bytes the names in it hold; only an absurdly long one is cut.
std::string message_line(std::string_view text);

/// The character (not byte) of the text that begins at byte `at`.
std::string_view character_at(std::string_view text, std::size_t at);

/// Whether a byte is inside a UTF-8 character, not at its beginning.
constexpr bool continues_character(char c) { return (c & 0xC0) == 0x80; }

}  // namespace kronite
