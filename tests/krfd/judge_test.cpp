// Splits, coverage, artificial curves, and the number of deviations of a band.
#include "krfd/judge.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "krfd/artificial.hpp"
#include "krfd/learning_curve.hpp"
#include "krfd/problem.hpp"
#include "kronite/error.hpp"
#include "math/normal_quantile.hpp"
#include "support/on_each_device.hpp"

namespace kronite::krfd::test {
namespace {

class KrfdJudge : public kronite::test::OnEachDevice {};
KRONITE_ON_EACH_DEVICE(KrfdJudge);

TEST(Splits, HoldEverySystemOnce) {
  const Split split = random_split(11, 0.25, 3);
  EXPECT_EQ(split.test.size(), 3U);
  std::set<std::int64_t> all(split.test.begin(), split.test.end());
  all.insert(split.train.begin(), split.train.end());
  EXPECT_EQ(all.size(), 11U);
  EXPECT_EQ(split.train.size(), 8U);
  EXPECT_NE(split.test, random_split(11, 0.25, 4).test);
  EXPECT_EQ(random_split(2, 0.001, 0).test.size(), 1U);
  EXPECT_THROW(random_split(1, 0.5, 0), Error);
}

TEST(Splits, DoNotPartGroups) {
  const std::vector<std::int64_t> group{4, 4, 7, 0, 7, 7, 1, 2, 3, 5};
  std::set<std::vector<std::int64_t>> different;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Split split = random_split(10, 0.3, seed, group);
    EXPECT_EQ(split.test.size() + split.train.size(), 10U);
    // Three are wanted; the last group may bring two more.
    EXPECT_GE(split.test.size(), 3U);
    EXPECT_LE(split.test.size(), 5U);
    std::set<std::int64_t> tested;
    for (const std::int64_t row : split.test) tested.insert(group[static_cast<std::size_t>(row)]);
    for (const std::int64_t row : split.train)
      EXPECT_EQ(tested.count(group[static_cast<std::size_t>(row)]), 0U);
    different.insert(split.test);
  }
  EXPECT_GT(different.size(), 10U);
  // Groups of one are no groups.
  EXPECT_EQ(random_split(4, 0.5, 3, {9, 8, 7, 6}).test, random_split(4, 0.5, 3).test);
  EXPECT_THROW(random_split(3, 0.5, 0, {1, 1, 1}), Error);
  EXPECT_THROW(random_split(3, 0.5, 0, {1, 2}), Error);
}

TEST(Splits, FoldsDoNotPartGroups) {
  const std::vector<std::int64_t> group{4, 4, 7, 0, 7, 7, 1};
  const auto fold = random_folds_of(group, 7, 2, 1);
  EXPECT_EQ(fold[0], fold[1]);
  EXPECT_EQ(fold[2], fold[4]);
  EXPECT_EQ(fold[2], fold[5]);
  EXPECT_EQ((std::set<std::int32_t>(fold.begin(), fold.end())), (std::set<std::int32_t>{0, 1}));
  EXPECT_EQ(random_folds_of({}, 7, 3, 1), random_folds(7, 3, 1));
  EXPECT_THROW(random_folds_of(group, 7, 5, 1), Error);
}

TEST(Splits, PartsToLearnFromLieWithinEachOther) {
  const std::vector<std::int64_t> train{3, 5, 6, 8, 11, 20};
  const auto four = learning_part(train, 4, 9), two = learning_part(train, 2, 9);
  EXPECT_EQ(four.size(), 4U);
  EXPECT_TRUE(std::is_sorted(four.begin(), four.end()));
  EXPECT_TRUE(std::includes(four.begin(), four.end(), two.begin(), two.end()));
  EXPECT_TRUE(std::includes(train.begin(), train.end(), four.begin(), four.end()));
  EXPECT_EQ(learning_part(train, 6, 9), train);
  EXPECT_THROW(learning_part(train, 7, 9), Error);
}

TEST(Bands, TakeAsManyDeviationsAsTablesSay) {
  // Quantiles of the normal distribution, from tables.
  EXPECT_NEAR(math::deviations_of_share(0.95), 1.959963984540054, 1e-12);
  EXPECT_NEAR(math::deviations_of_share(0.99), 2.575829303548901, 1e-12);
  EXPECT_NEAR(math::deviations_of_share(0.6826894921370859), 1, 1e-12);
}

TEST_P(KrfdJudge, CountsWhatLiesInTheBands) {
  const Problem p = random_problem(8, 5);
  const Model model = fit(device, p.x.view(), p.t.view(), p.y.view(), p.hyper);
  const Judged judged = judge(device, model, p.x.view(), p.y.view());
  PosteriorOptions noisy;
  noisy.noise = true;
  const auto mean = model.mean(device, p.x.view(), p.t.view()),
             deviation = model.deviation(device, p.x.view(), p.t.view(), noisy);
  double in_95 = 0, absolute = 0;
  for (std::int64_t i = 0; i < 8; ++i)
    for (std::int64_t j = 0; j < 5; ++j) {
      const auto k = static_cast<std::size_t>(i * 5 + j);
      const double error = std::abs(p.y.at(i, j) - mean[k]);
      absolute += error;
      if (error <= 1.959963984540054 * deviation[k]) ++in_95;
      // The square root of the sum of two variances, formed in two ways.
      EXPECT_NEAR(judged.deviation_measured[k], deviation[k], 1e-12 * deviation[k]);
    }
  EXPECT_EQ(judged.within_95, in_95 / 40);
  EXPECT_LE(judged.within_68, judged.within_95);
  EXPECT_NEAR(judged.errors.mae, absolute / 40, 1e-12);
}

TEST(OverSplits, AreMeanAndDeviationOfASample) {
  const MeanAndDeviation both = over_splits({1, 2, 3, 6});
  EXPECT_DOUBLE_EQ(both.mean, 3);
  EXPECT_DOUBLE_EQ(both.deviation, std::sqrt(14.0 / 3));
  EXPECT_TRUE(std::isnan(over_splits({1}).deviation));
}

TEST(ArtificialCurves, AreTheFormulaAndNoise) {
  const ArtificialCurves curves = dense_curves(400, 51, 7);
  EXPECT_EQ(curves.t.front(), 0);
  EXPECT_EQ(curves.t.back(), 2);
  double squares = 0;
  for (std::size_t i = 0; i < 400; ++i)
    for (std::size_t j = 0; j < 51; ++j) {
      const double *x = curves.x.data() + i * 5, t = curves.t[j];
      const double truth = x[0] * std::sin(x[1] * t + x[2]) + x[3] * t + x[4];
      EXPECT_NEAR(curves.truth[i * 51 + j], truth, 1e-13);
      squares += std::pow(curves.y[i * 51 + j] - truth, 2);
    }
  // 20,400 squares of variance 0.04: the mean is within 1 % in one sigma, 4 % in four.
  EXPECT_NEAR(squares / (400 * 51), 0.04, 0.0016);
  const double low[] = {1, 1, 0, -2, -3}, high[] = {5, 5, 3, 2, 3};
  for (std::size_t k = 0; k < 5; ++k) {
    double least = 1e9, most = -1e9;
    for (std::size_t i = 0; i < 400; ++i) {
      least = std::min(least, curves.x[i * 5 + k]);
      most = std::max(most, curves.x[i * 5 + k]);
    }
    // 400 uniform numbers leave more than 5 % of the range free at an end once in 10^9.
    EXPECT_GE(least, low[k]);
    EXPECT_LT(least, low[k] + 0.05 * (high[k] - low[k]));
    EXPECT_LE(most, high[k]);
    EXPECT_GT(most, high[k] - 0.05 * (high[k] - low[k]));
  }
}

TEST(ArtificialCurves, AreMeasuredAtPointsOfTheirOwn) {
  const ArtificialCurves curves = sparse_curves(300, 7);
  std::vector<int> count(300, 0);
  for (std::size_t n = 0; n < curves.t.size(); ++n) {
    ++count[static_cast<std::size_t>(curves.curve[n])];
    EXPECT_GE(curves.t[n], 0);
    EXPECT_LT(curves.t[n], 2);
    const bool same_curve = n > 0 && curves.curve[n] == curves.curve[n - 1];
    EXPECT_LE(same_curve ? curves.t[n - 1] : 0.0, curves.t[n]);
  }
  EXPECT_EQ(*std::min_element(count.begin(), count.end()), 2);
  EXPECT_EQ(*std::max_element(count.begin(), count.end()), 20);
}

}  // namespace
}  // namespace kronite::krfd::test
