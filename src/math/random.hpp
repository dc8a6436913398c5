// Random numbers that are a function of a seed and a stream alone: the same on every machine.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <utility>

#include "kernels/philox.hpp"  // for philox

namespace kronite::math {

/// Draws from one of 2^64 independent streams of a seed. Streams are given out by what is drawn (an
/// epoch, a member), so that a draw does not depend on how many came before elsewhere.
class Random {
 public:
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  std::uint32_t bits() {
    if (next_ == 4) {
      block_ =
          philox({{static_cast<std::uint32_t>(count_), static_cast<std::uint32_t>(count_ >> 32),
                   static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)}},
                 seed_);
      ++count_;
      next_ = 0;
    }
    return block_.v[next_++];
  }
  std::uint64_t bits64() {
    const std::uint64_t high = bits();
    return high << 32 | bits();
  }

  /// In [0, 1), 53 bits.
  double uniform() { return static_cast<double>(bits64() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// In [0, n), n >= 1; every value equally likely.
  std::uint64_t below(std::uint64_t n) {
    const std::uint64_t excess = (0 - n) % n;  // 2^64 mod n: so many values are one too many
    for (;;)
      if (const std::uint64_t x = bits64(); x >= excess) return x % n;
  }
  /// Mean 0, variance 1 (Box and Muller).
  double normal() {
    constexpr double kTwoPi = 6.283185307179586;
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(kTwoPi * uniform());
  }

  /// Every order equally likely (Fisher and Yates).
  template <class T>
  void shuffle(std::span<T> values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  std::uint64_t seed_, stream_, count_ = 0;
  RandomBits block_{};
  int next_ = 4;
};

}  // namespace kronite::math
