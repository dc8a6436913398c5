// The formula parser: what it accepts, what it refuses and how it says so.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "kronite/composition.hpp"
#include "kronite/error.hpp"
#include "support/comma_locale.hpp"

namespace kronite {
namespace {

using Parts = std::vector<ElementAmount>;

Parts parts_of(std::string_view formula) { return Composition::parse(formula).parts(); }

/// The message with which a formula is refused; empty when it is accepted.
std::string refusal(std::string_view formula) {
  try {
    Composition::parse(formula);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::parse);
    return e.what();
  }
  return {};
}

/// Column of the caret in the formula that a refusal shows; -1 when there is none.
int caret_column(const std::string& message) {
  const std::size_t line = message.rfind('\n');
  if (line == std::string::npos || message.back() != '^') return -1;
  return static_cast<int>(message.size() - 1 - (line + 1) - 2);
}

void expect_refused(std::string_view formula, int caret, const std::string& reason) {
  const std::string message = refusal(formula);
  EXPECT_EQ(caret_column(message), caret) << message;
  EXPECT_NE(message.find(reason), std::string::npos) << message;
}

TEST(FormulaParser, ReadsElementsAndAmounts) {
  EXPECT_EQ(parts_of("CaCO3"), (Parts{{6, 1}, {8, 3}, {20, 1}}));
  EXPECT_EQ(parts_of("O2"), (Parts{{8, 2}}));
  EXPECT_EQ(parts_of("Co"), (Parts{{27, 1}}));
  EXPECT_EQ(parts_of("CO"), (Parts{{6, 1}, {8, 1}}));
  EXPECT_EQ(parts_of("CH3COOH"), (Parts{{1, 4}, {6, 2}, {8, 2}}));
}

TEST(FormulaParser, ReadsEveryKindOfBracket) {
  EXPECT_EQ(parts_of("Ca(OH)2"), (Parts{{1, 2}, {8, 2}, {20, 1}}));
  EXPECT_EQ(parts_of("[Co(NH3)6]Cl3"), (Parts{{1, 18}, {7, 6}, {17, 3}, {27, 1}}));
  EXPECT_EQ(parts_of("{K2}[PtCl6]"), (Parts{{17, 6}, {19, 2}, {78, 1}}));
  EXPECT_EQ(parts_of("((H)2(O))3"), (Parts{{1, 6}, {8, 3}}));
}

TEST(FormulaParser, ReadsDecimalsAndExponentsExactly) {
  EXPECT_EQ(parts_of("La1.85Sr0.15CuO4"), (Parts{{8, 4}, {29, 1}, {38, 0.15}, {57, 1.85}}));
  EXPECT_EQ(parts_of("Fe0.00009Ni0.99991"), (Parts{{26, 0.00009}, {28, 0.99991}}));
  EXPECT_EQ(parts_of("Fe9e-5Ni0.99991"), (Parts{{26, 0.00009}, {28, 0.99991}}));
  EXPECT_EQ(parts_of("Fe1E3"), (Parts{{26, 1000}}));
  EXPECT_EQ(parts_of("Fe2Es"), (Parts{{26, 2}, {99, 1}}));
}

TEST(FormulaParser, MultipliesAndAddsAmountsInDecimalArithmetic) {
  EXPECT_EQ(parts_of("(Sr0.1)3"), (Parts{{38, 0.3}}));
  EXPECT_EQ(parts_of("Sr0.1Sr0.2"), (Parts{{38, 0.3}}));
  EXPECT_EQ(parts_of("Fe0.33333333333333333333333"), (Parts{{26, 0.33333333333333333333333}}));
  EXPECT_EQ(parts_of("Fe1e300Fe1"), (Parts{{26, 1e300}}));
}

TEST(FormulaParser, ReadsAddedParts) {
  const Parts vitriol = {{1, 10}, {8, 9}, {16, 1}, {29, 1}};

  EXPECT_EQ(parts_of("CuSO4·5H2O"), vitriol);
  EXPECT_EQ(parts_of("CuSO4*5H2O"), vitriol);
  EXPECT_EQ(parts_of("CuSO4•5H2O"), vitriol);
  EXPECT_EQ(parts_of("3CaO · SiO2"), (Parts{{8, 5}, {14, 1}, {20, 3}}));
  EXPECT_EQ(parts_of("CaSO4·0.5H2O"), (Parts{{1, 1}, {8, 4.5}, {16, 1}, {20, 1}}));
}

TEST(FormulaParser, PassesOverSpacesBetweenSymbolsAndNumbers) {
  EXPECT_EQ(parts_of("Zn 58 Mg 40 Dy 2"), (Parts{{12, 40}, {30, 58}, {66, 2}}));
  EXPECT_EQ(parts_of(" \tCa ( O H ) 2 "), (Parts{{1, 2}, {8, 2}, {20, 1}}));
}

TEST(FormulaParser, CountsDeuteriumAndTritiumAsHydrogenWithANotice) {
  std::vector<std::string> notices;

  const Composition heavy_water = Composition::parse("D2OD", &notices);
  Composition::parse("T2O", &notices);

  EXPECT_EQ(heavy_water.parts(), (Parts{{1, 3}, {8, 1}}));
  EXPECT_EQ(notices, (std::vector<std::string>{"D2OD: D (deuterium) is counted as H",
                                               "T2O: T (tritium) is counted as H"}));
}

TEST(FormulaParser, ReadsAPointAsDecimalAndShowsHowAHydrateIsWritten) {
  std::vector<std::string> notices;

  const Composition composition = Composition::parse("CuSO4.5H2O", &notices);
  Composition::parse("YBa2Cu3O6.5", &notices);

  EXPECT_EQ(composition.parts(), (Parts{{1, 2}, {8, 5.5}, {16, 1}, {29, 1}}));
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_NE(notices[0].find("CuSO4·5H2O"), std::string::npos) << notices[0];
}

TEST(FormulaParser, PutsTheCaretUnderTheOffendingCharacter) {
  expect_refused("Ch3OH", 0, "no element Ch");
  expect_refused("Madeupstuff", 0, "no element Madeupstuff");
  expect_refused("ca", 0, "capital letter");
  expect_refused("Xx2", 0, "no element Xx");
  expect_refused("CaCO3)", 5, "no bracket is open");
  expect_refused("(CaCO3", 0, "never closed");
  expect_refused("[CaO)", 4, "closed by )");
  expect_refused("Ca()2", 2, "empty");
  expect_refused("Ca0", 2, "above zero");
  expect_refused("Ca0.00", 2, "above zero");
  expect_refused("Ca-1", 2, "charges");
  expect_refused("Ca1e999", 2, "double precision");
  expect_refused("Ca1e-999", 2, "double precision");
  expect_refused("Ca1..5", 3, "decimal point");
  expect_refused("Ca1.5.5", 5, "decimal point");
  expect_refused("CuSO4.H2O", 5, "centred dot");
  expect_refused("Ca,5", 2, "comma");
  expect_refused("Fe3@O4", 3, "@");
  expect_refused("Ca1-xEux", 3, "charges");
  expect_refused("Zn 5 8", 5, "number");
  expect_refused("5", 1, "element is expected");
  expect_refused("CaO·", 4, "element is expected");
  expect_refused("·CaO", 0, "element is expected");
  expect_refused("(CaO·H2O)2", 4, "inside brackets");
  expect_refused("(Ca1e300)1e300", 0, "double precision");
  expect_refused("(Ca1e-300)1e-300", 0, "double precision");
}

TEST(FormulaParser, CountsCharactersNotBytesForTheCaret) { expect_refused("CuSO4·5H₂O", 8, "₂"); }

TEST(FormulaParser, RefusesEmptyText) {
  EXPECT_NE(refusal("").find("empty"), std::string::npos);
  EXPECT_NE(refusal("  ").find("empty"), std::string::npos);
}

TEST(FormulaParser, RefusesNulBytesAndShowsNoControlCharacters) {
  const std::string message = refusal(std::string_view("Ca\0O\x1B[2J", 8));

  EXPECT_EQ(caret_column(message), 2) << message;
  EXPECT_EQ(message.find('\0'), std::string::npos);
  EXPECT_EQ(message.find('\x1B'), std::string::npos);
}

TEST(FormulaParser, RefusesBytesThatAreNotUtf8) {
  const std::string message = refusal("Ca\xB7O");

  EXPECT_EQ(caret_column(message), 2) << message;
  EXPECT_EQ(message.find('\xB7'), std::string::npos);
}

TEST(FormulaParser, AnswersTenMegabytesOfAnythingWithAShortMessage) {
  constexpr std::size_t kTenMegabytes = 10'000'000;

  for (const char c : {'(', ')', '[', '.', 'a', 'X', '9', '0', ' ', '\0'}) {
    const std::string message = refusal("Ca" + std::string(kTenMegabytes, c) + "?");
    EXPECT_FALSE(message.empty()) << c;
    EXPECT_LT(message.size(), 400u) << c;
  }
}

TEST(FormulaParser, ReadsALongFormulaInFull) {
  std::string formula;
  for (int i = 0; i < 100'000; ++i) formula += "(HO2)2";

  EXPECT_EQ(parts_of(formula), (Parts{{1, 200'000}, {8, 400'000}}));
}

TEST(FormulaParser, CutsALongFormulaAroundTheCaret) {
  const std::string message = refusal(std::string(100, 'H') + "@" + std::string(100, 'H'));

  const std::string shown = message.substr(message.find('\n') + 3);
  EXPECT_EQ(shown[static_cast<std::size_t>(caret_column(message))], '@') << message;
  EXPECT_TRUE(shown.starts_with("...H")) << message;
}

TEST(FormulaParser, DoesNotDependOnTheLocale) {
  const test::CommaLocale comma;

  EXPECT_EQ(parts_of("La1.85Sr0.15000000000000000000000001"), (Parts{{38, 0.15}, {57, 1.85}}));
  EXPECT_EQ(Composition({{38, 0.15}, {57, 1234.5}}).reduced_formula(), "Sr0.15La1234.5");
  EXPECT_EQ(Composition::parse("Sr1234La").reduced_formula(), "Sr1234La");
}

/// Random edits of good formulas: every result is refused as a parse error, or makes a composition
/// whose written form reads back as the same one.
TEST(FormulaParser, SurvivesMutatedFormulas) {
  const std::vector<std::string> seeds = {
      "[Co(NH3)6]Cl3",   "La1.85Sr0.15CuO4", "CuSO4·5H2O",   "{K2}[PtCl6]",
      "Fe9e-5Ni0.99991", "Zn 58 Mg 40 Dy 2", "Li3Fe2(PO4)3", "D2O"};
  const std::string alphabet = "()[]{}.,0123456789eE+-*· CaOHNFeXx@\0\xC2\xFF";
  std::mt19937 random(20220801);
  const auto below = [&random](std::size_t n) { return random() % n; };
  int accepted = 0;

  for (int trial = 0; trial < 50'000; ++trial) {
    std::string formula = seeds[below(seeds.size())];
    for (std::size_t edits = 1 + below(3); edits > 0 && !formula.empty(); --edits) {
      const std::size_t at = below(formula.size());
      switch (below(4)) {
        case 0:
          formula.erase(at, 1 + below(3));
          break;
        case 1:
          formula.insert(at, 1, alphabet[below(alphabet.size())]);
          break;
        case 2:
          formula[at] = alphabet[below(alphabet.size())];
          break;
        default:
          formula.insert(at, formula.substr(below(formula.size()), below(6)));
          break;
      }
    }
    if (!refusal(formula).empty()) continue;
    ++accepted;
    const Composition composition = Composition::parse(formula).reduced();
    EXPECT_EQ(Composition::parse(composition.reduced_formula()).reduced().parts(),
              composition.parts())
        << formula;
  }

  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace kronite
