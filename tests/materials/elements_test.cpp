// Symbols of elements and tables of their features.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "io/atomic_file.hpp"  // for write_file
#include "io/input.hpp"        // for read_file
#include "kronite/composition.hpp"
#include "kronite/error.hpp"
#include "materials/elements.hpp"
#include "support/data.hpp"              // for shared_data
#include "support/temporary_folder.hpp"  // for TemporaryFolder

namespace kronite {

namespace embedded {
std::span<const std::byte> elements();  // made by kronite_embed
}

namespace {

class ElementTableFile : public testing::Test {
 protected:
  ElementTable read(const std::string& text) {
    io::write_file(path_, text);
    return ElementTable::read_csv(path_);
  }

  void expect_refused(const std::string& text, const std::string& where,
                      const std::string& reason) {
    try {
      read(text);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::parse);
      EXPECT_TRUE(std::string(e.what()).starts_with(path_ + where)) << e.what();
      EXPECT_NE(std::string(e.what()).find(reason), std::string::npos) << e.what();
    }
  }

  const test::TemporaryFolder folder_;
  const std::string path_ = folder_.path("table.csv");
};

TEST(Elements, HaveSymbolsAndNumbersThatBelongTogether) {
  for (int z = 1; z <= kElements; ++z) EXPECT_EQ(element_number(element_symbol(z)), z);

  EXPECT_EQ(element_symbol(1), "H");
  EXPECT_EQ(element_symbol(26), "Fe");
  EXPECT_EQ(element_symbol(118), "Og");
  EXPECT_EQ(element_symbol(0), "");
  EXPECT_EQ(element_symbol(119), "");
}

TEST(Elements, AreFoundBySymbolsInTheirCaseOnly) {
  EXPECT_EQ(element_number("D"), 1);
  EXPECT_EQ(element_number("T"), 1);
  for (const char* symbol : {"", "fe", "FE", "fE", "Xx", "Fex", "J", "F1", "\xC3\x85"})
    EXPECT_EQ(element_number(symbol), 0) << symbol;
}

TEST(Elements, AreOrderedByElectronegativityThenSymbol) {
  EXPECT_LT(formula_order(element_number("Cs")), formula_order(element_number("F")));
  EXPECT_LT(formula_order(element_number("K")), formula_order(element_number("Rb")));
  EXPECT_LT(formula_order(element_number("F")), formula_order(element_number("He")));
  EXPECT_LT(formula_order(element_number("Ar")), formula_order(element_number("He")));
  EXPECT_TRUE(std::isnan(electronegativity(2)));
}

TEST(ElementTable, HoldsTheFeaturesOfHydrogenToPlutonium) {
  const ElementTable& table = ElementTable::embedded();

  ASSERT_EQ(table.features().size(), 58u);
  EXPECT_EQ(table.features().front(), "atomic_number");
  EXPECT_EQ(table.features().back(), "Polarizability");
  for (int z = 1; z <= 94; ++z) {
    ASSERT_TRUE(table.has(z));
    EXPECT_EQ(table.row(z)[0], z);
  }
  EXPECT_FALSE(table.has(0));
  EXPECT_FALSE(table.has(95));
  EXPECT_FALSE(table.has(1000));
}

TEST(ElementTable, HasNoElementsUntilItIsRead) { EXPECT_FALSE(ElementTable().has(1)); }

TEST(ElementTable, LiesInTheLibraryAsTheFileIs) {
  const std::span<const std::byte> bytes = embedded::elements();

  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_EQ(text, io::read_file(KRONITE_TEST_SOURCE "/../data/elements.csv"));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % 64, 0u);
}

TEST(ElementTable, EmbedsTheNumbersOfTheLargeDataSet) {
  const std::string path = test::shared_data("composition/element_features.csv");
  KRONITE_NEEDS_DATA(path);
  const ElementTable& embedded = ElementTable::embedded();

  const ElementTable table = ElementTable::read_csv(path);

  ASSERT_EQ(table.features(), embedded.features());
  for (int z = 1; z <= 94; ++z)
    for (std::size_t j = 0; j < table.features().size(); ++j) {
      const double value = table.row(z)[j];
      // The two sources print some numbers with ten digits.
      EXPECT_NEAR(embedded.row(z)[j], value, 3e-10 * std::abs(value)) << z << " " << j;
    }
}

TEST_F(ElementTableFile, IsReadInAnyOrderOfRows) {
  const ElementTable table = read("element,mass,radius\nO,15.999,0.66\nH,1.008,0.31\n");

  EXPECT_EQ(table.features(), (std::vector<std::string>{"mass", "radius"}));
  EXPECT_EQ(table.row(1)[0], 1.008);
  EXPECT_EQ(table.row(8)[1], 0.66);
  EXPECT_FALSE(table.has(2));
}

TEST_F(ElementTableFile, IsNamedByItsContentNotItsFormatting) {
  const std::string hash = read(",mass,radius\nH,1.008,0.31\nO,15.999,0\n").hash();

  EXPECT_EQ(hash.size(), 16u);
  EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(read("x,\"mass\",radius\r\n\r\nO,1.5999e1,-0\r\nH,1.0080,0.31\r\n").hash(), hash);
  EXPECT_NE(read(",mass,radius\nH,1.008,0.32\nO,15.999,0\n").hash(), hash);
  EXPECT_NE(read(",mass,radii\nH,1.008,0.31\nO,15.999,0\n").hash(), hash);
  EXPECT_NE(read(",mass,radius\nHe,1.008,0.31\nO,15.999,0\n").hash(), hash);
}

TEST_F(ElementTableFile, IsRefusedWithFileLineAndColumn) {
  expect_refused("", ":", "header");
  expect_refused("symbol\nH\n", ":1:", "names of features");
  expect_refused(",a,\nH,1,2\n", ":1:", "column 3 has no name");
  expect_refused(",a,a\nH,1,2\n", ":1:", "two columns are called a");
  expect_refused(",a,b\n", ":1:", "rows of elements");
  expect_refused(",a,b\nH,1,2\nXx,1,2\n", ":3:", "not \"Xx\"");
  expect_refused(",a,b\nD,1,2\n", ":2:", "not \"D\"");
  expect_refused(",a,b\nH,1,2\nH,1,2\n", ":3:", "second row for H");
  expect_refused(",a,b\nH,1\n", ":2:", "2 cells, the header has 3");
  expect_refused(",a,b\nH,1,\n", ":2:", "column 3 (b) of H");
  expect_refused(",a,b\nH,nan,2\n", ":2:", "column 2 (a) of H");
  expect_refused(",a,b\nH,1e999,2\n", ":2:", "column 2 (a) of H");
  expect_refused(",a,b\nH,\"1,5\",2\n", ":2:", "not \"1,5\"");
}

}  // namespace
}  // namespace kronite
