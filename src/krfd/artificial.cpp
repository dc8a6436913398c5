// Numbers are drawn column by column, each column from a stream of its own.
#include "krfd/artificial.hpp"

#include <algorithm>
#include <cmath>

#include "math/random.hpp"  // for Random

namespace kronite::krfd {
namespace {

constexpr std::uint64_t kNoiseStream = ArtificialCurves::kFeatures, kPointStream = kNoiseStream + 1;

ArtificialCurves begin(std::int64_t systems, std::uint64_t seed) {
  constexpr double kLow[] = {1, 1, 0, -2, -3}, kHigh[] = {5, 5, 3, 2, 3};
  constexpr std::int64_t p = ArtificialCurves::kFeatures;
  ArtificialCurves curves;
  curves.systems = systems;
  curves.x.resize(static_cast<std::size_t>(systems * p));
  for (std::int64_t k = 0; k < p; ++k) {
    math::Random random(seed, static_cast<std::uint64_t>(k));
    for (std::int64_t i = 0; i < systems; ++i)
      curves.x[static_cast<std::size_t>(i * p + k)] = random.uniform(kLow[k], kHigh[k]);
  }
  return curves;
}

double value(const ArtificialCurves& curves, std::int64_t system, double t) {
  const double* x = curves.x.data() + system * ArtificialCurves::kFeatures;
  return x[0] * std::sin(x[1] * t + x[2]) + x[3] * t + x[4];
}

void add_noise(ArtificialCurves& curves, std::uint64_t seed) {
  math::Random random(seed, kNoiseStream);
  curves.y = curves.truth;
  for (double& y : curves.y) y += ArtificialCurves::kNoise * random.normal();
}

}  // namespace

ArtificialCurves dense_curves(std::int64_t systems, std::int64_t points, std::uint64_t seed) {
  ArtificialCurves curves = begin(systems, seed);
  for (std::int64_t j = 0; j < points; ++j)
    curves.t.push_back(points == 1 ? 0.0
                                   : ArtificialCurves::kLastPoint * static_cast<double>(j) /
                                         static_cast<double>(points - 1));
  for (std::int64_t i = 0; i < systems; ++i)
    for (const double t : curves.t) curves.truth.push_back(value(curves, i, t));
  add_noise(curves, seed);
  return curves;
}

ArtificialCurves sparse_curves(std::int64_t systems, std::uint64_t seed) {
  constexpr std::uint64_t kFewest = 2, kMost = 20;
  ArtificialCurves curves = begin(systems, seed);
  math::Random random(seed, kPointStream);
  for (std::int64_t i = 0; i < systems; ++i) {
    const auto points = static_cast<std::int64_t>(kFewest + random.below(kMost - kFewest + 1));
    for (std::int64_t j = 0; j < points; ++j) {
      curves.t.push_back(random.uniform(0, ArtificialCurves::kLastPoint));
      curves.curve.push_back(i);
    }
    std::sort(curves.t.end() - points, curves.t.end());
  }
  for (std::size_t n = 0; n < curves.t.size(); ++n)
    curves.truth.push_back(value(curves, curves.curve[n], curves.t[n]));
  add_noise(curves, seed);
  return curves;
}

}  // namespace kronite::krfd
