// Base 26 with a = 0, padded with a.
#include "io/material_id.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "base/ascii.hpp"  // for is_digit, is_lower

namespace kronite::io {
namespace {

/// False for what is no number of that base, or one too large to be an id.
bool read_number(std::string_view digits, char zero, std::uint64_t base, std::uint64_t& number) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max() / 32;
  number = 0;
  for (const char c : digits) {
    if (number > kMost) return false;
    number = number * base + static_cast<std::uint64_t>(c - zero);
  }
  return !digits.empty();
}

}  // namespace

std::string canonical_id(std::string_view id) {
  for (const std::string_view prefix : {"mp-", "mvc-"}) {
    if (!id.starts_with(prefix)) continue;
    const std::string_view tail = id.substr(prefix.size());
    std::uint64_t number;
    if ((std::all_of(tail.begin(), tail.end(), is_digit) && read_number(tail, '0', 10, number)) ||
        (std::all_of(tail.begin(), tail.end(), is_lower) && read_number(tail, 'a', 26, number)))
      return std::string(prefix) + std::to_string(number);
  }
  return std::string(id);
}

}  // namespace kronite::io
