// Metrics on small libraries: lists, inputs, coverage, ranking.
#include "kronite/metric.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <thread>

#include "csp/coverage.hpp"
#include "csp/fingerprint_library.hpp"  // for point, library_of
#include "csp/metric_data.hpp"
#include "csp/metric_inputs.hpp"
#include "csp/metric_judge.hpp"
#include "csp/small_metric.hpp"

namespace kronite::csp {
namespace {

using learn::ListGroup;
using test::expect_contains;
using test::library_of;
using test::point;
using test::refusal;
using test::small_metric;

// --- lists --------------------------------------------------------------------------------------

std::vector<Relation> relations(const ListGroup& group, std::size_t query) {
  std::vector<std::uint8_t> values(group.candidates.size());
  group.relations(query, values);
  std::vector<Relation> relations;
  for (const std::uint8_t value : values) relations.push_back(static_cast<Relation>(value));
  return relations;
}

TEST(MetricLists, HoldWhoIsAlikeAndLeaveOutTheOwnFormula) {
  const TemplateLibrary library = library_of(
      {point("NaCl", "a", 0), point("NaCl", "b", 1), point("KCl", "c", 0.05F), point("LiF", "d", 1),
       point("MgO", "e", 5), point("CaF2", "f", 0), point("SrF2", "g", 0.08F)});
  PairOptions options;
  options.tau = 0.1;
  options.parts = {1, 0, 0};
  Device device = Device::cpu();

  const MetricData data = make_lists(device, library, options, {"MgO"});

  EXPECT_EQ(data.templates(), 6);
  EXPECT_EQ(data.pairs(), 4 * 3 + 2);
  EXPECT_TRUE(data.validation.empty());
  ASSERT_EQ(data.training.size(), 2U);
  const std::map<std::string, std::string> expected{{"a", "ab|c"}, {"b", "ab|d"}, {"c", "c|a"},
                                                    {"d", "d|b"},  {"f", "f|g"},  {"g", "g|f"}};
  for (const ListGroup& group : data.training) {
    EXPECT_EQ(group.queries, group.candidates);
    for (std::size_t i = 0; i < group.queries.size(); ++i) {
      const auto query = library.info(group.queries[i]);
      std::string left_out, alike;
      const auto relation = relations(group, i);
      for (std::size_t j = 0; j < relation.size(); ++j) {
        const auto id = library.info(group.candidates[j]).id;
        if (relation[j] != Relation::unlike)
          (relation[j] == Relation::alike ? alike : left_out) += id;
      }
      EXPECT_EQ(left_out + "|" + alike, expected.at(std::string(query.id))) << query.id;
    }
  }
}

TEST(MetricLists, HeldOutQueriesMeetTheTrainingTemplatesOfTheirRatio) {
  PairOptions options;
  options.tau = 0.1;
  options.parts = {0.6, 0.2, 0.2};
  options.least_members = 0;
  const TemplateLibrary library = TemplateLibrary::embedded();
  Device device = Device::cpu();

  const MetricData data = make_lists(device, library, options, {});

  ASSERT_FALSE(data.validation.empty());
  std::int64_t queries = 0;
  for (const ListGroup& group : data.validation) {
    for (std::size_t i = 0; i < group.queries.size(); ++i, ++queries) {
      const Fingerprint own = library.fingerprint(group.queries[i]);
      std::vector<Relation> expected;
      for (const std::int32_t candidate : group.candidates)
        expected.push_back(dissimilarity(own, library.fingerprint(candidate)) <= options.tau
                               ? Relation::alike
                               : Relation::unlike);
      EXPECT_EQ(relations(group, i), expected);
    }
  }
  EXPECT_NEAR(static_cast<double>(queries), 0.2 * static_cast<double>(library.size()), 40);
}

TEST(MetricLists, RefuseWhatNothingCanBeLearnedFrom) {
  const TemplateLibrary apart = library_of({point("NaCl", "a", 0), point("KCl", "b", 1)});
  PairOptions options;
  options.tau = 0.1;
  options.parts = {1, 0, 0};
  Device device = Device::cpu();

  const auto none =
      refusal([&] { make_lists(device, apart, options, {}); }, Errc::invalid_argument);
  options.tau = 0;
  const auto tau = refusal([&] { make_lists(device, apart, options, {}); }, Errc::invalid_argument);

  expect_contains(none, "no two of the 2 training templates");
  expect_contains(tau, "tau is 0");
}

TEST(MetricLists, HoldEachFingerprintOnce) {
  // Three structures of many formulas each, two of them alike.
  std::vector<Template> templates;
  const std::vector<std::string> metals{"Li", "Na", "K", "Rb", "Cs"}, halogens{"F", "Cl", "Br"};
  for (const std::string& metal : metals)
    for (std::size_t h = 0; h < halogens.size(); ++h)
      templates.push_back(
          point(metal + halogens[h], metal + halogens[h], h == 2 ? 0.05F : static_cast<float>(h)));
  const TemplateLibrary library = library_of(std::move(templates));
  PairOptions options;
  options.tau = 0.1;
  options.parts = {1, 0, 0};
  Device device = Device::cpu();

  const MetricData data = make_lists(device, library, options, {});

  ASSERT_EQ(data.training.size(), 1U);
  const ListGroup& group = data.training[0];
  EXPECT_EQ(group.candidates.size(), 15U);
  EXPECT_EQ(group.alike.size(), 3U);
  std::size_t entries = 0;
  for (const auto& list : group.alike) entries += list.size();
  EXPECT_EQ(entries, 5U);
  for (std::size_t i = 0; i < group.queries.size(); ++i) {
    std::vector<Relation> expected;
    for (const std::int32_t j : group.candidates)
      if (j == group.queries[i])
        expected.push_back(Relation::left_out);
      else
        expected.push_back(dissimilarity(library.fingerprint(group.queries[i]),
                                         library.fingerprint(j)) <= options.tau
                               ? Relation::alike
                               : Relation::unlike);
    EXPECT_EQ(relations(group, i), expected);
  }
}

TEST(MetricJudge, CountsThePOfAlikeTemplatesTogether) {
  // Candidates 0, 2 and 3 are of class 0, which is alike with class 2; 3 is left out.
  ListGroup group;
  group.candidates = {0, 1, 2, 3, 4};
  group.candidate_class = {0, 1, 0, 0, 2};
  group.queries = {9};
  group.query_class = {0};
  group.alike = {{0, 2}, {1}, {0, 2}};
  group.left_out = {{3}};
  std::vector<std::uint8_t> relation(5);
  group.relations(0, relation);
  const std::vector<double> p{0.2, 0.05, 0.1, 0.4, 0.35};
  MetricJudge judge;

  judge.take({p, relation, 0.3}, group);

  const MetricJudgement judged = judge.judgement();
  EXPECT_EQ(judged.queries, 1);
  EXPECT_EQ(judged.top1, 1);
  EXPECT_NEAR(judged.loss, -std::log(0.65), 1e-12);
  ASSERT_EQ(judged.reliability.size(), 10U);
  EXPECT_EQ(judged.reliability[0].pairs, 1);  // 0.05
  EXPECT_EQ(judged.reliability[0].alike, 0);
  const auto& together = judged.reliability[6];
  EXPECT_EQ(together.pairs, 3);
  EXPECT_NEAR(together.mean_p, 0.65, 1e-12);
  EXPECT_EQ(together.alike, 1);
}

// --- inputs -------------------------------------------------------------------------------------

TEST(MetricInputs, SlotsGoByAmountThenByElectronegativity) {
  const ElementTable& table = ElementTable::embedded();
  const std::size_t features = table.features().size();
  const MetricInputs inputs(table, std::vector<double>(5 * features, 0.0),
                            std::vector<double>(5 * features, 1.0), 4, 2);

  const auto rows = inputs.rows({Composition::parse("SrTiO3"), Composition::parse("Fe2O3")});

  EXPECT_EQ(rows.width, 290 + 4 * 2 + 4 * (58 + 2 + 2));
  const auto fraction = [&](std::int64_t row, std::int64_t s) {
    return rows.view().row(row)[inputs.slot(s) + 58 + 2];
  };
  const auto there = [&](std::int64_t row, std::int64_t s) {
    return rows.view().row(row)[inputs.slot(s) + 58 + 3];
  };
  EXPECT_FLOAT_EQ(fraction(0, 0), 0.6F);
  EXPECT_FLOAT_EQ(fraction(0, 1), 0.2F);
  EXPECT_FLOAT_EQ(fraction(1, 1), 0.4F);
  EXPECT_EQ(there(0, 2), 1);
  EXPECT_EQ(there(0, 3), 0);
  EXPECT_EQ(there(1, 2), 0);
  // O, Sr (0.95), Ti (1.54); kinds count the table's elements, which begin with hydrogen.
  EXPECT_EQ(rows.kinds, (std::vector<std::int32_t>{7, 37, 21, -1, 7, 25, -1, -1}));
}

TEST(MetricInputs, TraitsAreFingerprintAndVolume) {
  const TemplateLibrary library = TemplateLibrary::embedded();

  const auto traits = template_traits(library, {3});

  ASSERT_EQ(std::ssize(traits), kTraits);
  const Structure structure = library.structure(3);
  double expected = 0;
  for (const auto z : structure.z) expected += library.atomic_volumes()[z];
  const double cell = volume(structure.lattice);
  EXPECT_EQ(static_cast<double>(traits[5]), library.fingerprint(3)[5]);
  EXPECT_NEAR(static_cast<double>(traits[244]),
              std::log(cell / static_cast<double>(structure.size())), 1e-6);
  EXPECT_NEAR(static_cast<double>(traits[245]), cell / expected, 1e-6);
}

// --- coverage -----------------------------------------------------------------------------------

std::vector<std::int32_t> all_of(const TemplateLibrary& library) {
  std::vector<std::int32_t> members(static_cast<std::size_t>(library.size()));
  std::iota(members.begin(), members.end(), 0);
  return members;
}

/// In plain loops over templates. `count`: how many it takes until nothing is left.
void expect_greedy(const TemplateLibrary& library, const std::vector<double>& p,
                   std::size_t count) {
  Device device = Device::cpu();

  const auto picks =
      pick_by_coverage(find_covers(device, library, all_of(library), 0.1), p, p.size());

  const auto k = [&](std::size_t a, std::size_t b) {
    const double d = dissimilarity(library.fingerprint(static_cast<std::int64_t>(a)),
                                   library.fingerprint(static_cast<std::int64_t>(b)));
    return std::exp(-d * d / 0.01);
  };
  std::vector<double> left = p;
  std::vector<bool> picked(p.size());
  ASSERT_EQ(picks.size(), count);
  for (const Pick& pick : picks) {
    std::size_t best = 0;
    double most = -1;
    for (std::size_t j = 0; j < p.size(); ++j) {
      double gain = 0;
      for (std::size_t i = 0; i < p.size(); ++i) gain += left[i] * k(i, j);
      // Of equal ones the most probable.
      const bool better = gain > most + 1e-12 || (gain > most - 1e-12 && p[j] > p[best]);
      if (!picked[j] && p[j] > 0 && better) {
        most = gain;
        best = j;
      }
    }
    EXPECT_EQ(pick.place, best);
    EXPECT_NEAR(pick.gain, most, 1e-6);  // covers are in single precision
    picked[best] = true;
    for (std::size_t i = 0; i < p.size(); ++i) left[i] *= 1 - k(i, best);
  }
}

TEST(Coverage, PicksWhatCoversMostOfWhatIsLeft) {
  // Three nearly the same, two alone.
  expect_greedy(library_of({point("NaCl", "a", 0), point("KCl", "b", 0.03F),
                            point("LiF", "c", 0.06F), point("MgO", "d", 3), point("CaO", "e", 5)}),
                {0.2, 0.25, 0.1, 0.3, 0.05}, 5);
}

TEST(Coverage, PicksOneOfEqualStructuresTheMostProbable) {
  // a, c and f are one structure, b and d another one nearby; c and b do not count.
  expect_greedy(library_of({point("NaCl", "a", 0), point("KCl", "b", 0.05F), point("LiF", "c", 0),
                            point("MgO", "d", 0.05F), point("CaO", "e", 5), point("SrO", "f", 0)}),
                {0.05, 0, 0, 0.25, 0.3, 0.2}, 3);
}

TEST(Coverage, SumsOverAlikeTemplatesAreThoseOfTheDefinition) {
  const TemplateLibrary library = TemplateLibrary::embedded();
  const auto members = all_of(library);
  std::vector<double> p;
  for (std::size_t j = 0; j < members.size(); ++j) p.push_back(1e-3 * static_cast<double>(j % 13));
  Device device = Device::cpu();

  const Covers covers = find_covers(device, library, members, 0.1);
  const auto sums = sums_over_alike(covers, p);

  EXPECT_LT(covers.classes.size(), members.size());
  for (std::size_t j = 0; j < members.size(); ++j) {
    double expected = 0;
    for (std::size_t i = 0; i < members.size(); ++i)
      if (dissimilarity(library.fingerprint(members[i]), library.fingerprint(members[j])) <= 0.1)
        expected += p[i];
    EXPECT_NEAR(sums[static_cast<std::size_t>(covers.classes.of[j])], expected, 1e-12);
  }
}

// --- ranking ------------------------------------------------------------------------------------

TEST(MetricRanker, GivesProbabilitiesThatAddUpOverAlikeTemplates) {
  const MetricRanker ranker(small_metric());
  const TemplateLibrary library = TemplateLibrary::embedded();
  const TemplateRange range = library.with_ratio("3:1:1");
  Device device = Device::cpu();

  const auto scored = ranker.rank(device, Composition::parse("RaTiO3"), library, range);

  ASSERT_EQ(std::ssize(scored), range.size());
  for (std::size_t i = 0; i < scored.size(); ++i) {
    EXPECT_GE(scored[i].p, 0);
    EXPECT_LE(scored[i].p, 1);
    EXPECT_FALSE(std::isnan(scored[i].p_std));
    EXPECT_LE(scored[i].score, scored[i == 0 ? 0 : i - 1].score);
    for (std::size_t j = 0; j < i; ++j)  // the same structure: the same sum
      if (library.fingerprint(scored[i].candidate) == library.fingerprint(scored[j].candidate)) {
        EXPECT_NEAR(scored[i].p, scored[j].p, 1e-9);
      }
  }
}

TEST(MetricRanker, PIsASoftmaxSummedOverAlikeTemplates) {
  MetricOptions options = test::small_options();
  options.members = 1;
  options.parts_of.shift_hidden = options.parts_of.bias_hidden = options.parts_of.none_hidden = {};
  Metric metric = test::train_small(options).metric;
  metric.tau = 0.1;
  const MetricRanker ranker(metric);
  const TemplateLibrary library = library_of({point("NaCl", "a", 0), point("KCl", "b", 0.05F),
                                              point("LiF", "c", 0.5F), point("MgO", "d", 3)});
  Device device = Device::cpu();

  for (const char* formula : {"RbCl", "NaCl"}) {  // the second is that of a template
    const Composition query = Composition::parse(formula);
    std::vector<Composition> all{query};
    for (std::int64_t i = 0; i < library.size(); ++i) all.push_back(library.composition(i));
    const auto points = ranker.embed(device, all);
    const std::size_t width = points.size() / all.size(), n = all.size() - 1;
    std::vector<double> term(n, 0.0);
    std::vector<bool> own(n);
    double sum = std::exp(metric.members[0].none);
    for (std::size_t j = 0; j < n; ++j) {
      double squared = 0;
      for (std::size_t k = 0; k < width; ++k) {
        const double x =
            static_cast<double>(points[k]) - static_cast<double>(points[(j + 1) * width + k]);
        squared += x * x;
      }
      term[j] = std::exp(-squared);
      own[j] = library.info(static_cast<std::int64_t>(j)).formula == formula;
      if (!own[j]) sum += term[j];
    }

    const auto scored = ranker.rank(device, query, library, {0, library.size()});

    ASSERT_EQ(scored.size(), n);
    for (const auto& s : scored) {
      const auto j = static_cast<std::size_t>(s.candidate);
      const double with_own = own[j] ? sum + term[j] : sum;
      double expected = term[j] / with_own;
      for (std::size_t k = 0; k < n; ++k)
        if (k != j && !own[k] &&
            dissimilarity(library.fingerprint(s.candidate),
                          library.fingerprint(static_cast<std::int64_t>(k))) <= metric.tau)
          expected += term[k] / with_own;
      EXPECT_NEAR(s.p, expected, 1e-5) << formula << j;  // points are in single precision
    }
  }
}

TEST(MetricRanker, RefusesLearnedVectorsOfOtherElements) {
  Metric metric = small_metric();
  LearnedVectors& vectors = metric.members[0].embedding.vectors;
  vectors.table.resize(static_cast<std::size_t>(vectors.width));

  const auto text = refusal([&] { MetricRanker{metric}; }, Errc::invalid_argument);

  expect_contains(text, "learned vectors of 1 elements, expected 94");
}

TEST(MetricRanker, TheOwnFormulaChangesNothingForTheOthers) {
  const TemplateLibrary with = library_of({point("NaCl", "a", 0), point("KCl", "b", 0.5F),
                                           point("LiF", "c", 0.52F), point("MgO", "d", 3)});
  const TemplateLibrary without =
      library_of({point("KCl", "b", 0.5F), point("LiF", "c", 0.52F), point("MgO", "d", 3)});
  const MetricRanker ranker(small_metric());
  Device device = Device::cpu();
  const auto by_id = [&](const TemplateLibrary& library) {
    std::map<std::string, Ranker::Scored> found;
    for (const auto& s :
         ranker.rank(device, Composition::parse("NaCl"), library, library.with_ratio("1:1")))
      found[std::string(library.info(s.candidate).id)] = s;
    return found;
  };

  const auto some = by_id(with), others = by_id(without);

  for (const char* id : {"b", "c", "d"}) {
    // Atomic volumes, and so a trait, are those of each library.
    EXPECT_NEAR(some.at(id).p, others.at(id).p, 1e-3) << id;
  }
  EXPECT_NEAR(some.at("b").p, some.at("c").p, 1e-9);  // alike with each other
}

TEST(MetricRanker, AmongSomeTemplatesTheOthersAreNotThere) {
  const TemplateLibrary library = library_of({point("NaCl", "a", 0), point("KCl", "b", 0.02F),
                                              point("LiF", "c", 0.5F), point("MgO", "d", 3)});
  const MetricRanker ranker(small_metric());
  const auto without_b = ranker.among(library, {true, false, true, true});
  Device device = Device::cpu();
  const auto rank = [&](const Ranker& by) {
    return by.rank(device, Composition::parse("RbCl"), library, {0, library.size()});
  };

  const auto all = rank(ranker), some = rank(*without_b);

  EXPECT_EQ(all.size(), 4U);
  ASSERT_EQ(some.size(), 3U);
  const auto p_of = [](const std::vector<Ranker::Scored>& list, std::int64_t candidate) {
    for (const auto& s : list)
      if (s.candidate == candidate) return s.p;
    return -1.0;
  };
  EXPECT_EQ(p_of(some, 1), -1);
  for (const std::int64_t i : {2, 3}) EXPECT_GT(p_of(some, i), p_of(all, i));  // one fewer to share
  EXPECT_THROW(ranker.among(library, {true}), Error);
}

TEST(MetricRanker, SharesPointsAmongThreadsWhoseDevicesComeAndGo) {
  const MetricRanker ranker(small_metric());
  const TemplateLibrary library = TemplateLibrary::embedded();
  const TemplateRange range = library.with_ratio("1:1");
  std::vector<std::vector<Ranker::Scored>> all(4);
  const auto rank = [&](std::size_t k) {
    Device device = Device::cpu();
    all[k] = ranker.rank(device, Composition::parse("RbCl"), library, range);
  };

  std::vector<std::thread> threads;
  for (std::size_t k = 0; k + 1 < all.size(); ++k) threads.emplace_back(rank, k);
  for (std::thread& thread : threads) thread.join();
  rank(3);  // the devices of the others are gone

  const auto once = MetricRanker(small_metric());
  Device device = Device::cpu();
  const auto expected = once.rank(device, Composition::parse("RbCl"), library, range);
  for (const auto& scored : all) {
    ASSERT_EQ(scored.size(), expected.size());
    for (std::size_t i = 0; i < scored.size(); ++i) {
      EXPECT_EQ(scored[i].candidate, expected[i].candidate);
      EXPECT_EQ(scored[i].p, expected[i].p);
    }
  }
}

TEST(MetricRanker, EmbedsCompositionsSoThatEqualOnesMeet) {
  const MetricRanker ranker(small_metric());
  Device device = Device::cpu();

  const auto points = ranker.embed(
      device, {Composition::parse("NaCl"), Composition::parse("Na2Cl2"), Composition::parse("KCl")},
      1);

  const auto width = static_cast<std::size_t>(small_metric().members[1].embedding.width());
  ASSERT_EQ(points.size(), 3 * width);
  double same = 0, other = 0;
  for (std::size_t k = 0; k < width; ++k) {
    same += std::pow(points[k] - points[width + k], 2);
    other += std::pow(points[k] - points[2 * width + k], 2);
  }
  EXPECT_LT(same, 1e-6 * other);
  const auto no_member = refusal([&] { ranker.embed(device, {Composition::parse("NaCl")}, 2); },
                                 Errc::invalid_argument);
  expect_contains(no_member, "there is no member 2");
}

TEST(MetricRanker, RefusesAnotherElementTable) {
  Metric other = small_metric();
  other.element_table = "0123456789abcdef";

  const auto text = refusal([&] { MetricRanker{other}; }, Errc::invalid_argument);

  expect_contains(text, "the metric \"small\" was trained with the element table 0123456789abcdef");
}

}  // namespace
}  // namespace kronite::csp
