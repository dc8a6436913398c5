// Fixed numbers for tests and benches: value i of stream `seed`, the same on every machine.
#pragma once

#include <cstdint>
#include <vector>

namespace kronite::test {

/// 64 well-mixed bits of a counter (the finaliser of SplitMix64).
inline std::uint64_t random_bits(std::uint64_t seed, std::uint64_t i) {
  std::uint64_t x = (seed << 32) + i + 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

/// Uniform in [-1, 1), on a grid that float holds exactly.
inline double random_value(std::uint64_t seed, std::uint64_t i) {
  return static_cast<double>(random_bits(seed, i) >> 41) / (1 << 22) - 1;
}

/// Integers in [0, end).
inline std::vector<std::int32_t> random_indices(std::uint64_t seed, std::int64_t count,
                                                std::int64_t end) {
  std::vector<std::int32_t> indices;
  for (std::int64_t i = 0; i < count; ++i)
    indices.push_back(static_cast<std::int32_t>(random_bits(seed, static_cast<std::uint64_t>(i)) %
                                                static_cast<std::uint64_t>(end)));
  return indices;
}

}  // namespace kronite::test
