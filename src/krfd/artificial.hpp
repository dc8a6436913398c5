// The artificial curves that functional regression is demonstrated with: noisy, and
// known in truth.
#pragma once

#include <cstdint>
#include <vector>

namespace kronite::krfd {

/// y(t) = a sin(b t + c) + d t + e + noise, with a, b from U(1, 5), c from U(0, 3), d from U(-2,
/// 2), e from U(-3, 3), and noise from N(0, 0.2^2). x holds (a, b, c, d, e).
struct ArtificialCurves {
  static constexpr std::int64_t kFeatures = 5;
  static constexpr double kNoise = 0.2;  ///< standard deviation
  static constexpr double kLastPoint = 2;

  std::int64_t systems = 0;
  std::vector<double> x;  ///< systems x 5
  /// Of all curves where they share their points, else of one curve after the other.
  std::vector<double> t;
  std::vector<std::int64_t> curve;  ///< of each t; empty where all curves share their points
  std::vector<double> y;            ///< systems x t, or one for each t
  std::vector<double> truth;        ///< the same without noise
};

/// All curves at `points` equal steps of [0, 2].
ArtificialCurves dense_curves(std::int64_t systems, std::int64_t points, std::uint64_t seed);
/// Each curve at 2 to 20 points of its own, uniform on [0, 2] and in ascending order.
ArtificialCurves sparse_curves(std::int64_t systems, std::uint64_t seed);

}  // namespace kronite::krfd
