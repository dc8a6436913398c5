// Which element takes which place, against all permutations.
#include "csp/assign_elements.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <set>

#include "kronite/error.hpp"  // for Error

namespace kronite {
namespace {

using csp::assign_elements;
using Mapping = std::vector<std::pair<int, int>>;

int z(const char* symbol) { return element_number(symbol); }

TEST(AssignElements, PutsStrontiumInThePlaceOfCalcium) {
  const auto assignment =
      assign_elements(Composition::parse("SrTiO3"), Composition::parse("CaZrO3"));

  EXPECT_EQ(assignment.mapping,
            (Mapping{{z("O"), z("O")}, {z("Ca"), z("Sr")}, {z("Zr"), z("Ti")}}));
}

TEST(AssignElements, MapsACompositionOntoItselfAtNoCost) {
  const auto assignment =
      assign_elements(Composition::parse("LiFePO4"), Composition::parse("LiFePO4"));

  for (const auto& [from, into] : assignment.mapping) EXPECT_EQ(from, into);
  EXPECT_EQ(assignment.cost, 0);
}

TEST(AssignElements, KeepsToGroupsOfEqualAmount) {
  // Oxygen is the natural place for oxygen, but in Ti2O the amounts are the other way round.
  const auto assignment = assign_elements(Composition::parse("TiO2"), Composition::parse("Ti2O"));

  EXPECT_EQ(assignment.mapping, (Mapping{{z("Ti"), z("O")}, {z("O"), z("Ti")}}));
}

TEST(AssignElements, AgreesWithEnumerationForManyElementsOfOneAmount) {
  const ElementDissimilarity dissimilarity(ElementTable::embedded());
  std::mt19937 random(5);
  std::uniform_int_distribution<int> element(1, 94);
  for (int trial = 0; trial < 50; ++trial) {
    std::set<int> from, into;
    while (from.size() < 6) from.insert(element(random));
    while (into.size() < 6) into.insert(element(random));
    std::vector<ElementAmount> query, candidate;
    for (const int e : into) query.push_back({e, 1});
    for (const int e : from) candidate.push_back({e, 1});

    const auto assignment =
        assign_elements(Composition(query), Composition(candidate), dissimilarity);

    const std::vector<int> rows(from.begin(), from.end());
    std::vector<int> columns(into.begin(), into.end());
    Mapping best;
    double least = std::numeric_limits<double>::infinity();
    do {
      double cost = 0;
      for (std::size_t i = 0; i < rows.size(); ++i) cost += dissimilarity(rows[i], columns[i]);
      if (cost < least) {
        least = cost;
        best.clear();
        for (std::size_t i = 0; i < rows.size(); ++i) best.emplace_back(rows[i], columns[i]);
      }
    } while (std::next_permutation(columns.begin(), columns.end()));
    EXPECT_EQ(assignment.mapping, best);
    EXPECT_EQ(assignment.cost, least);
  }
}

TEST(AssignElements, DoesNotCareHowLargeAFormulaIsWritten) {
  const auto small = assign_elements(Composition::parse("NaCl"), Composition::parse("KBr"));
  const auto large = assign_elements(Composition::parse("Na4Cl4"), Composition::parse("K3Br3"));

  EXPECT_EQ(small.mapping, large.mapping);
}

TEST(AssignElements, TellsWhichRatiosDiffer) {
  try {
    assign_elements(Composition::parse("SrTiO3"), Composition::parse("NaCl"));
    FAIL() << "must throw";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::invalid_argument);
    EXPECT_STREQ(e.what(), "SrTiO3 and NaCl differ in their composition ratio");
  }
}

TEST(AssignElements, NamesAnElementThatTheTableDoesNotHave) {
  try {
    assign_elements(Composition::parse("AmO2"), Composition::parse("UO2"));
    FAIL() << "must throw";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "AmO2: the element table has no values for Am");
  }
}

}  // namespace
}  // namespace kronite
