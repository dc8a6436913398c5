// Round numbers for the ticks of an axis.
#pragma once

#include <string>
#include <vector>

namespace kronite::io {

struct Ticks {
  double low = 0, high = 1;  ///< ends of the axis
  std::vector<double> values;
  std::vector<std::string> labels;
};

/// Ticks at multiples of 1, 2 or 5 times a power of ten, about `count` of them, inside [low, high],
/// low < high.
Ticks round_ticks(double low, double high, int count);

}  // namespace kronite::io
