// The order of kernels/ranking.hpp as one unsigned number per value: smaller is better, equal
// values have equal keys. Radix selection and sorting work on these.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/host_device.hpp"  // for KRONITE_HD

namespace kronite {

template <class T>
using RankingKey = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// NaN has the largest key of all. The bits of an IEEE number order like an integer once the
/// negative ones are reversed; -0 counts as +0.
template <bool largest, class T>
KRONITE_HD inline RankingKey<T> ranking_key(T value) {
  using Key = RankingKey<T>;
  constexpr Key kSign = Key{1} << (8 * sizeof(Key) - 1);
  if (value != value) return static_cast<Key>(~Key{0});
  if (value == T{0}) value = T{0};
  Key bits;
  std::memcpy(&bits, &value, sizeof bits);
  const Key ascending = (bits & kSign) ? static_cast<Key>(~bits) : static_cast<Key>(bits | kSign);
  return largest ? static_cast<Key>(~ascending) : ascending;
}

/// The value of a key; -0 comes back as +0, and NaN as one NaN.
template <bool largest, class T>
KRONITE_HD inline T ranking_value(RankingKey<T> key) {
  using Key = RankingKey<T>;
  constexpr Key kSign = Key{1} << (8 * sizeof(Key) - 1);
  const Key ascending = largest && key != static_cast<Key>(~Key{0}) ? static_cast<Key>(~key) : key;
  const Key bits =
      (ascending & kSign) ? static_cast<Key>(ascending ^ kSign) : static_cast<Key>(~ascending);
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace kronite
