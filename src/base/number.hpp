// Numbers in text, whatever the locale.
#pragma once

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

namespace kronite {

/// The number that the whole of `text` is, as "-1.5e3", "+2", "nan" or "inf".
inline std::optional<double> to_any_number(std::string_view text) {
  const bool plus = text.starts_with('+');
  if (plus) text.remove_prefix(1);
  if (plus && text.starts_with('-')) return {};
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return {};
  return value;
}

/// The same, but of finite numbers only.
inline std::optional<double> to_number(std::string_view text) {
  const auto value = to_any_number(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

}  // namespace kronite
