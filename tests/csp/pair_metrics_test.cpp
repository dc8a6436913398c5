// Metrics of labelled pairs against those of scikit-learn 1.9.1 (accuracy_score,
// average_precision_score), which are given with 16 digits.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kronite/csp_training.hpp"
#include "kronite/error.hpp"

namespace kronite::csp {
namespace {

constexpr double kRounding = 1e-14;  // of some hundred additions in double

struct Judged {
  PairPart part;
  std::vector<float> p;

  void add(float probability, int alike, std::int32_t ratio) {
    part.pairs.first.push_back(0);
    part.pairs.second.push_back(1);
    part.pairs.alike.push_back(static_cast<std::uint8_t>(alike));
    part.ratio.push_back(ratio);
    p.push_back(probability);
  }
};

/// Ties within and between the classes, p of exactly one half, a label without an alike pair.
Judged by_hand() {
  const std::vector<float> p{.95F, .9F, .9F, .9F, .7F, .5F, .5F, .35F, .35F, .2F,
                             .05F, .8F, .6F, .6F, .6F, .1F, .1F, .4F,  .3F};
  const std::vector<int> alike{1, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0};
  Judged judged;
  for (std::size_t i = 0; i < p.size(); ++i)
    judged.add(p[i], alike[i], i < 11 ? 3 : i < 17 ? 0 : 7);
  return judged;
}

TEST(PairMetrics, AreThoseOfScikitLearnWithTies) {
  const Judged judged = by_hand();

  const PairMetrics metrics = pair_metrics(judged.part, judged.p);

  EXPECT_EQ(metrics.pairs, 19);
  EXPECT_EQ(metrics.alike, 8);
  EXPECT_NEAR(metrics.accuracy, 0.631578947368421, kRounding);
  EXPECT_NEAR(metrics.average_precision, 0.6376262626262627, kRounding);
  EXPECT_NEAR(metrics.mean_accuracy, (0.6363636363636364 + 0.5 + 1) / 3, kRounding);
  // The third label has no alike pair and does not enter.
  EXPECT_NEAR(metrics.mean_average_precision, (0.7253968253968255 + 0.5) / 2, kRounding);
}

TEST(PairMetrics, AreThoseOfScikitLearnOnLabelsThatAreMixed) {
  Judged judged;
  for (int i = 0; i < 200; ++i) {
    const int alike = i * i % 7 < 3 ? 1 : 0;
    const float p = static_cast<float>(i * 37 % 41) / 40;
    judged.add(i % 3 == 0 ? 0.5F * (p + static_cast<float>(alike)) : p, alike, i % 5);
  }

  const PairMetrics metrics = pair_metrics(judged.part, judged.p);

  EXPECT_EQ(metrics.alike, 143);
  EXPECT_NEAR(metrics.accuracy, 0.72, kRounding);
  EXPECT_NEAR(metrics.average_precision, 0.8614220337842806, kRounding);
  EXPECT_NEAR(metrics.mean_accuracy, 0.72, kRounding);
  EXPECT_NEAR(metrics.mean_average_precision, 0.8671286880745255, kRounding);
}

TEST(PairMetrics, OfAPerfectRankingAreOne) {
  Judged judged;
  for (int i = 0; i < 10; ++i) judged.add(i < 4 ? 0.9F : 0.1F, i < 4 ? 1 : 0, i % 2);

  const PairMetrics metrics = pair_metrics(judged.part, judged.p);

  EXPECT_EQ(metrics.accuracy, 1);
  EXPECT_EQ(metrics.average_precision, 1);
  EXPECT_EQ(metrics.mean_accuracy, 1);
  EXPECT_EQ(metrics.mean_average_precision, 1);
}

TEST(PairMetrics, WithoutPairsOrAlikePairsAreZeroAndNotNaN) {
  Judged unlike;
  unlike.add(0.7F, 0, 0);
  unlike.add(0.2F, 0, 0);

  const PairMetrics none = pair_metrics({}, {});
  const PairMetrics one_class = pair_metrics(unlike.part, unlike.p);

  EXPECT_EQ(none.pairs, 0);
  EXPECT_EQ(none.mean_accuracy, 0);
  EXPECT_EQ(one_class.accuracy, 0.5);
  EXPECT_EQ(one_class.average_precision, 0);
  EXPECT_EQ(one_class.mean_average_precision, 0);
}

TEST(PairMetrics, RefuseWhatIsNoProbability) {
  const Judged good = by_hand();
  for (const float wrong : {std::numeric_limits<float>::quiet_NaN(), -0.5F, 1.5F}) {
    Judged bad = good;
    bad.p[3] = wrong;

    EXPECT_THROW(pair_metrics(bad.part, bad.p), Error) << wrong;
    EXPECT_THROW(reliability(bad.part, bad.p), Error) << wrong;
  }
  EXPECT_THROW(pair_metrics(good.part, {0.5F}), Error);
  EXPECT_THROW(reliability(good.part, good.p, 0), Error);
}

TEST(Reliability, SortsPairsIntoBinsOfEqualWidth) {
  Judged judged;
  judged.add(0, 0, 0);
  judged.add(0.125F, 1, 0);
  judged.add(0.25F, 0, 0);  // the lower edge belongs to the bin
  judged.add(0.75F, 1, 0);
  judged.add(1, 1, 0);          // and so does 1 to the last one
  judged.add(1.000001F, 0, 0);  // rounding in a mean over an ensemble

  const std::vector<ReliabilityBin> bins = reliability(judged.part, judged.p, 4);

  ASSERT_EQ(bins.size(), 4U);
  EXPECT_EQ(bins[1].low, 0.25);
  EXPECT_EQ(bins[1].high, 0.5);
  EXPECT_EQ(bins[0].pairs, 2);
  EXPECT_EQ(bins[0].mean_p, 0.0625);
  EXPECT_EQ(bins[0].alike, 0.5);
  EXPECT_EQ(bins[1].pairs, 1);
  EXPECT_EQ(bins[2].pairs, 0);
  EXPECT_TRUE(std::isnan(bins[2].mean_p));
  EXPECT_TRUE(std::isnan(bins[2].alike));
  EXPECT_EQ(bins[3].pairs, 3);
}

TEST(Reliability, CalibrationErrorWeightsByPairs) {
  Judged judged;
  for (const int alike : {1, 1, 1, 0}) judged.add(0.875F, alike, 0);  // 0.75 of 0.875
  for (const int alike : {0, 1}) judged.add(0.25F, alike, 0);         // 0.5 of 0.25

  const double error = calibration_error(reliability(judged.part, judged.p, 2));

  EXPECT_NEAR(error, (4 * 0.125 + 2 * 0.25) / 6, kRounding);
  EXPECT_EQ(calibration_error({}), 0);
}

}  // namespace
}  // namespace kronite::csp
