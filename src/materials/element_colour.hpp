// The colour of each element in drawings.
#pragma once

#include <cstdint>
#include <string>

namespace kronite {

struct Colour {
  std::uint8_t red = 0, green = 0, blue = 0;

  std::string hex() const;  ///< "#ff0d0d"
  /// Towards white (amount > 0) or black (amount < 0), amount in -1..1.
  Colour shaded(double amount) const;
};

/// The hues that chemists expect of the common elements (H white, C grey, N blue, O red, S yellow,
/// halogens green to violet); the others by their place in the periodic table: hue by group,
/// lightness by period. No two elements share a colour.
Colour element_colour(int z);

}  // namespace kronite
