// Which of several crystals of one formula a library keeps.
#include "materials/template_choice.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace kronite {
namespace {

using Kind = Verdict::Kind;

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

TemplateKey key(const std::string& id, double e_above_hull, double formation_energy,
                std::int64_t sites = 4) {
  return {id,           "TiO2",          "2:1", "file:" + id, 136, sites, 60.0 + double(id[0]),
          e_above_hull, formation_energy};
}

/// Id of the one that is kept, which must be the same in any order.
std::string kept(std::vector<TemplateKey> keys) {
  std::string first;
  std::sort(keys.begin(), keys.end(), [](auto& a, auto& b) { return a.id < b.id; });
  do {
    const std::vector<Verdict> verdicts = choose_templates(keys, false);
    const std::vector<std::size_t> order = library_order(keys, verdicts);
    EXPECT_EQ(order.size(), 1u);
    const std::string id = keys[order.front()].id;
    if (first.empty()) first = id;
    EXPECT_EQ(id, first);
  } while (std::next_permutation(keys.begin(), keys.end(),
                                 [](auto& a, auto& b) { return a.id < b.id; }));
  return first;
}

TEST(TemplateChoice, TakesTheLowestDistanceFromTheHull) {
  EXPECT_EQ(kept({key("a", 0.2, -1.0), key("b", 0.0, -1.2), key("c", kUnknown, kUnknown)}), "b");
}

TEST(TemplateChoice, TakesTheLowestFormationEnergyWhereHullsAreUnknown) {
  EXPECT_EQ(kept({key("a", kUnknown, -1.0), key("b", kUnknown, -1.2)}), "b");
}

TEST(TemplateChoice, ComparesFormationEnergiesWhereOnlySomeKnowTheirHull) {
  // By the hull, "a" would win because nothing is known of the hull of "b", which is lower.
  EXPECT_EQ(kept({key("a", 0.0, -1.0), key("b", kUnknown, -1.5)}), "b");
}

TEST(TemplateChoice, NeverComparesAHullDistanceWithAFormationEnergy) {
  EXPECT_EQ(kept({key("a", 0.3, kUnknown), key("b", kUnknown, -1.5), key("c", 0.1, kUnknown)}),
            "c");
}

TEST(TemplateChoice, PrefersAKnownEnergyToNone) {
  EXPECT_EQ(kept({key("a", kUnknown, kUnknown, 2), key("b", 0.4, kUnknown, 40)}), "b");
}

TEST(TemplateChoice, TakesTheFewestSitesAndThenTheFirstIdWithoutEnergies) {
  EXPECT_EQ(kept({key("a", kUnknown, kUnknown, 12), key("b", kUnknown, kUnknown, 6)}), "b");
  EXPECT_EQ(kept({key("b", kUnknown, kUnknown, 6), key("a", kUnknown, kUnknown, 6)}), "a");
}

TEST(TemplateChoice, TakesTheFewestSitesOfEqualEnergies) {
  EXPECT_EQ(kept({key("a", 0, kUnknown, 12), key("b", 0, kUnknown, 6)}), "b");
}

TEST(TemplateChoice, KeepsPolymorphsWhenAskedButNoRecordTwice) {
  std::vector<TemplateKey> keys{key("mp-149", 0.1, -1), key("x", 0.2, -1), key("mp-aaft", 0, -1)};
  keys[0].volume = keys[2].volume;  // mp-149 and mp-aaft are one id

  const std::vector<Verdict> verdicts = choose_templates(keys, true);

  EXPECT_EQ(verdicts[0].kind, Kind::duplicate);
  EXPECT_EQ(verdicts[0].instead, 2u);
  EXPECT_EQ(verdicts[1].kind, Kind::kept);
  EXPECT_EQ(verdicts[2].kind, Kind::kept);
}

TEST(TemplateChoice, TakesOneIdForTwoCrystalsWhereTheyDiffer) {
  std::vector<TemplateKey> keys{key("data_global", kUnknown, kUnknown),
                                key("data_global", kUnknown, kUnknown),
                                key("data_global", kUnknown, kUnknown)};
  keys[1].space_group = 141;
  keys[2].volume *= 1.01;

  for (const Verdict& verdict : choose_templates(keys, true)) EXPECT_EQ(verdict.kind, Kind::kept);
}

TEST(TemplateChoice, TakesNoFormulaForAnId) {
  const std::vector<TemplateKey> keys(2, key("TiO2", kUnknown, kUnknown));  // records without an id

  for (const Verdict& verdict : choose_templates(keys, true)) EXPECT_EQ(verdict.kind, Kind::kept);
}

TEST(TemplateChoice, SortsByRatioThenId) {
  std::vector<TemplateKey> keys{key("b", 0, 0), key("c", 0, 0), key("a", 0, 0)};
  keys[1].ratio = "1:1";

  EXPECT_EQ(library_order(keys, choose_templates(keys, true)), (std::vector<std::size_t>{1, 2, 0}));
}

TEST(TemplateChoice, SaysWhatIsKeptInstead) {
  const std::vector<TemplateKey> keys{key("worse", 0.2, -1), key("better", 0.1, -1)};

  const LeftOut left = left_out_for(keys, choose_templates(keys, false), 0);

  EXPECT_EQ(left.reason, LeftOutReason::polymorph);
  EXPECT_EQ(left.where, "file:worse");
  EXPECT_NE(left.why.find("better"), std::string::npos);
}

}  // namespace
}  // namespace kronite
