// Compositions: reduced formulas and ratios against pymatgen (tests/golden/make_formula_golden.py).
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "io/csv.hpp"  // for CsvReader
#include "kronite/composition.hpp"
#include "kronite/error.hpp"
#include "support/data.hpp"  // for golden, shared_data

namespace kronite {
namespace {

using Parts = std::vector<ElementAmount>;
using Record = std::vector<std::string>;

/// Records of a CSV file without its header.
std::vector<Record> records(const std::string& path) {
  io::CsvReader csv(path);
  std::vector<Record> all;
  for (Record record; csv.next(record);) all.push_back(record);
  all.erase(all.begin());
  return all;
}

const char* const kStableFormulas = "composition/mp_stable_formula.csv.gz";

std::vector<std::string> stable_formulas() {
  std::vector<std::string> formulas;
  for (const Record& record : records(test::shared_data(kStableFormulas)))
    formulas.push_back(record.at(1));
  return formulas;
}

void add_line(uLong& crc, const std::string& text) {
  const std::string line = text + "\n";
  crc = ::crc32(crc, reinterpret_cast<const Bytef*>(line.data()), static_cast<uInt>(line.size()));
}

/// The same substance written differently: amounts times a factor, elements shuffled and split, and
/// the whole in brackets.
std::string rewritten(const Composition& composition, std::mt19937& random) {
  const int factor = 1 + static_cast<int>(random() % 6);
  const int outer = 1 + static_cast<int>(random() % 3);
  std::vector<std::string> pieces;
  for (const ElementAmount& part : composition.parts()) {
    const std::string symbol(element_symbol(part.z));
    const long amount = std::lround(part.amount) * factor;
    const long first = 1 + static_cast<long>(random() % static_cast<unsigned long>(amount));
    pieces.push_back(symbol + std::to_string(first));
    if (first < amount) pieces.push_back("[" + symbol + "]" + std::to_string(amount - first));
  }
  std::shuffle(pieces.begin(), pieces.end(), random);
  std::string text = "(";
  for (const std::string& piece : pieces) text += piece;
  return text + ")" + std::to_string(outer);
}

TEST(Composition, AgreesWithPymatgenOnPickedFormulas) {
  const std::vector<Record> picked = records(test::golden("formulas.csv"));

  ASSERT_GT(picked.size(), 60u);
  for (const Record& record : picked) {
    const Composition composition = Composition::parse(record[0]);
    EXPECT_EQ(composition.reduced_formula(), record[1]) << record[0];
    EXPECT_EQ(composition.ratio_label(), record[2]) << record[0];
  }
}

TEST(Composition, AgreesWithPymatgenOnEveryStableFormula) {
  KRONITE_NEEDS_DATA(test::shared_data(kStableFormulas));
  const std::vector<std::string> formulas = stable_formulas();

  std::size_t seen = 0;
  for (const Record& block : records(test::golden("formula_blocks.csv"))) {
    uLong reduced = 0, ratio = 0;
    const std::size_t end = std::stoul(block[0]) + std::stoul(block[1]);
    for (; seen < end; ++seen) {
      const Composition composition = Composition::parse(formulas.at(seen));
      add_line(reduced, composition.reduced_formula());
      add_line(ratio, composition.ratio_label());
    }
    EXPECT_EQ(reduced, std::stoul(block[2], nullptr, 16)) << "formulas from " << block[0];
    EXPECT_EQ(ratio, std::stoul(block[3], nullptr, 16)) << "formulas from " << block[0];
  }

  EXPECT_EQ(seen, 35'463u);
  EXPECT_EQ(formulas.size(), seen);
}

TEST(Composition, DoesNotDependOnHowAFormulaIsWritten) {
  KRONITE_NEEDS_DATA(test::shared_data(kStableFormulas));
  std::mt19937 random(11);

  for (const std::string& formula : stable_formulas()) {
    const Composition composition = Composition::parse(formula);
    const std::string other_text = rewritten(composition, random);
    const Composition other = Composition::parse(other_text);
    ASSERT_EQ(other.reduced_formula(), composition.reduced_formula()) << other_text;
    ASSERT_EQ(other.ratio_label(), composition.ratio_label()) << other_text;
    ASSERT_EQ(other.reduced().parts(), composition.reduced().parts()) << other_text;
  }
}

TEST(Composition, WritesSmallAmountsWithoutAnExponent) {
  EXPECT_EQ(Composition::parse("Fe9e-5Ni0.99991").reduced_formula(), "Fe0.00009Ni0.99991");
}

TEST(Composition, GivesRatiosOfDecimalAmountsByTheirDigits) {
  EXPECT_EQ(Composition::parse("La1.85Sr0.15CuO4").ratio_label(), "80:37:20:3");
  EXPECT_EQ(Composition::parse("Fe0.00009Ni0.99991").ratio_label(), "99991:9");
  EXPECT_EQ(Composition::parse("Fe0.333Ni0.667").ratio_label(), "667:333");
  EXPECT_EQ(Composition({{26, 0.1 + 0.2}, {28, 0.7}}).ratio_label(), "7:3");
}

TEST(Composition, GivesNoRatioWhenItsIntegersAreLarge) {
  EXPECT_EQ(Composition::parse("Fe999999Ni").ratio_label(), "999999:1");
  EXPECT_EQ(Composition::parse("Fe1000000Ni").ratio_label(), "");
  EXPECT_EQ(Composition::parse("Fe0.3333333333Ni").ratio_label(), "");
  EXPECT_EQ(Composition::parse("Fe1e300Ni").ratio_label(), "");
  EXPECT_EQ(Composition::parse("Fe1e-300Ni").ratio_label(), "");
  EXPECT_EQ(Composition().ratio_label(), "");
}

TEST(Composition, TakesAmountsNearIntegersAsIntegers) {
  const Composition composition({{12, 1.9999999999}, {8, 2.0000000001}});

  EXPECT_EQ(composition.reduced().parts(), (Parts{{8, 1}, {12, 1}}));
  EXPECT_EQ(composition.reduced_formula(), "MgO");
  EXPECT_EQ(composition.ratio_label(), "1:1");
}

TEST(Composition, ReducesAndKeepsMolecules) {
  EXPECT_EQ(Composition::parse("Sr2Ti2O6").reduced(), Composition::parse("SrTiO3"));
  EXPECT_EQ(Composition::parse("O6").reduced(), Composition::parse("O2"));
  EXPECT_EQ(Composition::parse("NaO").reduced(), Composition::parse("Na2O2"));
  EXPECT_EQ(Composition::parse("Fe0.5O0.5").reduced(), Composition::parse("Fe0.5O0.5"));
}

TEST(Composition, SumsAmountsAndFractions) {
  const Composition composition = Composition::parse("SiO2");

  EXPECT_EQ(composition.total(), 3);
  EXPECT_EQ(composition.amount(8), 2);
  EXPECT_EQ(composition.amount(26), 0);
  EXPECT_EQ(composition.fractions(), (Parts{{8, 2.0 / 3}, {14, 1.0 / 3}}));
}

TEST(Composition, SortsAndAddsUpTheGivenParts) {
  const Composition composition({{14, 1}, {8, 1}, {8, 1}});

  EXPECT_EQ(composition.parts(), (Parts{{8, 2}, {14, 1}}));
}

TEST(Composition, RefusesAmountsAndElementsThatCannotBe) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kMost = std::numeric_limits<double>::max();

  for (const Parts& parts : {Parts{{0, 1}}, Parts{{119, 1}}, Parts{{8, 0}}, Parts{{8, -1}},
                             Parts{{8, kNan}}, Parts{{8, kMost}, {9, kMost}}})
    EXPECT_THROW(Composition{parts}, Error);
}

}  // namespace
}  // namespace kronite
