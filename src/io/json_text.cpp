// simdjson says that a text is wrong, nlohmann-json says where.
#include "io/json_text.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kronite::io {

bool null_for_nan(std::string& text) {
  bool replaced = false, in_string = false;
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    if (in_string && text[i] == '\\' && i + 1 < text.size()) {
      result.append(text, i, 2);
      i += 2;
      continue;
    }
    if (text[i] == '"') in_string = !in_string;
    std::size_t length = 0;
    if (!in_string)
      for (const std::string_view word : {"NaN", "-Infinity", "Infinity"})
        if (length == 0 && text.compare(i, word.size(), word) == 0) length = word.size();
    if (length > 0) {
      result += "null";
      replaced = true;
    } else {
      result += text[i];
    }
    i += std::max<std::size_t>(length, 1);
  }
  if (replaced) text = std::move(result);
  return replaced;
}

std::string syntax_error(const std::string& text) {
  using nlohmann::json;
  try {
    // The callback throws every value away: only the syntax is looked at.
    [[maybe_unused]] const json nothing =
        json::parse(text, [](int, json::parse_event_t, json&) { return false; });
  } catch (const json::exception& error) {
    const std::string what = error.what();  // "[json.exception...] parse error at line 3, ..."
    const std::size_t from = what.find("] ");
    return "not JSON: " + (from == std::string::npos ? what : what.substr(from + 2));
  }
  return "not JSON that can be read: nested too deeply, or a number is out of range";
}

}  // namespace kronite::io
