// Which values dropout takes: a function of the key, the row and the unit alone.
#pragma once

#include <cstdint>

#include "device/ops.hpp"           // for DropoutKey
#include "kernels/host_device.hpp"  // for KRONITE_HD
#include "kernels/philox.hpp"       // for philox

namespace kronite {

/// Units that share one draw of random bits, 16 bits each.
inline constexpr int kDropoutGroup = 8;

/// A value is dropped when its 16 bits are below this: the rate to 1 / 65536.
KRONITE_HD inline std::uint32_t dropout_threshold(double rate) {
  return static_cast<std::uint32_t>(rate * 65536 + 0.5);
}

/// Bits of the units 8 g ... 8 g + 7 of row n.
KRONITE_HD inline RandomBits dropout_bits(const DropoutKey& key, std::int64_t n, std::int64_t g) {
  return philox(
      {{static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(g), key.step, key.layer}},
      key.seed);
}

/// Whether unit 8 g + i is dropped, given bits = dropout_bits(key, n, g).
KRONITE_HD inline bool dropped_out(const RandomBits& bits, int i, std::uint32_t threshold) {
  return ((bits.v[i / 2] >> (i % 2 * 16)) & 0xFFFF) < threshold;
}

}  // namespace kronite
