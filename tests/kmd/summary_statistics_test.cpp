// Summary statistics against their definition.
#include <gtest/gtest.h>

#include <algorithm>

#include "kmd/materials.hpp"

namespace kronite::kmd::test {
namespace {

TEST(SummaryStatistics, AreMeanVarianceMaximumAndMinimumOfAMixture) {
  const Components c{{"x", "y", "z"}, {"a", "b"}, {1, -1, 5, 3, 100, 100}};
  Weights w;
  w.components = 3;
  w.first = {0, 2, 3};
  w.component = {0, 1, 2};
  w.weight = {0.75, 0.25, 1};
  std::vector<double> out(2 * 10);

  summary_statistics(w, c, true, {out.data(), 2, 10});

  EXPECT_EQ(out, (std::vector<double>{2,   0,   3, 3, 5,   3,   1,   -1,  2,   0,  //
                                      100, 100, 0, 0, 100, 100, 100, 100, 100, 100}));
  EXPECT_EQ(summary_names(c, false),
            (std::vector<std::string>{"mean:a", "mean:b", "var:a", "var:b", "max:a", "max:b",
                                      "min:a", "min:b"}));
  EXPECT_EQ(summary_names(c, true).back(), "sum:b");
}

TEST(SummaryStatistics, OfElementsAreThoseOfTheCompositionDescriptor) {
  const ElementTable& table = ElementTable::embedded();
  const Components c = Components::of(table);
  const std::vector<Composition> compositions{
      Composition::parse("Zn2B2PbO6"), Composition::parse("Fe2O3"), Composition::parse("He")};
  const std::int64_t k = 58;
  std::vector<double> expected(3 * 5 * k), out(3 * 4 * k);
  describe(compositions, table, {expected.data(), 3, 5 * k});

  summary_statistics(weights_of(compositions, c), c, false, {out.data(), 3, 4 * k});

  // Blocks of the 290 values: mean, sum, variance, maximum, minimum.
  const std::int64_t block[] = {0, 2, 3, 4};
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t b = 0; b < 4; ++b)
      for (std::int64_t f = 0; f < k; ++f) {
        const double value = expected[i * 5 * k + block[b] * k + f];
        EXPECT_NEAR(out[i * 4 * k + b * k + f], value, 1e-14 * std::abs(value));
      }
}

TEST(SummaryStatistics, RefuseWhatDoesNotFit) {
  const Components c = random_components(3, 2);
  std::vector<double> out(100);

  expect_error(Errc::invalid_argument, {"of 4 components", "3"}, [&] {
    summary_statistics(random_weights(2, 4, 2), c, false, {out.data(), 2, 8});
  });
  expect_error(Errc::invalid_argument, {"2 x 10", "2 x 8"}, [&] {
    summary_statistics(random_weights(2, 3, 2), c, true, {out.data(), 2, 8});
  });
}

}  // namespace
}  // namespace kronite::kmd::test
