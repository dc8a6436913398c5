// What makes two fingerprints differ, checked on numbers made up for it, and the picture of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>
#include <utility>

#include "kronite/error.hpp"
#include "kronite/fingerprint.hpp"
#include "materials/coordination_figure.hpp"
#include "support/crystals.hpp"  // for holds

namespace kronite {
namespace {

int feature(const std::string& name) {
  const auto& names = site_feature_names();
  return static_cast<int>(std::find(names.begin(), names.end(), name) - names.begin());
}

/// All zero but mean, minimum and maximum of these features.
Fingerprint uniform(std::initializer_list<std::pair<const char*, double>> values) {
  Fingerprint result{};
  for (const auto& [name, value] : values)
    for (const int s : {0, 2, 3}) result[feature(name) * kSiteStatistics + s] = value;
  return result;
}

TEST(FingerprintComparison, SharesTheSquaredDissimilarityAmongTheFeatures) {
  const Fingerprint a = uniform({{"wt CN_4", 1}, {"tetrahedral CN_4", 0.5}});
  const Fingerprint b = uniform({{"wt CN_6", 1}});

  const auto differences = compare(a, b);

  // Three statistics each: 3 of wt CN_4, 3 of wt CN_6 and 0.75 of tetrahedral.
  ASSERT_EQ(differences.size(), 61u);
  EXPECT_EQ(differences[0].feature, feature("wt CN_4"));
  EXPECT_EQ(differences[1].feature, feature("wt CN_6"));
  EXPECT_EQ(differences[2].feature, feature("tetrahedral CN_4"));
  // Sums of exact binary numbers, one division each.
  EXPECT_DOUBLE_EQ(differences[0].share, 3 / 6.75);
  EXPECT_DOUBLE_EQ(differences[2].share, 0.75 / 6.75);
  EXPECT_EQ(differences[3].share, 0);
  EXPECT_DOUBLE_EQ(dissimilarity(a, b), std::sqrt(6.75));
}

TEST(FingerprintComparison, KeepsTheStatisticsOfBothCrystals) {
  Fingerprint a{}, b{};
  const int f = feature("octahedral CN_6");
  for (int s = 0; s < kSiteStatistics; ++s) a[f * kSiteStatistics + s] = 0.1 * (s + 1);

  const auto first = compare(a, b).front();

  EXPECT_EQ(first.feature, f);
  EXPECT_EQ(first.a, (std::array<double, kSiteStatistics>{0.1, 0.2, 0.1 * 3, 0.4}));
  EXPECT_EQ(first.b, (std::array<double, kSiteStatistics>{}));
}

TEST(FingerprintComparison, RefusesValuesThatAreNoNumbers) {
  Fingerprint missing{};
  missing.fill(std::numeric_limits<double>::quiet_NaN());  // the row of a crystal that failed

  EXPECT_THROW(compare(missing, Fingerprint{}), Error);
}

TEST(FingerprintComparison, OfEqualCrystalsHasNoShares) {
  const Fingerprint a = uniform({{"wt CN_12", 1}});

  const auto differences = compare(a, a);

  for (int f = 0; f < kSiteFeatures; ++f) {
    EXPECT_EQ(differences[f].feature, f);
    EXPECT_EQ(differences[f].share, 0);
  }
}

TEST(FingerprintComparison, ReadsTheSharesOfCoordinationNumbers) {
  const Fingerprint values = uniform({{"wt CN_1", 0.25}, {"wt CN_24", 0.5}, {"q4 CN_9", 1}});

  const auto shares = coordination_shares(values);

  std::array<double, 24> expected{};
  expected[0] = 0.25;
  expected[23] = 0.5;
  EXPECT_EQ(shares, expected);
}

TEST(FingerprintComparison, NamesFeaturesAsCrystallographersDo) {
  EXPECT_EQ(describe_site_feature(feature("wt CN_12")), "12-fold coordination");
  EXPECT_EQ(describe_site_feature(feature("tetrahedral CN_4")), "4-fold, tetrahedral");
  EXPECT_EQ(describe_site_feature(feature("sgl_bd CN_1")), "1-fold, single bond");
  EXPECT_EQ(describe_site_feature(feature("q4 CN_12")), "12-fold, Steinhardt q4");
  EXPECT_THROW(describe_site_feature(-1), Error);
  EXPECT_THROW(describe_site_feature(kSiteFeatures), Error);
}

TEST(CoordinationFigure, DrawsABarPerCrystalAndCoordinationNumber) {
  const std::string svg =
      draw_coordination({{"A & B", uniform({{"wt CN_4", 0.75}, {"wt CN_6", 0.25}})},
                         {"C", uniform({{"wt CN_6", 1}})}});

  EXPECT_TRUE(test::holds(svg, "<title>A &amp; B: 75.0 % with 4 neighbours</title>"));
  EXPECT_TRUE(test::holds(svg, "<title>A &amp; B: 25.0 % with 6 neighbours</title>"));
  EXPECT_TRUE(test::holds(svg, "<title>C: 100.0 % with 6 neighbours</title>"));
  EXPECT_FALSE(test::holds(svg, "with 5 neighbours"));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

TEST(CoordinationFigure, IsWideEnoughForLongNames) {
  const NamedFingerprint crystal{std::string(60, 'x'), uniform({{"wt CN_4", 1}})};

  const std::string svg = draw_coordination({crystal, crystal});

  const std::string key = "viewBox=\"0 0 ";
  EXPECT_GT(std::stod(svg.substr(svg.find(key) + key.size())), 2 * 60 * 7);
}

TEST(CoordinationFigure, OfAtomsWithoutNeighboursIsEmptyButWhole) {
  const std::string svg = draw_coordination({{"gas", Fingerprint{}}});

  EXPECT_FALSE(test::holds(svg, "neighbours"));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

}  // namespace
}  // namespace kronite
