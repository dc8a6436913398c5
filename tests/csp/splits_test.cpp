// Splits: shares that are met, groups that stay together, labels that do not disturb each other.
#include "csp/splits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "csp/fingerprint_library.hpp"

namespace kronite::csp {
namespace {

constexpr std::array<double, 3> kPublished{0.6, 0.2, 0.2};

std::array<std::int64_t, 3> members_placed(const std::vector<std::int64_t>& sizes,
                                           const std::vector<int>& placed) {
  std::array<std::int64_t, 3> members{};
  for (std::size_t g = 0; g < sizes.size(); ++g)
    members[static_cast<std::size_t>(placed[g])] += sizes[g];
  return members;
}

Labels all_labels(const TemplateLibrary& library) {
  Labels labels;
  for (const std::string& ratio : library.ratios()) {
    const TemplateRange range = library.with_ratio(ratio);
    labels.emplace_back(static_cast<std::size_t>(range.size()));
    std::iota(labels.back().begin(), labels.back().end(), static_cast<std::int32_t>(range.begin));
  }
  return labels;
}

/// The part of each template; every template is in exactly one.
std::vector<int> part_of(const Split& split, std::int64_t templates) {
  std::vector<int> part(static_cast<std::size_t>(templates), -1);
  for (int p = 0; p < kParts; ++p)
    for (const std::int32_t i : split[static_cast<std::size_t>(p)]) {
      EXPECT_EQ(part[static_cast<std::size_t>(i)], -1) << "template " << i << " is there twice";
      part[static_cast<std::size_t>(i)] = p;
    }
  EXPECT_EQ(std::count(part.begin(), part.end(), -1), 0);
  return part;
}

TEST(PlaceGroups, OfOneMemberMeetTheShares) {
  const std::vector<std::int64_t> ten(10, 1), thousand(1000, 1), thirteen(13, 1);
  math::Random random(1);

  const auto of_ten = members_placed(ten, place_groups(ten, kPublished, random));
  const auto of_thousand = members_placed(thousand, place_groups(thousand, kPublished, random));
  const auto of_thirteen = members_placed(thirteen, place_groups(thirteen, kPublished, random));

  EXPECT_EQ(of_ten, (std::array<std::int64_t, 3>{6, 2, 2}));
  EXPECT_EQ(of_thousand, (std::array<std::int64_t, 3>{600, 200, 200}));
  EXPECT_EQ(of_thirteen[0], 8);  // 7.8, 2.6 and 2.6: the last one is drawn
  EXPECT_EQ(of_thirteen[1] + of_thirteen[2], 5);
  EXPECT_LE(std::abs(of_thirteen[1] - of_thirteen[2]), 1);
}

TEST(PlaceGroups, EachGroupIsAsLikelyAsAnyOther) {
  const std::vector<std::int64_t> sizes(13, 1);
  std::vector<std::array<int, 3>> count(sizes.size());

  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    math::Random random(seed);
    const std::vector<int> placed = place_groups(sizes, kPublished, random);
    for (std::size_t g = 0; g < sizes.size(); ++g) ++count[g][static_cast<std::size_t>(placed[g])];
  }

  // Expected 8/13, 2.5/13 and 2.5/13 of 2000; four standard deviations are 87 and 71.
  for (const auto& [training, validation, test] : count) {
    EXPECT_NEAR(training, 2000 * 8 / 13.0, 87);
    EXPECT_NEAR(validation, 2000 * 2.5 / 13, 71);
    EXPECT_NEAR(test, 2000 * 2.5 / 13, 71);
  }
}

TEST(PlaceGroups, ALargeGroupGoesWhereItFits) {
  std::vector<std::int64_t> sizes(44, 1);
  sizes[7] = 40;
  sizes[20] = 18;  // 100 members

  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    math::Random random(seed);
    const std::vector<int> placed = place_groups(sizes, kPublished, random);
    EXPECT_EQ(placed[7], 0);
    EXPECT_EQ(members_placed(sizes, placed), (std::array<std::int64_t, 3>{60, 20, 20}));
  }
}

TEST(PlaceGroups, AGroupThatFitsNowhereGoesToTheLargestPart) {
  const std::vector<std::int64_t> sizes{1, 95, 1, 1, 1, 1};
  math::Random random(3);

  const std::vector<int> placed = place_groups(sizes, kPublished, random);

  EXPECT_EQ(placed[1], 0);
  EXPECT_EQ(members_placed(sizes, placed)[0], 95);  // all others lie elsewhere
}

TEST(PlaceGroups, NothingGoesToAPartWithoutAShare) {
  const std::vector<std::int64_t> sizes(101, 1);
  math::Random random(4);

  const auto members = members_placed(sizes, place_groups(sizes, {0.9, 0.1, 0}, random));

  EXPECT_EQ(members[2], 0);
  EXPECT_EQ(members[0], 91);
}

