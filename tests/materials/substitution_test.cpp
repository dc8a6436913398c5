// Element dissimilarity, replacement and volume.
#include "materials/substitution.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace kronite {
namespace {

int z(const char* symbol) { return element_number(symbol); }

Structure rock_salt() {
  Structure structure;
  structure.lattice = {{{5.64, 0, 0}, {0, 5.64, 0}, {0, 0, 5.64}}};
  structure.z = {11, 11, 11, 11, 17, 17, 17, 17};
  structure.fractional = {{0, 0, 0},  {0, .5, .5}, {.5, 0, .5}, {.5, .5, 0},
                          {.5, 0, 0}, {0, .5, 0},  {0, 0, .5},  {.5, .5, .5}};
  return structure;
}

/// The definition in plain loops: z-scores with n - 1, then the Euclidean distance.
double dissimilarity_by_definition(const ElementTable& table, int a, int b) {
  double sum = 0;
  for (std::size_t f = 0; f < table.features().size(); ++f) {
    std::vector<double> column;
    for (int element = 1; element <= 118; ++element)
      if (table.has(element)) column.push_back(table.row(element)[f]);
    double mean = 0, variance = 0;
    for (const double x : column) mean += x / static_cast<double>(column.size());
    for (const double x : column)
      variance += (x - mean) * (x - mean) / static_cast<double>(column.size() - 1);
    const double difference = (table.row(a)[f] - table.row(b)[f]) / std::sqrt(variance);
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

TEST(ElementDissimilarity, IsTheDistanceOfStandardisedElementVectors) {
  const ElementTable& table = ElementTable::embedded();
  const ElementDissimilarity dissimilarity(table);

  for (const auto& [a, b] : {std::pair(1, 94), std::pair(20, 38), std::pair(8, 16)})
    // Sums over 94 elements in another order: a few hundred roundings.
    EXPECT_NEAR(dissimilarity(a, b), dissimilarity_by_definition(table, a, b), 1e-12);
}

TEST(ElementDissimilarity, IsAMetricOnTheElementsOfTheTable) {
  const ElementDissimilarity dissimilarity(ElementTable::embedded());

  for (int a = 1; a <= 94; ++a) {
    EXPECT_EQ(dissimilarity(a, a), 0);
    for (int b = 1; b < a; ++b) {
      EXPECT_GT(dissimilarity(a, b), 0) << a << " and " << b;
      EXPECT_EQ(dissimilarity(a, b), dissimilarity(b, a));
    }
  }
}

TEST(ElementDissimilarity, PutsChemicalNeighboursClose) {
  const ElementDissimilarity dissimilarity(ElementTable::embedded());

  EXPECT_LT(dissimilarity(z("Ca"), z("Sr")), dissimilarity(z("Ca"), z("Ti")));
  EXPECT_LT(dissimilarity(z("Cl"), z("Br")), dissimilarity(z("Cl"), z("Na")));
}

TEST(ReplaceElements, SwapsTwoElementsAtOnce) {
  const Structure swapped = replace_elements(rock_salt(), {{11, 17}, {17, 11}});

  EXPECT_EQ(swapped.z, (std::vector<std::uint8_t>{17, 17, 17, 17, 11, 11, 11, 11}));
  EXPECT_EQ(swapped.fractional, rock_salt().fractional);
}

TEST(ReplaceElements, LeavesElementsThatTheMappingDoesNotName) {
  const Structure replaced = replace_elements(rock_salt(), {{11, 19}});

  EXPECT_EQ(replaced.z, (std::vector<std::uint8_t>{19, 19, 19, 19, 17, 17, 17, 17}));
}

TEST(VolumeFactor, IsTheRatioOfTheSumsOfAtomicVolumes) {
  std::vector<double> volumes(119, 0);
  volumes[11] = 20;
  volumes[17] = 25;
  volumes[19] = 40;

  const auto factor = volume_factor(rock_salt(), {{11, 19}, {17, 17}}, volumes.data());

  ASSERT_TRUE(factor);
  EXPECT_DOUBLE_EQ(*factor, (4 * 40.0 + 4 * 25.0) / (4 * 20.0 + 4 * 25.0));
}

TEST(VolumeFactor, IsExactlyOneWhenNothingChanges) {
  const std::vector<double> volumes(119, 12.34567);

  EXPECT_EQ(volume_factor(rock_salt(), {{11, 11}, {17, 17}}, volumes.data()), 1.0);
}

TEST(VolumeFactor, IsNothingWhereAVolumeIsUnknown) {
  std::vector<double> volumes(119, 0);
  volumes[11] = 20;
  volumes[17] = 25;

  EXPECT_FALSE(volume_factor(rock_salt(), {{11, 19}, {17, 17}}, volumes.data()));
  volumes[19] = 40;
  volumes[17] = 0;
  EXPECT_FALSE(volume_factor(rock_salt(), {{11, 19}, {17, 17}}, volumes.data()));
}

TEST(ScaledVolume, KeepsTheShapeAndTheFractions) {
  const Structure scaled = with_volume_scaled(rock_salt(), 1.331);

  // 1.331 = 1.1^3
  EXPECT_NEAR(scaled.lattice[0][0], 5.64 * 1.1, 1e-12);
  EXPECT_NEAR(volume(scaled.lattice) / volume(rock_salt().lattice), 1.331, 1e-12);
  EXPECT_EQ(scaled.fractional, rock_salt().fractional);
}

}  // namespace
}  // namespace kronite
