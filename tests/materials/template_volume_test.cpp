// Atomic volumes: known ones are found again.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "materials/atomic_volume.hpp"

namespace kronite {
namespace {

/// Made-up volumes between 5 and 30 Å^3.
double true_volume(int z) { return 5 + 25 * std::fabs(std::sin(1.7 * z)); }

std::vector<VolumeSample> samples(int count, double noise, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> element(1, 40), amount(1, 6);
  std::normal_distribution<double> error(0, noise);
  std::vector<VolumeSample> made;
  for (int i = 0; i < count; ++i) {
    std::vector<ElementAmount> parts;
    double volume = 0;
    for (int k = 0; k < 3; ++k) {
      parts.push_back({element(random), static_cast<double>(amount(random))});
      volume += parts.back().amount * true_volume(parts.back().z);
    }
    made.push_back({Composition(parts), volume * (1 + error(random))});
  }
  return made;
}

TEST(AtomicVolumes, AreFoundAgainWhereThereIsEnoughData) {
  const auto fitted = fit_atomic_volumes(samples(4000, 0, 5));

  // 4,000 samples outweigh the prior of 0.02 samples per element by far.
  for (int z = 1; z <= 40; ++z) EXPECT_NEAR(fitted[z], true_volume(z), 0.01 * true_volume(z)) << z;
}

TEST(AtomicVolumes, AreNotPulledByAFewMistakenCells) {
  std::vector<VolumeSample> made = samples(4000, 0.01, 6);
  for (std::size_t i = 0; i < made.size(); i += 50) made[i].volume *= 4;

  const auto fitted = fit_atomic_volumes(made);

  // Plain least squares would be off by about 2 % x 300 % = 6 %; Huber's weights leave a third.
  for (int z = 1; z <= 40; ++z) EXPECT_NEAR(fitted[z], true_volume(z), 0.04 * true_volume(z)) << z;
}

TEST(AtomicVolumes, AreZeroForElementsThatWereNeverSeenAndPositiveForTheOthers) {
  const auto fitted = fit_atomic_volumes(samples(50, 0.2, 7));

  for (int z = 1; z <= 40; ++z) EXPECT_GE(fitted[z], 0) << z;
  for (int z = 41; z <= kElements; ++z) EXPECT_EQ(fitted[z], 0) << z;
}

TEST(AtomicVolumes, FallBackToTheTableInProportionWhereOneCellIsAllThereIs) {
  const VolumeSample salt{Composition::parse("Na4Cl4"), 180};

  const auto fitted = fit_atomic_volumes({salt});

  EXPECT_NEAR(4 * fitted[11] + 4 * fitted[17], 180, 1);
  EXPECT_GT(fitted[11], 5);
  EXPECT_GT(fitted[17], 5);
}

TEST(AtomicVolumes, OfNothingAreZero) {
  for (const double v : fit_atomic_volumes({})) EXPECT_EQ(v, 0);
}

}  // namespace
}  // namespace kronite
