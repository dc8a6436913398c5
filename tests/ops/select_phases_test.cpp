// The GPU's top-k, run row by row on the CPU (kernels/phases.hpp), and the keys it works on.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/phases.hpp"   // for CpuBlock
#include "kernels/ranking.hpp"  // for ranks_before
#include "kernels/top_k_block.hpp"

namespace kronite {
namespace {

template <class T>
std::vector<T> special_values() {
  using Limits = std::numeric_limits<T>;
  return {T{0},
          -T{0},
          T{1},
          -T{1},
          Limits::min(),
          -Limits::min(),
          Limits::max(),
          -Limits::max(),
          Limits::infinity(),
          -Limits::infinity(),
          Limits::denorm_min(),
          -Limits::denorm_min(),
          Limits::quiet_NaN(),
          -Limits::quiet_NaN()};
}

template <class T>
class RankingKeys : public testing::Test {};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(RankingKeys, Precisions);

TYPED_TEST(RankingKeys, OrderLikeTheScoresTheyStandFor) {
  const auto values = special_values<TypeParam>();

  for (const TypeParam a : values)
    for (const TypeParam b : values) {
      // With equal indices, only the values decide.
      const Ranked<TypeParam> left{a, 0}, right{b, 0};
      EXPECT_EQ(ranking_key<true>(a) < ranking_key<true>(b), ranks_before<true>(left, right))
          << a << ", " << b;
      EXPECT_EQ(ranking_key<false>(a) < ranking_key<false>(b), ranks_before<false>(left, right))
          << a << ", " << b;
    }
}

TYPED_TEST(RankingKeys, GiveTheirScoresBack) {
  for (const TypeParam value : special_values<TypeParam>()) {
    const TypeParam largest = ranking_value<true, TypeParam>(ranking_key<true>(value));
    const TypeParam smallest = ranking_value<false, TypeParam>(ranking_key<false>(value));

    EXPECT_TRUE(largest == value || (std::isnan(largest) && std::isnan(value))) << value;
    EXPECT_TRUE(smallest == value || (std::isnan(smallest) && std::isnan(value))) << value;
  }
}

template <class T>
struct Best {
  std::vector<T> values;
  std::vector<std::int32_t> indices;
};

template <bool largest, class T>
Best<T> run_rows(const std::vector<T>& scores, std::int64_t rows, std::int64_t k,
                 ThreadOrder order) {
  const auto cols = static_cast<std::int64_t>(scores.size()) / rows;
  const auto results = static_cast<std::size_t>(rows * k);
  Best<T> best{std::vector<T>(results), std::vector<std::int32_t>(results, -1)};
  for (std::int64_t row = 0; row < rows; ++row) {
    CpuBlock<TopKShared<T>, TopKRegisters> threads(kTopKThreads, order);
    top_k_block<largest, T>(row, {scores.data(), rows, cols}, {best.values.data(), rows, k},
                            {best.indices.data(), rows, k}, threads.shared(), threads);
  }
  return best;
}

/// The definition: sort every row whole.
template <bool largest, class T>
std::vector<std::int32_t> sorted_indices(const std::vector<T>& scores, std::size_t rows,
                                         std::size_t k) {
  const std::size_t cols = scores.size() / rows;
  std::vector<std::int32_t> indices;
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<Ranked<T>> ranked;
    for (std::size_t j = 0; j < cols; ++j)
      ranked.push_back({scores[row * cols + j], static_cast<std::int32_t>(j)});
    std::sort(ranked.begin(), ranked.end(), ranks_before<largest, T>);
    for (std::size_t j = 0; j < k; ++j) indices.push_back(ranked[j].index);
  }
  return indices;
}

template <class T>
void expect_sorted(const std::vector<T>& scores, std::int64_t rows, std::int64_t k) {
  const auto n = static_cast<std::size_t>(rows), wanted = static_cast<std::size_t>(k);
  EXPECT_EQ((run_rows<true>(scores, rows, k, ThreadOrder::ascending).indices),
            (sorted_indices<true>(scores, n, wanted)));
  EXPECT_EQ((run_rows<true>(scores, rows, k, ThreadOrder::descending).indices),
            (sorted_indices<true>(scores, n, wanted)));
  EXPECT_EQ((run_rows<false>(scores, rows, k, ThreadOrder::ascending).indices),
            (sorted_indices<false>(scores, n, wanted)));
}

template <class T>
class TopKBlocks : public testing::Test {};
TYPED_TEST_SUITE(TopKBlocks, Precisions);

TYPED_TEST(TopKBlocks, SelectWhatASortPutsFirst) {
  std::mt19937 random(7);
  std::uniform_real_distribution<TypeParam> score(-1, 1);
  std::vector<TypeParam> scores(3 * 1500);
  for (auto& s : scores) s = score(random);

  for (const std::int64_t k : {1, 2, 10, 255, 256, 257, 1000, 1024}) expect_sorted(scores, 3, k);
}

TYPED_TEST(TopKBlocks, PutEqualScoresInTheOrderOfTheirColumns) {
  std::mt19937 random(8);
  std::vector<TypeParam> few(2 * 700);
  for (auto& s : few) s = static_cast<TypeParam>(random() % 4);
  const std::vector<TypeParam> all_equal(70000, TypeParam{1});

  expect_sorted(few, 2, 300);
  expect_sorted(all_equal, 1, 300);
}

TYPED_TEST(TopKBlocks, PutNotANumberBehindEverything) {
  auto scores = special_values<TypeParam>();
  const std::vector<TypeParam> only(300, std::numeric_limits<TypeParam>::quiet_NaN());

  for (std::int64_t k = 1; k <= static_cast<std::int64_t>(scores.size()); ++k)
    expect_sorted(scores, 1, k);
  expect_sorted(only, 1, 20);
}

TYPED_TEST(TopKBlocks, ReturnTheScoresThemselves) {
  const std::vector<TypeParam> scores{TypeParam{0.5}, -TypeParam{0}, TypeParam{2}};

  const auto best = run_rows<true>(scores, 1, 3, ThreadOrder::ascending);

  EXPECT_EQ(best.values, (std::vector<TypeParam>{2, TypeParam{0.5}, 0}));
  EXPECT_TRUE(std::signbit(best.values[2]));
}

}  // namespace
}  // namespace kronite
