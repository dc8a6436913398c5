// Which values dropout takes: a function of the key, the row and the unit alone.
#pragma once

#include <cstdint>

#include "device/ops.hpp"           // for DropoutKey
#include "kernels/host_device.hpp"  // for KRONITE_HD
#include "kernels/philox.hpp"       // for philox

namespace kronite {

/// 32 units share four draws of random bits: unit u takes 16 bits, slot (u % 32) / 4, of the draw
/// 4 (u / 32) + u % 4. So four neighbours lie in the same slot of four draws, which suits vectors.
inline constexpr int kDropoutBlock = 32;
inline constexpr int kDropoutDraws = 4;

struct DropoutPlace {
  std::int64_t draw;
  int slot;
};
KRONITE_HD inline DropoutPlace dropout_place(std::int64_t unit) {
  return {unit / kDropoutBlock * kDropoutDraws + unit % kDropoutDraws,
          static_cast<int>(unit % kDropoutBlock / kDropoutDraws)};
}

/// The other way round.
KRONITE_HD inline std::int64_t dropout_unit(std::int64_t draw, int slot) {
  return draw / kDropoutDraws * kDropoutBlock + slot * kDropoutDraws + draw % kDropoutDraws;
}
/// Draws that cover so many units.
KRONITE_HD inline std::int64_t dropout_draws(std::int64_t units) {
  return (units + kDropoutBlock - 1) / kDropoutBlock * kDropoutDraws;
}

/// A value is dropped when its 16 bits are below this: the rate to 1 / 65536.
KRONITE_HD inline std::uint32_t dropout_threshold(double rate) {
  return static_cast<std::uint32_t>(rate * 65536 + 0.5);
}

/// The bits of a draw of row n.
KRONITE_HD inline RandomBits dropout_bits(const DropoutKey& key, std::int64_t n,
                                          std::int64_t draw) {
  return philox(
      {{static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(draw), key.step, key.layer}},
      key.seed);
}

/// The 16 bits of a slot.
KRONITE_HD inline std::uint32_t dropout_slot(const RandomBits& bits, int slot) {
  return (bits.v[slot / 2] >> (slot % 2 * 16)) & 0xFFFF;
}

/// Whether row n loses this unit.
KRONITE_HD inline bool dropped_out(const DropoutKey& key, std::int64_t n, std::int64_t unit,
                                   std::uint32_t threshold) {
  const DropoutPlace place = dropout_place(unit);
  return dropout_slot(dropout_bits(key, n, place.draw), place.slot) < threshold;
}

}  // namespace kronite
