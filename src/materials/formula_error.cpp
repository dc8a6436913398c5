// Cutting, cleaning and pointing into a formula for a message.
#include "materials/formula_error.hpp"

#include <algorithm>

#include "base/fail.hpp"  // for fail

namespace kronite {
namespace {

constexpr std::size_t kBeforeCaret = 40;  // bytes of a long formula that are shown
constexpr std::size_t kBehindCaret = 24;

bool continues(char c) { return (c & 0xC0) == 0x80; }

/// Length of the UTF-8 character at the beginning of `text`; 0 when it is none.
std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80            ? 1
                             : lead >> 5 == 0b110   ? 2
                             : lead >> 4 == 0b1110  ? 3
                             : lead >> 3 == 0b11110 ? 4
                                                    : 0;
  if (length == 0 || length > text.size()) return 0;
  return std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(length),
                     continues)
             ? length
             : 0;
}

struct Cleaned {
  std::string text;
  std::size_t characters = 0;
};

Cleaned clean(std::string_view text, std::size_t most) {
  Cleaned cleaned;
  while (!text.empty() && cleaned.characters < most) {
    const std::size_t length = character_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    // U+0080 to U+009F are control characters too.
    const bool shown = length == 1 ? first >= 0x20 && first != 0x7F
                                   : length > 0 && !(first == 0xC2 && text[1] < '\xA0');
    if (shown)
      cleaned.text += text.substr(0, length);
    else
      cleaned.text += '?';
    ++cleaned.characters;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  if (!text.empty()) cleaned.text += "...";
  return cleaned;
}

}  // namespace

std::string printable(std::string_view text, std::size_t most) { return clean(text, most).text; }

std::string_view character_at(std::string_view text, std::size_t at) {
  return text.substr(at, std::max<std::size_t>(character_length(text.substr(at)), 1));
}

void refuse_formula(std::string_view formula, std::size_t at, const std::string& reason) {
  if (formula.empty()) fail(Errc::parse, "cannot read a formula: {}", reason);
  std::size_t from = at > kBeforeCaret ? at - kBeforeCaret : 0;
  while (from < at && continues(formula[from])) ++from;
  const Cleaned before = clean(formula.substr(from, at - from), std::string_view::npos);
  const std::string behind = printable(formula.substr(at), kBehindCaret);
  const std::string cut = from > 0 ? "..." : "";
  fail(Errc::parse, "cannot read the formula \"{}\": {}\n  {}{}{}\n  {:>{}}", printable(formula),
       reason, cut, before.text, behind, '^', cut.size() + before.characters + 1);
}

}  // namespace kronite
