// Cutting and cleaning text for messages.
#include "base/printable.hpp"

#include <algorithm>

namespace kronite {
namespace {

/// Length of the UTF-8 character at the beginning of `text`; 0 when it is none.
std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  std::size_t length = 0;
  if (lead < 0x80)
    length = 1;
  else if (lead >> 5 == 0b110)
    length = 2;
  else if (lead >> 4 == 0b1110)
    length = 3;
  else if (lead >> 3 == 0b11110)
    length = 4;
  if (length > text.size()) return 0;
  const std::string_view rest = text.substr(1, std::max<std::size_t>(length, 1) - 1);
  return std::all_of(rest.begin(), rest.end(), continues_character) ? length : 0;
}

/// Of a whole character; U+0080 to U+009F are control characters too.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
}

}  // namespace

std::string printable(std::string_view text, std::size_t most) {
  std::string shown;
  for (std::size_t characters = 0; !text.empty() && characters < most; ++characters) {
    const std::size_t length = character_length(text);
    if (length == 0 || is_control(text.substr(0, length)))
      shown += '?';
    else
      shown += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  if (!text.empty()) shown += "...";
  return shown;
}

std::string message_line(std::string_view text) {
  constexpr std::size_t kLongest = 2000;  // a path, and room for a sentence
  return printable(text, kLongest);
}

std::string_view character_at(std::string_view text, std::size_t at) {
  return text.substr(at, std::max<std::size_t>(character_length(text.substr(at)), 1));
}

}  // namespace kronite
