// Weights: compositions as mixtures of elements, and what is wrong with rows of weights.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kmd/materials.hpp"

namespace kronite::kmd::test {
namespace {

Components elements(const std::vector<std::string>& names) {
  Components c;
  c.names = names;
  c.features = {"a"};
  for (std::size_t i = 0; i < names.size(); ++i) c.values.push_back(static_cast<double>(i));
  return c;
}

std::vector<Composition> parse(const std::vector<std::string>& formulas) {
  std::vector<Composition> compositions;
  for (const std::string& formula : formulas) compositions.push_back(Composition::parse(formula));
  return compositions;
}

TEST(Weights, OfCompositionsAreAtomicFractionsInTheOrderOfTheComponents) {
  const Weights w = weights_of(parse({"Zn2B2PbO6", "O2"}), elements({"Pb", "O", "H", "Zn", "B"}));

  w.check();
  EXPECT_EQ(w.components, 5);
  EXPECT_EQ(w.first, (std::vector<std::int64_t>{0, 4, 5}));
  EXPECT_EQ(w.component, (std::vector<std::int32_t>{0, 1, 3, 4, 1}));
  EXPECT_EQ(w.weight, (std::vector<double>{1. / 11, 6. / 11, 2. / 11, 2. / 11, 1}));
}

TEST(Weights, OfUnknownElementsFollowThePolicy) {
  const auto compositions = parse({"NaCl", "NaClO2", "O2"});
  const Components c = elements({"Na", "Cl", "unobtainium"});

  expect_error(Errc::invalid_argument, {"NaClO2", ": O is not among"},
               [&] { weights_of(compositions, c); });

  std::vector<std::int64_t> kept{7};
  const Weights skipped = weights_of(compositions, c, Unknown::skip, &kept);
  EXPECT_EQ(kept, (std::vector<std::int64_t>{0}));
  EXPECT_EQ(skipped.rows(), 1);

  const Weights rest = weights_of(parse({"NaCl", "NaClO2"}), c, Unknown::renormalise, &kept);
  rest.check();
  EXPECT_EQ(kept, (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(rest.weight, (std::vector<double>{0.5, 0.5, 0.5, 0.5}));

  expect_error(Errc::invalid_argument, {"O2", "O is not among"},
               [&] { weights_of(compositions, c, Unknown::renormalise); });
}

TEST(Weights, OfNothing) {
  EXPECT_EQ(weights_of({}, elements({"H"})).rows(), 0);
  expect_error(Errc::invalid_argument, {"empty composition"},
               [] { weights_of({Composition()}, elements({"H"})); });
}

TEST(Weights, ThatAreNoMixturesAreRefused) {
  const auto refuse = [](const std::vector<std::string>& words, auto change) {
    Weights w;
    w.components = 3;
    w.first = {0, 1, 3};
    w.component = {1, 0, 2};
    w.weight = {1, 0.25, 0.75};
    w.check();
    change(w);
    expect_error(Errc::invalid_argument, words, [&] { w.check(); });
  };

  refuse({"row 1", "adds up to 1.000001"}, [](Weights& w) { w.weight[1] = 0.250001; });
  refuse({"row 1", "-0.25"}, [](Weights& w) { w.weight = {1, -0.25, 1.25}; });
  refuse({"row 0", "nan"}, [](Weights& w) { w.weight[0] = std::nan(""); });
  refuse({"row 0", "inf"},
         [](Weights& w) { w.weight[0] = std::numeric_limits<double>::infinity(); });
  refuse({"row 1", "0 as a weight"}, [](Weights& w) { w.weight = {1, 0, 1}; });
  refuse({"row 1", "component 3"}, [](Weights& w) { w.component[2] = 3; });
  refuse({"row 0", "component -1"}, [](Weights& w) { w.component[0] = -1; });
  refuse({"row 1", "in order"}, [](Weights& w) { w.component = {1, 2, 0}; });
  refuse({"row 1", "in order"}, [](Weights& w) { w.component = {1, 2, 2}; });
  refuse({"row 1", "adds up to 0"}, [](Weights& w) { w.first = {0, 1, 1, 3}; });
  refuse({"row 0", "ends before"}, [](Weights& w) { w.first = {0, -1, 3}; });
  refuse({"do not cover"}, [](Weights& w) { w.first = {0, 1, 2}; });
  refuse({"do not cover"}, [](Weights& w) { w.weight.pop_back(); });
  refuse({"do not cover"}, [](Weights& w) { w.first = {}; });
}

}  // namespace
}  // namespace kronite::kmd::test
