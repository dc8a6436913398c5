// Mixtures as texts: small integers where there are any, and fractions that read back.
#include "kmd/mixture_text.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kronite/composition.hpp"

namespace kronite::kmd {
namespace {

using Numbers = std::vector<std::int64_t>;

Numbers ratio(const std::vector<double>& weights, double tolerance = 1e-6,
              std::int64_t most = 1000) {
  return integer_ratio(weights, tolerance, most);
}

TEST(IntegerRatio, FindsTheSmallestIntegers) {
  EXPECT_EQ(ratio({0.2, 0.2, 0.6}), (Numbers{1, 1, 3}));
  EXPECT_EQ(ratio({1}), (Numbers{1}));
  EXPECT_EQ(ratio({2.0 / 3, 1.0 / 3}), (Numbers{2, 1}));
  EXPECT_EQ(ratio({0.999, 0.001}), (Numbers{999, 1}));
  EXPECT_EQ(ratio({1.85 / 7, 0.15 / 7, 1.0 / 7, 4.0 / 7}), (Numbers{37, 3, 20, 80}));
}

TEST(IntegerRatio, AllowsSoMuchAndNoMore) {
  EXPECT_EQ(ratio({0.2 + 9e-7, 0.8 - 9e-7}), (Numbers{1, 4}));
  EXPECT_EQ(ratio({0.2 + 1.2e-6, 0.8 - 1.2e-6}), Numbers{});
  EXPECT_EQ(ratio({0.2, 0.8}, 1e-6, 4), Numbers{});
}

TEST(IntegerRatio, CountsNothingAsZero) {
  EXPECT_EQ(ratio({1 - 1e-9, 1e-9}), Numbers{});
  EXPECT_EQ(ratio({}), Numbers{});
}

TEST(IntegerRatio, IsWhatTheDefinitionSays) {
  // Every ratio of three numbers up to 12, found again as itself over its greatest common divisor.
  for (std::int64_t a = 1; a <= 12; ++a)
    for (std::int64_t b = 1; b <= 12; ++b)
      for (std::int64_t c = 1; c <= 12; ++c) {
        const auto sum = static_cast<double>(a + b + c);
        std::int64_t divisor = 12;
        while (a % divisor != 0 || b % divisor != 0 || c % divisor != 0) --divisor;
        EXPECT_EQ(ratio({static_cast<double>(a) / sum, static_cast<double>(b) / sum,
                         static_cast<double>(c) / sum}),
                  (Numbers{a / divisor, b / divisor, c / divisor}));
      }
}

/// One row over H, O, Ca, Ti.
Weights row(const std::vector<double>& weights) {
  Weights w;
  w.components = 4;
  for (std::size_t c = 0; c < weights.size(); ++c)
    if (weights[c] > 0) {
      w.component.push_back(static_cast<std::int32_t>(c));
      w.weight.push_back(weights[c]);
    }
  w.first.push_back(static_cast<std::int64_t>(w.weight.size()));
  return w;
}

Components elements() { return {{"H", "O", "Ca", "Ti"}, {"z"}, {1, 8, 20, 22}}; }

TEST(MixtureText, WritesFormulasOfElements) {
  const MixtureText text(elements());

  EXPECT_TRUE(text.elements());
  EXPECT_EQ(text.formula(row({0, 0.6, 0.2, 0.2}), 0), "CaTiO3");
  EXPECT_EQ(text.formula(row({0.4, 0.4, 0.2}), 0), "Ca(HO)2");
  EXPECT_EQ(text.formula(row({0, 0.6 + 1e-5, 0.2, 0.2 - 1e-5}), 0), "");
  EXPECT_EQ(text.fractions(row({0, 0.6, 0.2, 0.2}), 0), "Ca0.2Ti0.2O0.6");
}

TEST(MixtureText, FractionsReadBackAsTheyAre) {
  const MixtureText text(elements());
  const std::vector<double> weights = {1e-9, 1.0 / 3, 0.25 + 1e-15,
                                       1 - 1e-9 - 1.0 / 3 - 0.25 - 1e-15};

  const Composition again = Composition::parse(text.fractions(row(weights), 0));

  const int z[] = {1, 8, 20, 22};
  for (int c = 0; c < 4; ++c) EXPECT_EQ(again.amount(z[c]), weights[c]);
}

TEST(MixtureText, ShowsTheLargestWeightsOnly) {
  const MixtureText text(elements());
  const Weights w = row({0.1, 0.45, 0.123456, 0.326544});

  EXPECT_EQ(text.fractions(w, 0, 2), "O 0.45 Ti 0.3265 ...");
  EXPECT_EQ(text.fractions(w, 0, 4), "H 0.1 O 0.45 Ca 0.1235 Ti 0.3265");
}

TEST(MixtureText, ListsOtherComponents) {
  const MixtureText text({{"CC", "c1ccccc1", "D"}, {"size"}, {2, 6, 1}});

  EXPECT_FALSE(text.elements());
  EXPECT_EQ(text.formula(row({0.5, 0.5}), 0), "");
  EXPECT_EQ(text.fractions(row({0.25, 0.75}), 0), "CC 0.25, c1ccccc1 0.75");
}

TEST(MixtureText, FindsTheRow) {
  Weights two = row({0, 0.5, 0.5});
  two.component.push_back(1);
  two.weight.push_back(1);
  two.first.push_back(3);

  EXPECT_EQ(MixtureText(elements()).formula(two, 1), "O2");
}

}  // namespace
}  // namespace kronite::kmd
