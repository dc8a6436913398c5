// Inputs that are safetensors files, whose header hardly any change of its text would survive.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace kronite::fuzz {

inline constexpr std::size_t kLengthBytes = 8;

/// Length of the JSON object at the beginning of the text, with the spaces behind it.
inline std::size_t object_length(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\')
      ++i;
    else if (c == '"')
      in_string = !in_string;
    else if (!in_string && c == '{')
      ++depth;
    else if (!in_string && c == '}' && --depth == 0)
      return std::min(text.find_first_not_of(' ', i + 1), text.size());
  }
  return text.size();
}

/// The same with the length that its header has.
inline std::string with_right_length(std::string_view file) {
  if (file.size() < kLengthBytes) return std::string(file);
  const std::uint64_t length = object_length(file.substr(kLengthBytes));
  std::string mended(file);
  std::memcpy(mended.data(), &length, sizeof length);
  return mended;
}

}  // namespace kronite::fuzz
