// Metrics by hand, and splits of rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kronite/regression.hpp"
#include "support/random.hpp"
#include "support/rows.hpp"

namespace kronite::learn {
namespace {

using test::expect_in;
using test::refusal;

TEST(ValueMetrics, AreThoseOfTheirFormulas) {
  // Errors 1, -1, 0 and 2; the truth is -3, -1, 0 and 4 off its mean of 2.
  const ValueMetrics m = value_metrics({-1, 1, 2, 6}, {0, 0, 2, 8});

  EXPECT_DOUBLE_EQ(m.mae, 1);
  EXPECT_DOUBLE_EQ(m.rmse, std::sqrt(1.5));
  EXPECT_DOUBLE_EQ(m.r2, 1 - 6.0 / 26);
}

TEST(ValueMetrics, OfTheMeanIsZeroAndOfAConstantNaN) {
  EXPECT_DOUBLE_EQ(value_metrics({1, 2, 3}, {2, 2, 2}).r2, 0);
  EXPECT_TRUE(std::isnan(value_metrics({2, 2}, {2, 3}).r2));
  EXPECT_DOUBLE_EQ(value_metrics({2, 2}, {2, 3}).mae, 0.5);
}

TEST(ValueMetrics, RefuseWhatCannotBeJudged) {
  const auto says = [](const std::vector<double>& truth, const std::vector<double>& predicted) {
    return refusal(Errc::invalid_argument, [&] { value_metrics(truth, predicted); });
  };
  expect_in(says({}, {}), "0 predictions are judged by 0 true values");
  expect_in(says({1, 2}, {1}), "1 predictions are judged by 2 true values");
  expect_in(says({1, NAN}, {1, 2}), "true value 1 is nan");
  expect_in(says({1, 2}, {INFINITY, 2}), "predicted value 0 is inf");
}

TEST(ClassMetrics, AreThoseOfTheConfusion) {
  const ClassMetrics m = class_metrics({0, 0, 0, 0, 1, 1, 2}, {0, 0, 0, 1, 1, 0, 1}, 4);

  EXPECT_EQ(m.confusion,
            (std::vector<std::int64_t>{3, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(m.recall, (std::vector<double>{0.75, 0.5, 0, 0}));
  EXPECT_EQ(m.precision, (std::vector<double>{0.75, 1.0 / 3, 0, 0}));  // 0 / 0 counts as 0
  EXPECT_EQ(m.f1, (std::vector<double>{0.75, 0.4, 0, 0}));
  EXPECT_DOUBLE_EQ(m.macro_f1, (0.75 + 0.4) / 4);
  EXPECT_DOUBLE_EQ(m.accuracy, 4.0 / 7);
}

TEST(ClassMetrics, RefuseWhatCannotBeJudged) {
  const auto says = [](const std::vector<std::int32_t>& truth,
                       const std::vector<std::int32_t>& predicted, std::int64_t count) {
    return refusal(Errc::invalid_argument, [&] { class_metrics(truth, predicted, count); });
  };
  expect_in(says({}, {}, 2), "0 predictions");
  expect_in(says({1}, {1, 1}, 2), "2 predictions are judged by 1 true values");
  expect_in(says({1, 2}, {1, 1}, 2), "row 1 has the class 2");
  expect_in(says({1, 1}, {-1, 1}, 2), "row 0 has the class -1");
  expect_in(says({0}, {0}, 0), "there are 0 classes");
}

TEST(ClassMetrics, TheFirstOfEquallyProbableClassesIsTaken) {
  EXPECT_EQ(most_probable({2, 3, {0.2, 0.4, 0.4, 0.1, 0.2, 0.7}}),
            (std::vector<std::int32_t>{1, 2}));
}

std::vector<std::int64_t> all_of(const RowParts& parts) {
  std::vector<std::int64_t> all;
  for (const auto* part : {&parts.training, &parts.validation, &parts.test}) {
    EXPECT_TRUE(std::is_sorted(part->begin(), part->end()));
    all.insert(all.end(), part->begin(), part->end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<std::int64_t> numbers(std::int64_t n) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TEST(SplitRows, GivesEveryRowToOnePartInTheStatedShares) {
  const RowParts parts = split_rows(35463, {0.8, 0.1, 0.1}, 7);

  EXPECT_EQ(parts.training.size(), 28370U);
  EXPECT_EQ(parts.validation.size(), 3547U);  // rounded: 31,917 rows are in the first two
  EXPECT_EQ(parts.test.size(), 3546U);
  EXPECT_EQ(all_of(parts), numbers(35463));
}

TEST(SplitRows, DependsOnTheSeedAlone) {
  const std::array<double, 3> shares{0.5, 0.25, 0.25};
  EXPECT_EQ(split_rows(100, shares, 1).training, split_rows(100, shares, 1).training);
  EXPECT_NE(split_rows(100, shares, 1).training, split_rows(100, shares, 2).training);
}

TEST(SplitRows, IsRandom) {
  // How often each of 10 rows is in the test part of 3, of 2,000 splits.
  std::vector<int> times(10, 0);
  for (std::uint64_t seed = 0; seed < 2000; ++seed)
    for (const std::int64_t row : split_rows(10, {0.5, 0.2, 0.3}, seed).test)
      ++times[static_cast<std::size_t>(row)];

  // 600, with a standard deviation of 20.5.
  for (const int count : times) EXPECT_NEAR(count, 600, 100);
}

TEST(SplitRows, ByClassGivesEveryPartItsShareOfEachClass) {
  std::vector<std::int32_t> classes;
  for (int i = 0; i < 1000; ++i) classes.push_back(i < 900 ? 0 : i < 980 ? 4 : 2);

  const RowParts parts = split_rows_by_class({classes.data(), 1000}, {0.6, 0.2, 0.2}, 3);

  EXPECT_EQ(all_of(parts), numbers(1000));
  const auto count = [&](const std::vector<std::int64_t>& part, std::int32_t of_class) {
    return std::count_if(part.begin(), part.end(), [&](std::int64_t i) {
      return classes[static_cast<std::size_t>(i)] == of_class;
    });
  };
  EXPECT_EQ(count(parts.training, 0), 540);
  EXPECT_EQ(count(parts.training, 4), 48);
  EXPECT_EQ(count(parts.training, 2), 12);
  EXPECT_EQ(count(parts.test, 4), 16);
  EXPECT_EQ(count(parts.validation, 2), 4);
}

TEST(SplitRows, RefusesWhatCannotBeSplit) {
  const auto says = [](std::int64_t n, const std::array<double, 3>& shares) {
    return refusal(Errc::invalid_argument, [&] { split_rows(n, shares, 0); });
  };
  expect_in(says(10, {0.8, 0.1, 0.2}), "add up to 1");
  expect_in(says(10, {0, 0.5, 0.5}), "the first above 0");
  expect_in(says(10, {1.2, -0.1, -0.1}), "add up to 1");
  expect_in(says(0, {0.8, 0.1, 0.1}), "there are 0 rows");
  const std::vector<std::int32_t> classes{0, -1};
  expect_in(refusal(Errc::invalid_argument,
                    [&] {
                      split_rows_by_class({classes.data(), 2}, {0.8, 0.1, 0.1}, 0);
                    }),
            "row 1 has the class -1");
  expect_in(refusal(Errc::invalid_argument,
                    [&] {
                      split_rows_by_class({classes.data(), 0}, {0.8, 0.1, 0.1}, 0);
                    }),
            "no rows to split");
}

}  // namespace
}  // namespace kronite::learn
