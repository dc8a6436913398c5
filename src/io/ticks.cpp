// Choosing ticks and writing their numbers.
#include "io/ticks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kronite::io {
namespace {

/// The smallest of 1, 2, 5 times a power of ten that is not below `least`.
double round_step(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

/// With as many decimals as the step has; by powers of ten where that would be long.
std::string label(double value, double step, double largest) {
  constexpr double kLong = 1e6, kShort = 1e-4;
  if (value == 0) return "0";
  std::string text;
  if (largest >= kLong || step < kShort) {
    text = fmt::format("{:.6g}", value);
  } else {
    const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
    text = fmt::format("{:.{}f}", value, decimals);
  }
  return text.starts_with('-') ? "\u2212" + text.substr(1) : text;
}

}  // namespace

Ticks round_ticks(double low, double high, int count) {
  Ticks ticks{low, high, {}, {}};
  const double step = round_step((high - low) / std::max(count, 1));
  const double largest = std::max(std::abs(low), std::abs(high));
  // Steps are counted, not added up, so that zero is zero.
  const double first = std::ceil(low / step - 1e-9), last = std::floor(high / step + 1e-9);
  for (double k = first; k <= last; ++k) {
    ticks.values.push_back(k * step);
    ticks.labels.push_back(label(k * step, step, largest));
  }
  return ticks;
}

}  // namespace kronite::io
