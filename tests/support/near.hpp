// Comparison of whole matrices, with the worst place in the message.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "support/matrix.hpp"  // for HostMatrix

namespace kronite::test {

/// |actual - expected| <= absolute + relative * |expected|.
struct Tolerance {
  double absolute = 0;
  double relative = 0;
};

template <class T>
inline constexpr double kEpsilon = std::numeric_limits<T>::epsilon();

/// Every value within the tolerance (NaN equals NaN), and the padding as it was.
template <class T>
::testing::AssertionResult near(const HostMatrix<T>& actual, const HostMatrix<double>& expected,
                                Tolerance tolerance) {
  if (actual.rows != expected.rows || actual.cols != expected.cols)
    return ::testing::AssertionFailure() << "the shapes differ";
  if (!actual.padding_is_untouched())
    return ::testing::AssertionFailure() << "values between the rows were written";
  for (std::int64_t i = 0; i < actual.rows; ++i)
    for (std::int64_t j = 0; j < actual.cols; ++j) {
      const double a = static_cast<double>(actual.at(i, j)), e = expected.at(i, j);
      if (a == e || (std::isnan(a) && std::isnan(e))) continue;
      const double allowed = tolerance.absolute + tolerance.relative * std::abs(e);
      if (!(std::abs(a - e) <= allowed))
        return ::testing::AssertionFailure()
               << "at (" << i << ", " << j << "): " << a << " instead of " << e << ", off by "
               << std::abs(a - e) << " where " << allowed << " is allowed";
    }
  return ::testing::AssertionSuccess();
}

}  // namespace kronite::test
