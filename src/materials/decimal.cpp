// Exact decimal arithmetic in 64 bits, with doubles behind it.
#include "materials/decimal.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <string>
#include <utility>

namespace kronite {
namespace {

/// Powers of ten that a double holds exactly.
constexpr std::array<double, 23> kExactPowers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr std::uint64_t kExactIntegers = std::uint64_t{1} << std::numeric_limits<double>::digits;

double nearest_double(std::uint64_t digits, int exponent) {
  const std::string text = fmt::format("{}e{}", digits, exponent);
  double value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec ==
      std::errc::result_out_of_range)
    return exponent > 0 ? std::numeric_limits<double>::infinity() : 0.0;
  return value;
}

}  // namespace

double Decimal::value() const {
  if (!exact_) return value_;
  if (digits_ == 0) return 0;
  // One rounding of exact operands gives the nearest double.
  if (digits_ <= kExactIntegers && exponent_ >= -22 && exponent_ <= 22) {
    const auto digits = static_cast<double>(digits_);
    return exponent_ < 0 ? digits / kExactPowers[-exponent_] : digits * kExactPowers[exponent_];
  }
  return nearest_double(digits_, exponent_);
}

Decimal& Decimal::operator*=(const Decimal& other) {
  std::uint64_t digits = 0;
  if (exact_ && other.exact_ && !__builtin_mul_overflow(digits_, other.digits_, &digits))
    return *this = Decimal(digits, exponent_ + other.exponent_);
  return *this = inexact(value() * other.value());
}

Decimal& Decimal::operator+=(const Decimal& other) {
  Decimal coarse = *this, fine = other;
  if (coarse.exponent_ < fine.exponent_) std::swap(coarse, fine);
  bool exact = exact_ && other.exact_;
  for (; exact && coarse.exponent_ > fine.exponent_; --coarse.exponent_)
    exact = !__builtin_mul_overflow(coarse.digits_, std::uint64_t{10}, &coarse.digits_);
  exact = exact && !__builtin_add_overflow(coarse.digits_, fine.digits_, &fine.digits_);
  return *this = exact ? fine : inexact(value() + other.value());
}

}  // namespace kronite