TEST(Split, MeetsTheSharesInEveryLabel) {
  std::vector<Template> templates;
  test::add_grid(templates, "", 20, 1);
  test::add_grid(templates, "2", 10, 1);
  const TemplateLibrary library = test::library_of(templates);
  Device device = Device::cpu();

  const Split split = split_templates(device, library, all_labels(library), {});

  const std::vector<int> part = part_of(split, library.size());
  for (const std::string& ratio : library.ratios()) {
    const TemplateRange range = library.with_ratio(ratio);
    const auto training = std::count(part.begin() + range.begin, part.begin() + range.end, 0);
    EXPECT_EQ(training, range.size() * 6 / 10) << ratio;
  }
}

TEST(Split, PoolsSmallLabels) {
  std::vector<Template> templates;
  for (const std::string amount : {"", "2", "3", "4", "5", "6", "7", "8", "9", "10"})
    for (const std::string metal : {"Na", "Ca"})
      templates.push_back(test::point(metal + "Cl" + amount, metal + amount, 0));
  const TemplateLibrary library = test::library_of(templates);
  Device device = Device::cpu();
  PairOptions apart;
  apart.least_members = 0;

  const Split pooled = split_templates(device, library, all_labels(library), {});
  const Split each = split_templates(device, library, all_labels(library), apart);

  EXPECT_EQ(pooled[0].size(), 12U);  // of 20 templates in 10 labels
  EXPECT_EQ(pooled[1].size(), 4U);
  EXPECT_EQ(each[0].size(), 10U);  // 1.2, 0.4, 0.4 of each two: one, and one elsewhere
}

TEST(Split, KeepsPolymorphsTogether) {
  std::vector<Template> templates;
  test::add_grid(templates, "", 10, 1);
  const std::size_t formulas = templates.size();
  for (std::size_t i = 0; i < formulas; ++i) {
    templates.push_back(templates[i]);
    templates.back().id += "-2";
  }
  const TemplateLibrary library = test::library_of(templates);
  Device device = Device::cpu();

  for (PairOptions options; options.seed < 5; ++options.seed) {
    const Split split = split_templates(device, library, all_labels(library), options);
    const std::vector<int> part = part_of(split, library.size());
    std::map<std::string, std::set<int>> parts;
    for (std::int64_t i = 0; i < library.size(); ++i)
      parts[std::string(library.info(i).formula)].insert(part[static_cast<std::size_t>(i)]);
    for (const auto& [formula, where] : parts) EXPECT_EQ(where.size(), 1U) << formula;
  }
}

TEST(Split, KeepsStructureTypesTogether) {
  std::vector<Template> templates;  // spacing 0.08: neighbours are joined, and so are their chains
  test::add_grid(templates, "", 20, 0.08F);
  test::add_grid(templates, "2", 20, 0.3F);
  const TemplateLibrary library = test::library_of(templates);
  Device device = Device::cpu();
  PairOptions options;
  options.hold_out = HoldOut::structure_type;

  const Split split = split_templates(device, library, all_labels(library), options);

  const std::vector<int> part = part_of(split, library.size());
  for (const std::string& ratio : library.ratios()) {
    const TemplateRange range = library.with_ratio(ratio);
    for (std::int64_t i = range.begin; i < range.end; ++i)
      for (std::int64_t j = range.begin; j < i; ++j)
        if (dissimilarity(library.fingerprint(i), library.fingerprint(j)) <= kSameStructureType) {
          EXPECT_EQ(part[static_cast<std::size_t>(i)], part[static_cast<std::size_t>(j)]);
        }
  }
  const std::set<int> chained(part.begin() + library.with_ratio("1:1").begin,
                              part.begin() + library.with_ratio("1:1").end);
  EXPECT_EQ(chained.size(), 1U);  // one component
  const std::set<int> apart(part.begin() + library.with_ratio("2:1").begin,
                            part.begin() + library.with_ratio("2:1").end);
  EXPECT_EQ(apart.size(), 3U);
}

TEST(Split, OfALabelDoesNotDependOnTheOthers) {
  const TemplateLibrary library = TemplateLibrary::embedded();
  Device device = Device::cpu();
  const Labels all = all_labels(library);
  const auto largest = static_cast<std::size_t>(
      std::max_element(all.begin(), all.end(),
                       [](const auto& a, const auto& b) { return a.size() < b.size(); }) -
      all.begin());
  Labels one(all.size());
  one[largest] = all[largest];

  const Split with_others = split_templates(device, library, all, {});
  const Split alone = split_templates(device, library, one, {});

  for (std::size_t p = 0; p < alone.size(); ++p) {
    EXPECT_FALSE(alone[p].empty());
    EXPECT_TRUE(std::includes(with_others[p].begin(), with_others[p].end(), alone[p].begin(),
                              alone[p].end()));
  }
}

}  // namespace
}  // namespace kronite::csp
