// A name for content: tells whether two inputs are the same, not whether someone forged one.
#pragma once

#include <fmt/format.h>  // for format

#include <cstdint>
#include <string>
#include <string_view>

namespace kronite {

/// 64-bit FNV-1a.
class ContentHash {
 public:
  void take(std::string_view bytes) {
    for (const char c : bytes) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  }
  /// 16 hexadecimal digits.
  std::string hex() const { return fmt::format("{:016x}", hash_); }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325;
};

inline std::string content_hash(std::string_view bytes) {
  ContentHash hash;
  hash.take(bytes);
  return hash.hex();
}

}  // namespace kronite
