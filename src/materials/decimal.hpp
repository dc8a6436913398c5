// Amounts of a formula while it is read: 0.1 three times is 0.3, not 0.30000000000000004.
#pragma once

#include <cstdint>

namespace kronite {

/// A number >= 0, kept as digits * 10^exponent as long as the digits fit 64 bits, and from then on
/// as the nearest double.
class Decimal {
 public:
  constexpr Decimal() = default;
  constexpr Decimal(std::uint64_t digits, int exponent) : digits_(digits), exponent_(exponent) {}
  static constexpr Decimal inexact(double value) {
    Decimal d;
    d.exact_ = false;
    d.value_ = value;
    return d;
  }

  /// The nearest double; infinite or zero when out of range.
  double value() const;
  Decimal& operator*=(const Decimal& other);
  Decimal& operator+=(const Decimal& other);

 private:
  std::uint64_t digits_ = 0;
  int exponent_ = 0;
  bool exact_ = true;
  double value_ = 0;  ///< when not exact
};

}  // namespace kronite
