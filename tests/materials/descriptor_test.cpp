// The 290-value descriptor against golden numbers, its definition in plain loops, and itself.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "io/csv.hpp"  // for CsvReader
#include "kronite/composition.hpp"
#include "kronite/error.hpp"
#include "support/data.hpp"  // for golden, shared_data

namespace kronite {
namespace {

struct Golden {
  std::vector<std::string> names;
  std::vector<Composition> compositions;
  std::vector<double> values;
};

Golden read_golden() {
  io::CsvReader csv(test::golden("xenonpy290.csv"));
  Golden golden;
  std::vector<std::string> cells;
  csv.next(cells);
  golden.names.assign(cells.begin() + 1, cells.end());
  while (csv.next(cells)) {
    golden.compositions.push_back(Composition::parse(cells[0]));
    for (std::size_t j = 1; j < cells.size(); ++j) golden.values.push_back(std::stod(cells[j]));
  }
  return golden;
}

std::vector<double> described(const std::vector<Composition>& compositions,
                              const ElementTable& table) {
  const auto rows = static_cast<std::int64_t>(compositions.size());
  const auto cols = static_cast<std::int64_t>(5 * table.features().size());
  std::vector<double> values(compositions.size() * 5 * table.features().size());
  describe(compositions, table, {values.data(), rows, cols});
  return values;
}

void expect_golden(const ElementTable& table, double tolerance) {
  const Golden golden = read_golden();

  const std::vector<double> values = described(golden.compositions, table);

  EXPECT_EQ(descriptor_names(table), golden.names);
  ASSERT_EQ(values.size(), golden.values.size());
  const std::size_t columns = golden.names.size();
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], golden.values[i], tolerance * std::abs(golden.values[i]))
        << golden.compositions[i / columns].reduced_formula() << " " << golden.names[i % columns];
}

/// Compositions of up to eight of the 94 elements, with integer and fractional amounts.
std::vector<Composition> random_compositions(std::size_t count) {
  std::mt19937 random(7);
  std::vector<Composition> compositions;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<ElementAmount> parts(1 + random() % 8);
    for (ElementAmount& part : parts)
      part = {static_cast<int>(1 + random() % 94), 0.25 * static_cast<double>(1 + random() % 40)};
    compositions.emplace_back(parts);
  }
  return compositions;
}

TEST(Descriptor, MatchesTheGoldenNumbersWithTheirTable) {
  const std::string path = test::shared_data("composition/element_features.csv");
  KRONITE_NEEDS_DATA(path);

  expect_golden(ElementTable::read_csv(path), 1e-12);  // roundings of sums in another order
}

TEST(Descriptor, MatchesTheGoldenNumbersWithTheEmbeddedTable) {
  expect_golden(ElementTable::embedded(), 1e-9);  // whose numbers agree to 3e-10
}

TEST(Descriptor, IsItsDefinition) {
  const ElementTable& table = ElementTable::embedded();
  const std::vector<Composition> compositions = random_compositions(50);
  const std::size_t features = table.features().size();

  const std::vector<double> values = described(compositions, table);

  for (std::size_t i = 0; i < compositions.size(); ++i)
    for (std::size_t j = 0; j < features; ++j) {
      double ave = 0, sum = 0, var = 0, max = -1e300, min = 1e300;
      for (const auto& [z, fraction] : compositions[i].fractions()) {
        ave += fraction * table.row(z)[j];
        sum += compositions[i].amount(z) * table.row(z)[j];
        max = std::max(max, table.row(z)[j]);
        min = std::min(min, table.row(z)[j]);
      }
      for (const auto& [z, fraction] : compositions[i].fractions())
        var += fraction * std::pow(table.row(z)[j] - ave, 2);
      const double* row = values.data() + i * 5 * features + j;
      // The same sums in double precision: a few roundings apart, relative to the largest term.
      const double scale = 1e-14 * std::max(std::abs(max), std::abs(min));
      EXPECT_NEAR(row[0], ave, scale);
      EXPECT_NEAR(row[features], sum, scale * compositions[i].total());
      EXPECT_NEAR(row[2 * features], var, scale * std::max(std::abs(max), std::abs(min)));
      EXPECT_EQ(row[3 * features], max);
      EXPECT_EQ(row[4 * features], min);
    }
}

TEST(Descriptor, HasTheSameBitsFromAnyNumberOfThreads) {
  const std::vector<Composition> compositions = random_compositions(1000);
  const int threads = omp_get_max_threads();

  omp_set_num_threads(1);
  const std::vector<double> one = described(compositions, ElementTable::embedded());
  omp_set_num_threads(7);
  const std::vector<double> seven = described(compositions, ElementTable::embedded());
  omp_set_num_threads(threads);

  EXPECT_EQ(one, seven);
}

TEST(Descriptor, NamesTheElementAndFormulaThatTheTableDoesNotCover) {
  const std::vector<Composition> compositions = {Composition::parse("NaCl"),
                                                 Composition::parse("Am2O3")};
  try {
    described(compositions, ElementTable::embedded());
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::invalid_argument);
    EXPECT_STREQ(e.what(), "Am2O3: the element table has no values for Am");
  }
}

TEST(Descriptor, RefusesAmountsWhoseSumsAreBeyondDoublePrecision) {
  const std::vector<Composition> compositions = {Composition::parse("NaCl"),
                                                 Composition::parse("Fe1e307O1.5")};
  try {
    described(compositions, ElementTable::embedded());
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::invalid_argument);
    EXPECT_NE(std::string(e.what()).find("too large for a descriptor"), std::string::npos);
  }
}

TEST(Descriptor, RefusesAnEmptyCompositionAndAMatrixOfAnotherShape) {
  const ElementTable& table = ElementTable::embedded();
  std::vector<double> values(600);

  EXPECT_THROW(describe({Composition()}, table, {values.data(), 1, 290}), Error);
  EXPECT_THROW(describe({Composition::parse("NaCl")}, table, {values.data(), 1, 289}), Error);
  EXPECT_THROW(describe({Composition::parse("NaCl")}, table, {values.data(), 2, 290}), Error);
}

}  // namespace
}  // namespace kronite
