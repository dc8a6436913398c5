// Random numbers against published values of their generator and the laws that they promise.
#include "math/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <vector>

namespace kronite::math {
namespace {

std::array<std::uint32_t, 4> philox_of(const std::array<std::uint32_t, 4>& c, std::uint32_t key0,
                                       std::uint32_t key1) {
  const RandomBits bits =
      philox({{c[0], c[1], c[2], c[3]}}, std::uint64_t{key1} << 32 | std::uint64_t{key0});
  return {bits.v[0], bits.v[1], bits.v[2], bits.v[3]};
}

TEST(Philox, GivesThePublishedAnswers) {
  // philox4x32 of 10 rounds in the known-answer file of Random123 (Salmon et al. 2011).
  using Words = std::array<std::uint32_t, 4>;
  constexpr std::uint32_t ones = 0xffffffff;

  EXPECT_EQ(philox_of({0, 0, 0, 0}, 0, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox_of({ones, ones, ones, ones}, ones, ones),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox_of({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, OfOneSeedAndStreamIsTheSame) {
  Random a(5, 3), b(5, 3);

  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.bits(), b.bits());
}

TEST(Random, OfOtherSeedsAndStreamsIsUncorrelated) {
  constexpr int n = 20000;
  for (Random other : {Random(1, 1), Random(2, 0), Random(1, std::uint64_t{1} << 32)}) {
    Random first(1, 0);
    double products = 0;
    for (int i = 0; i < n; ++i) products += (first.uniform() - 0.5) * (other.uniform() - 0.5);
    // Products of two uniform numbers about 0 have deviation 1/12; four deviations of their mean.
    EXPECT_NEAR(products / n, 0, 4.0 / 12 / std::sqrt(n));
  }
}

TEST(Random, UniformFillsTheUnitIntervalEvenly) {
  Random random(1);
  std::array<int, 10> bins{};
  constexpr int n = 100000;

  for (int i = 0; i < n; ++i) {
    const double x = random.uniform();
    ASSERT_GE(x, 0);
    ASSERT_LT(x, 1);
    ++bins[static_cast<std::size_t>(10 * x)];
  }

  // Counts have deviation sqrt(n 0.1 0.9) = 95; four and a half of them.
  for (const int count : bins) EXPECT_NEAR(count, n / 10, 430);
}

TEST(Random, UniformBetweenBoundsStaysBetweenThem) {
  Random random(1);
  double least = 10, most = -10;

  for (int i = 0; i < 10000; ++i) {
    const double x = random.uniform(-3, 2);
    least = std::min(least, x);
    most = std::max(most, x);
  }

  EXPECT_GE(least, -3);
  EXPECT_LT(most, 2);
  EXPECT_LT(least, -2.99);
  EXPECT_GT(most, 1.99);
}

TEST(Random, BelowGivesEveryValueAsOften) {
  Random random(1);
  std::array<int, 7> counts{};
  constexpr int n = 70000;

  for (int i = 0; i < n; ++i) ++counts.at(random.below(7));

  for (const int count : counts) EXPECT_NEAR(count, n / 7, 420);  // 4.5 sqrt(n 1/7 6/7)
  EXPECT_EQ(random.below(1), 0U);
  EXPECT_LT(random.below(~std::uint64_t{0}), ~std::uint64_t{0});
}

TEST(Random, NormalHasMeanZeroAndVarianceOne) {
  Random random(1);
  double sum = 0, squares = 0;
  constexpr int n = 100000;

  for (int i = 0; i < n; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
  }

  EXPECT_NEAR(sum / n, 0, 4 / std::sqrt(n));                     // four deviations
  EXPECT_NEAR(squares / n, 1, 4 * std::sqrt(2) / std::sqrt(n));  // of x^2: sqrt 2
}

TEST(Random, ShuffleGivesEveryPermutationAsOften) {
  std::map<std::array<int, 4>, int> counts;
  Random random(1);
  constexpr int n = 24000;

  for (int i = 0; i < n; ++i) {
    std::array<int, 4> values{0, 1, 2, 3};
    random.shuffle(std::span<int>(values));
    ++counts[values];
  }

  EXPECT_EQ(counts.size(), 24U);
  // Counts have deviation sqrt(1,000), and there are 24 of them: four and a half deviations.
  for (const auto& [permutation, count] : counts) EXPECT_NEAR(count, 1000, 142);
}

TEST(Random, ShuffleOfManyKeepsEveryValueOnce) {
  std::vector<int> values(10000);
  std::iota(values.begin(), values.end(), 0);
  const std::vector<int> sorted = values;

  Random(3).shuffle(std::span<int>(values));

  EXPECT_NE(values, sorted);
  std::sort(values.begin(), values.end());
  EXPECT_EQ(values, sorted);
}

}  // namespace
}  // namespace kronite::math
