// Drawing without replacement: distinct, ascending, every choice as likely as any other.
#include "math/sampling.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace kronite::math {
namespace {

TEST(DrawDistinct, GivesSoManyDifferentNumbersInOrder) {
  Random random(1);

  for (const std::int64_t n : {1, 2, 7, 1000})
    for (std::int64_t k = 0; k <= n; k += n < 10 ? 1 : 100) {
      const auto drawn = draw_distinct(random, n, k);
      EXPECT_EQ(static_cast<std::int64_t>(drawn.size()), k);
      EXPECT_TRUE(std::is_sorted(drawn.begin(), drawn.end(), std::less_equal<>{}));
      if (k > 0) {
        EXPECT_GE(drawn.front(), 0);
        EXPECT_LT(drawn.back(), n);
      }
    }
}

TEST(DrawDistinct, OfNothingIsNothing) {
  Random random(1);

  EXPECT_TRUE(draw_distinct(random, 0, 0).empty());
}

TEST(DrawDistinct, NeverWritesALargeSetDown) {
  Random random(2);

  const auto drawn = draw_distinct(random, std::int64_t{1} << 60, 1000);

  EXPECT_EQ(drawn.size(), 1000U);
}

TEST(DrawDistinct, EveryChoiceIsEquallyLikely) {
  Random random(3);
  std::map<std::vector<std::int64_t>, int> few, many;

  for (int i = 0; i < 10000; ++i) {
    ++few[draw_distinct(random, 5, 2)];
    ++many[draw_distinct(random, 5, 3)];
  }

  ASSERT_EQ(few.size(), 10U);
  ASSERT_EQ(many.size(), 10U);
  for (const auto& counts : {few, many})
    for (const auto& [choice, count] : counts) EXPECT_NEAR(count, 1000, 120);  // 4 std deviations
}

}  // namespace
}  // namespace kronite::math
