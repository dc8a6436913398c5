// Slopes by finite differences, the oracle of gradients.
#pragma once

#include <functional>

#include "support/near.hpp"  // for Tolerance

namespace kronite::test {

/// (f(+h) - f(-h)) / 2h of the value that `x` names.
inline double slope(double& x, const std::function<double()>& f) {
  constexpr double h = 1e-5;
  const double at = x;
  x = at + h;
  const double up = f();
  x = at - h;
  const double down = f();
  x = at;
  return (up - down) / (2 * h);
}

/// Third derivatives of size 100 times h^2, and rounding of sums of size ten over h: both 1e-9.
inline constexpr Tolerance kSlopeTolerance{1e-7, 1e-7};

}  // namespace kronite::test
