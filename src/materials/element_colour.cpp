// Conventional colours, and a rule for the rest.
#include "materials/element_colour.hpp"

#include <fmt/format.h>  // for format

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace kronite {
namespace {

/// Common elements: atomic number and 0xRRGGBB.
constexpr std::array<std::pair<int, std::uint32_t>, 27> kConventional{{
    {1, 0xf2f2f2},  {5, 0xf4a89a},  {6, 0x5b5f66},  {7, 0x3b5bdb},  {8, 0xe5322d},  {9, 0x8fd14f},
    {11, 0x9b6ddf}, {12, 0x5fb760}, {13, 0xa9b7c9}, {14, 0xe0b877}, {15, 0xf08c2e}, {16, 0xf2d13d},
    {17, 0x2fb344}, {19, 0x7d4cc2}, {20, 0x3f9d6b}, {22, 0x7f9fb8}, {24, 0x6f86d6}, {26, 0xc8622b},
    {27, 0xd7679b}, {28, 0x4fb58a}, {29, 0xc98152}, {30, 0x7c80b0}, {35, 0x9c3b2a}, {38, 0x2fc28b},
    {47, 0xbfc4cc}, {53, 0x8a2be2}, {79, 0xe3b82c},
}};

struct Place {
  int period, group;  // group 0: the f block
  int f_index;        // 0..14 in the f block
};

/// Period and group (1..18) of an atomic number.
Place place(int z) {
  constexpr std::array<int, 7> kNobleGas{2, 10, 18, 36, 54, 86, 118};
  int period = 1, before = 0;
  for (const int noble : kNobleGas) {
    if (z <= noble) break;
    before = noble;
    ++period;
  }
  const int length = kNobleGas[static_cast<std::size_t>(period - 1)] - before;
  int column = z - before;  // from 1
  if (length == 32 && column >= 3 && column <= 17) return {period, 0, column - 3};
  if (length == 32 && column > 17) column -= 14;
  if (length == 8 && column > 2) column += 10;
  if (length == 2 && column == 2) column = 18;
  return {period, column, 0};
}

/// Degrees on the colour circle, one per group 1..18.
constexpr std::array<double, 18> kHueOfGroup{272, 150, 176, 184, 193, 202, 211, 220, 229,
                                             238, 247, 256, 24,  34,  44,  54,  290, 186};

Colour from_hsl(double hue, double saturation, double lightness) {
  const double a = saturation * std::min(lightness, 1 - lightness);
  const auto channel = [&](double n) {
    const double k = std::fmod(n + hue / 30, 12);
    const double value = lightness - a * std::max(-1.0, std::min({k - 3, 9 - k, 1.0}));
    return static_cast<std::uint8_t>(std::lround(255 * value));
  };
  return {channel(0), channel(8), channel(4)};
}

}  // namespace

std::string Colour::hex() const { return fmt::format("#{:02x}{:02x}{:02x}", red, green, blue); }

Colour Colour::shaded(double amount) const {
  const auto mix = [amount](std::uint8_t x) {
    const double target = amount > 0 ? 255 : 0;
    return static_cast<std::uint8_t>(std::lround(x + std::abs(amount) * (target - x)));
  };
  return {mix(red), mix(green), mix(blue)};
}

Colour element_colour(int z) {
  for (const auto& [number, rgb] : kConventional)
    if (number == z)
      return {static_cast<std::uint8_t>(rgb >> 16), static_cast<std::uint8_t>(rgb >> 8 & 0xff),
              static_cast<std::uint8_t>(rgb & 0xff)};
  const Place at = place(z);
  if (at.group == 0) {  // lanthanides green to teal, actinides pink to red
    const double hue = (at.period == 6 ? 90.0 : 300.0) + 5.0 * at.f_index;
    return from_hsl(hue, 0.48, 0.46 + 0.018 * at.f_index);
  }
  return from_hsl(kHueOfGroup[static_cast<std::size_t>(at.group - 1)], 0.46,
                  0.74 - 0.06 * (at.period - 1));
}

}  // namespace kronite
