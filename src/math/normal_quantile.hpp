// How many standard deviations a band takes to hold a share of a normal distribution.
#pragma once

#include <cmath>

namespace kronite::math {

/// z with P(|normal| < z) = share, 0 < share < 1: 1 for 0.6827, 1.96 for 0.95. Bisection: any share
/// to all digits, and 100 steps cost nothing here.
inline double deviations_of_share(double share) {
  const double sqrt_half = std::sqrt(0.5);
  double low = 0, high = 40;  // P(|normal| >= 40) is below the smallest double
  for (int step = 0; step < 100; ++step) {
    const double middle = (low + high) / 2;
    // The share outside is compared: it keeps its digits where the share is close to 1.
    (std::erfc(middle * sqrt_half) > 1 - share ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace kronite::math
