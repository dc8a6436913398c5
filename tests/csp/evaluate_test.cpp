// Evaluation of rankers: every figure beside its definition in plain loops, on libraries whose
// fingerprints are set by the test.
#include "kronite/csp_evaluation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "csp/fingerprint_library.hpp"
#include "kronite/error.hpp"
#include "materials/substitution.hpp"  // for replace_elements
#include "math/random.hpp"

namespace kronite::csp {
namespace {

using Queries = std::vector<EvaluatedQuery>;

/// Orders templates by numbers that have nothing to do with them, and gives p or not.
class AnyOrder : public Ranker {
 public:
  explicit AnyOrder(bool has_p = true) : has_p_(has_p) {}
  std::string name() const override { return "any order"; }
  std::vector<Scored> rank(Device&, const Composition& query, const TemplateLibrary& library,
                           TemplateRange range) const override {
    std::vector<Scored> ranked;
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      const double p = score(query, library, i);
      ranked.push_back({i, p, has_p_ ? p : std::nan(""), std::nan("")});
    }
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const Scored& a, const Scored& b) { return a.score > b.score; });
    return ranked;
  }
  static double score(const Composition& query, const TemplateLibrary& library, std::int64_t i) {
    const auto seed = static_cast<std::uint64_t>(
        std::hash<std::string>()(query.reduced_formula() + std::string(library.info(i).id)));
    return math::Random(seed).uniform();
  }

 private:
  bool has_p_;
};

/// 168 salts in two ratios, at points of a lattice, so that some share one.
std::vector<Template> salts() {
  std::vector<Template> templates;
  test::add_grid(templates, "", 12, 0.07F);
  test::add_grid(templates, "2", 12, 0.07F);
  return templates;
}

KnownCrystal known(const Template& t) {
  KnownCrystal crystal{t.id, t.structure, Fingerprint{}, t.space_group};
  std::copy(t.fingerprint.begin(), t.fingerprint.end(), crystal.fingerprint->begin());
  return crystal;
}
std::vector<KnownCrystal> known(const std::vector<Template>& templates) {
  std::vector<KnownCrystal> crystals;
  for (const Template& t : templates) crystals.push_back(known(t));
  return crystals;
}

Evaluation evaluated(const std::vector<KnownCrystal>& queries, const TemplateLibrary& library,
                     const EvaluateOptions& options = {}, const Ranker& ranker = AnyOrder()) {
  Device device = Device::cpu();
  return evaluate(device, queries, library, ranker, options);
}

double distance(const TemplateLibrary& library, std::int64_t i, const Fingerprint& query) {
  const Fingerprint other = library.fingerprint(i);
  double squared = 0;
  for (std::size_t k = 0; k < query.size(); ++k)
    squared += (query[k] - other[k]) * (query[k] - other[k]);
  return std::sqrt(squared);
}

/// The candidates of a query, best first, by definition.
std::vector<std::int64_t> candidates_of(const KnownCrystal& query, const TemplateLibrary& library,
                                        const std::set<std::string>& excluded) {
  const Composition composition = query.structure.composition().reduced();
  std::vector<std::int64_t> found;
  for (std::int64_t i = 0; i < library.size(); ++i) {
    const std::string formula(library.info(i).formula);
    if (library.composition(i).ratio_label() == composition.ratio_label() &&
        formula != composition.reduced_formula() && excluded.count(formula) == 0)
      found.push_back(i);
  }
  std::stable_sort(found.begin(), found.end(), [&](std::int64_t a, std::int64_t b) {
    return AnyOrder::score(composition, library, a) > AnyOrder::score(composition, library, b);
  });
  return found;
}

/// Of the candidates those farther than `apart` from every one kept before.
std::vector<std::int64_t> distinct_of(const std::vector<std::int64_t>& candidates,
                                      const TemplateLibrary& library, double apart) {
  std::vector<std::int64_t> kept;
  for (const std::int64_t i : candidates) {
    bool repeated = false;
    for (const std::int64_t j : kept)
      repeated = repeated || distance(library, i, library.fingerprint(j)) <= apart;
    if (!repeated) kept.push_back(i);
  }
  return kept;
}

std::int64_t first_hit(const std::vector<std::int64_t>& list, const TemplateLibrary& library,
                       const KnownCrystal& query, double limit) {
  for (std::size_t k = 0; k < list.size(); ++k)
    if (distance(library, list[k], *query.fingerprint) <= limit)
      return static_cast<std::int64_t>(k) + 1;
  return 0;
}

TEST(Evaluation, FindsHitsAsTheDefinitionDoes) {
  const auto templates = salts();
  const TemplateLibrary library = test::library_of(templates);
  const auto queries = known(templates);

  const Queries found = evaluated(queries, library).queries;

  ASSERT_EQ(found.size(), queries.size());
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const auto candidates = candidates_of(queries[q], library, {});
    const auto distinct = distinct_of(candidates, library, 0.1);
    ASSERT_EQ(found[q].candidates, std::ssize(candidates));
    EXPECT_EQ(found[q].ranked, std::ssize(candidates));
    EXPECT_EQ(found[q].best, candidates.front());
    for (std::size_t l = 0; l < kHitLimits.size(); ++l) {
      EXPECT_EQ(found[q].plain.rank[l], first_hit(candidates, library, queries[q], kHitLimits[l]));
      EXPECT_EQ(found[q].distinct.rank[l], first_hit(distinct, library, queries[q], kHitLimits[l]));
    }
  }
}

TEST(Evaluation, GivesTheLeastDissimilaritiesAndProbabilities) {
  const auto templates = salts();
  const TemplateLibrary library = test::library_of(templates);
  const auto queries = known(templates);

  const Queries found = evaluated(queries, library).queries;

  for (std::size_t q = 0; q < queries.size(); ++q) {
    const auto candidates = candidates_of(queries[q], library, {});
    const Composition composition = queries[q].structure.composition();
    double least = 1e9, least_of_5 = 1e9, least_likely = 1e9;
    std::int64_t likely = 0;
    for (std::size_t k = 0; k < candidates.size(); ++k) {
      const double d = distance(library, candidates[k], *queries[q].fingerprint);
      least = std::min(least, d);
      if (k < 5) least_of_5 = std::min(least_of_5, d);
      if (AnyOrder::score(composition, library, candidates[k]) <= 0.5) continue;
      ++likely;
      least_likely = std::min(least_likely, d);
    }
    EXPECT_EQ(found[q].least, least);
    EXPECT_EQ(found[q].least_of_5, least_of_5);
    EXPECT_EQ(found[q].likely, likely);
    EXPECT_EQ(found[q].least_likely, least_likely);
    EXPECT_EQ(found[q].best_p, AnyOrder::score(composition, library, candidates.front()));
    if (const auto rank = found[q].plain.rank[0]; rank > 0) {
      const std::int64_t hit = candidates[static_cast<std::size_t>(rank - 1)];
      EXPECT_EQ(found[q].hit_p[0], AnyOrder::score(composition, library, hit));
    } else {
      EXPECT_TRUE(std::isnan(found[q].hit_p[0]));
    }
  }
}

TEST(Evaluation, UsesNoTemplateOfTheQueryOrOfAnExcludedFormula) {
  auto templates = salts();
  templates.push_back(test::point("NaCl", "polymorph", 3));
  const TemplateLibrary library = test::library_of(templates);
  EvaluateOptions options;
  options.exclude_formulas = {"Li2F2", "KBr", "SrTiO3"};

  const Evaluation result = evaluated({known(templates.back())}, library, options);

  // Of 84 salts of 1:1 and a second NaCl, not the two NaCl, LiF and KBr.
  EXPECT_EQ(result.queries.front().candidates, 81);
  EXPECT_EQ(result.templates, library.size() - 2);
}

TEST(Evaluation, UsesNoTemplateOfAnyQueryWhenTheSetsAreDisjoint) {
  const auto templates = salts();
  const TemplateLibrary library = test::library_of(templates);
  EvaluateOptions options;
  options.disjoint = true;

  const Evaluation result = evaluated({known(templates[0]), known(templates[1])}, library, options);

  EXPECT_EQ(result.queries[0].candidates, 82);  // of 84 of one ratio
  EXPECT_EQ(result.templates, library.size() - 2);
}

TEST(Evaluation, CountsQueriesWithoutATemplate) {
  const TemplateLibrary library = test::library_of(salts());
  const Template odd = test::point("Na3Cl5", "odd", 0);

  const Queries found = evaluated({known(odd)}, library).queries;

  EXPECT_EQ(found.front().candidates, 0);
  EXPECT_EQ(found.front().best, -1);
  EXPECT_TRUE(std::isnan(found.front().least));
  EXPECT_EQ(success(found, 2, Listing::plain).all.value, 0);
  EXPECT_EQ(success(found, 2, Listing::plain).top[0].of, 1);
}

TEST(Evaluation, CountsQueriesWhoseElementsTheTableLacks) {
  auto templates = salts();
  templates.push_back(test::point("LrCl", "lawrencium", 0));
  const TemplateLibrary library = test::library_of(salts());

  const Queries found = evaluated({known(templates.back())}, library).queries;

  EXPECT_EQ(found.front().candidates, 84);
  EXPECT_EQ(found.front().ranked, 0);
}

TEST(Evaluation, ComputesFingerprintAndSpaceGroupWhereTheyAreNotGiven) {
  const TemplateLibrary demo = TemplateLibrary::embedded();
  const std::int64_t i = demo.with_ratio("3:1:1").begin;
  const KnownCrystal given{"given", demo.structure(i), demo.fingerprint(i),
                           demo.info(i).space_group};
  const KnownCrystal bare{"bare", demo.structure(i), {}, 0};

  const Queries found = evaluated({given, bare}, demo).queries;

  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].space_group, found[0].space_group);
  EXPECT_GT(found[0].candidates, 1);
  EXPECT_NEAR(found[1].least, found[0].least, 1e-6);  // single precision in the library
}

TEST(Evaluation, LeavesOutWhatHasNoFingerprint) {
  const TemplateLibrary library = test::library_of(salts());
  KnownCrystal broken = known(salts().front());
  broken.fingerprint.reset();
  broken.structure.fractional[1] = broken.structure.fractional[0];  // two atoms in one place

  const Evaluation result = evaluated({broken, known(salts()[1])}, library);

  EXPECT_EQ(result.queries.size(), 1U);
  ASSERT_EQ(result.left_out.size(), 1U);
  EXPECT_EQ(result.left_out.front().id, broken.id);
  EXPECT_FALSE(result.left_out.front().why.empty());
}

TEST(Evaluation, CountsAQueryThatCannotBeMatchedAsNoMatch) {
  std::vector<Template> templates{test::point("NaCl", "a", 0), test::point("KBr", "b", 0.05F)};
  const TemplateLibrary library = test::library_of(templates);
  KnownCrystal needle = known(templates[0]);
  needle.structure.lattice = {{{3, 0, 0}, {0, 3, 0}, {0, 0, 9000}}};
  needle.structure.fractional[1] = {0.5, 0.5, 0.5};
  ASSERT_THROW(MatchCell{needle.structure}, Error);

  const Evaluation result = evaluated({needle}, library);

  EXPECT_TRUE(result.left_out.empty());
  ASSERT_EQ(result.queries.size(), 1U);
  EXPECT_EQ(result.queries.front().plain.rank[0], 1);
  EXPECT_EQ(result.queries.front().plain.match, 0);
}

TEST(Evaluation, MeasuresTheBestCandidate) {
  std::vector<Template> templates{test::point("NaCl", "a", 0), test::point("KBr", "b", 0.05F)};
  templates[1].space_group = 225;
  const TemplateLibrary library = test::library_of(templates);
  KnownCrystal query = known(templates[0]);
  for (auto& row : query.structure.lattice)
    for (double& x : row) x *= 1.1;

  const EvaluatedQuery found = evaluated({query}, library).queries.front();

  EXPECT_EQ(library.info(found.best).formula, "KBr");
  EXPECT_EQ(found.best_space_group, 225);
  EXPECT_EQ(found.space_group, 1);
  EXPECT_NEAR(found.best_dissimilarity, 0.05, 1e-7);
  // The cells of both templates are the same, so only the fitted atomic volumes tell them apart.
  const double* v = library.atomic_volumes();
  const double factor = (v[11] + v[17]) / (v[19] + v[35]);
  EXPECT_NEAR(found.volume_error, factor / (1.1 * 1.1 * 1.1) - 1, 1e-12);
}

TEST(Evaluation, FindsMatchesAsTheMatcherDoes) {
  const TemplateLibrary demo = TemplateLibrary::embedded();
  const TemplateRange range = demo.with_ratio("1:1");
  std::vector<KnownCrystal> queries;
  for (std::int64_t i = range.begin; i < range.end; ++i)
    queries.push_back({std::string(demo.info(i).id), demo.structure(i), demo.fingerprint(i),
                       demo.info(i).space_group});

  const Queries found = evaluated(queries, demo).queries;

  int matched = 0;
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const Composition composition = queries[q].structure.composition();
    const auto first_match = [&](const std::vector<std::int64_t>& list) {
      for (std::size_t k = 0; k < std::min<std::size_t>(list.size(), kMostJudged); ++k) {
        const Structure candidate =
            replace_elements(demo.structure(list[k]),
                             assign_elements(composition, demo.composition(list[k])).mapping);
        // Volumes play no part in a match.
        if (!std::isnan(match(candidate, queries[q].structure, {0.3, 0.5, 10}).rms))
          return static_cast<std::int64_t>(k) + 1;
      }
      return std::int64_t{0};
    };
    const auto candidates = candidates_of(queries[q], demo, {});
    const std::int64_t rank = first_match(candidates);
    ASSERT_EQ(found[q].plain.match, rank) << queries[q].id;
    EXPECT_EQ(found[q].distinct.match, first_match(distinct_of(candidates, demo, 0.1)));
    EXPECT_EQ(std::isnan(found[q].match_rms), rank == 0);
    if (rank == 0) continue;
    ++matched;
    const std::int64_t first = candidates[static_cast<std::size_t>(rank - 1)];
    EXPECT_EQ(found[q].match_space_group, demo.info(first).space_group);
    EXPECT_EQ(found[q].match_p, AnyOrder::score(composition, demo, first));
  }
  EXPECT_GT(matched, 3);
}

TEST(Evaluation, LooksForMatchesOnlyWhenAsked) {
  const auto templates = salts();
  const TemplateLibrary library = test::library_of(templates);
  EvaluateOptions options;
  options.match = false;

  const Evaluation result = evaluated(known(templates), library, options);

  EXPECT_FALSE(result.matched);
  for (const EvaluatedQuery& query : result.queries) EXPECT_EQ(query.plain.match, 0);
}

TEST(Evaluation, DependsOnNeitherThreadsNorTheOrderOfQueries) {
  const auto templates = salts();
  const TemplateLibrary library = test::library_of(templates);
  EvaluateOptions one, three;
  one.threads = 1;
  three.threads = 3;

  std::vector<KnownCrystal> reversed = known(templates);
  std::reverse(reversed.begin(), reversed.end());

  const Evaluation a = evaluated(known(templates), library, one);
  const Evaluation b = evaluated(reversed, library, three);

  ASSERT_EQ(a.queries.size(), templates.size());
  ASSERT_EQ(b.queries.size(), templates.size());
  for (std::size_t q = 0; q < a.queries.size(); ++q) {
    const EvaluatedQuery& first = a.queries[q];
    const EvaluatedQuery& second = b.queries[templates.size() - 1 - q];
    EXPECT_EQ(first.id, templates[q].id);
    EXPECT_EQ(first.id, second.id);
    EXPECT_EQ(first.plain.rank, second.plain.rank);
  }
  for (std::size_t k = 0; k < a.reliability.size(); ++k)
    EXPECT_EQ(a.reliability[k].alike, b.reliability[k].alike);
}

TEST(Evaluation, SortsCandidatesByPForItsReliability) {
  const auto templates = salts();
  const TemplateLibrary library = test::library_of(templates);
  EvaluateOptions options;
  options.alike_limit = 0.2;

  const Evaluation result = evaluated(known(templates), library, options);

  std::int64_t pairs = 0, alike = 0, best = 0;
  for (const KnownCrystal& query : known(templates))
    for (const std::int64_t i : candidates_of(query, library, {})) {
      const double p = AnyOrder::score(query.structure.composition(), library, i);
      if (p < 0.3 || p >= 0.4) continue;
      ++pairs;
      alike += distance(library, i, *query.fingerprint) <= 0.2 ? 1 : 0;
    }
  for (const ReliabilityBin& bin : result.reliability_of_best) best += bin.pairs;
  ASSERT_EQ(result.reliability.size(), 10U);
  EXPECT_EQ(result.reliability[3].pairs, pairs);
  EXPECT_DOUBLE_EQ(result.reliability[3].alike,
                   static_cast<double>(alike) / static_cast<double>(pairs));
  EXPECT_EQ(best, std::ssize(templates));
}

TEST(Evaluation, TakesAllCandidatesForLikelyWithoutP) {
  const auto templates = salts();
  const TemplateLibrary library = test::library_of(templates);

  const Evaluation result = evaluated(known(templates), library, {}, AnyOrder(false));

  EXPECT_TRUE(result.reliability.empty());
  EXPECT_EQ(result.queries.front().likely, result.queries.front().ranked);
}

TEST(Evaluation, DrawsSharesOfTheLibraryThatLieInEachOther) {
  const auto templates = salts();
  const TemplateLibrary library = test::library_of(templates);

  std::vector<double> previous(templates.size(), 1e9);
  for (const double share : {0.1, 0.5, 1.0}) {
    EvaluateOptions options;
    options.library_share = share;
    options.seed = 4;
    const Evaluation result = evaluated(known(templates), library, options);
    EXPECT_EQ(result.templates, std::llround(share * static_cast<double>(library.size())));
    for (std::size_t q = 0; q < templates.size(); ++q) {
      // More templates never are farther away; NaN is no template.
      const double now = result.queries[q].least;
      EXPECT_FALSE(now > previous[q]);
      if (!std::isnan(now)) previous[q] = now;
    }
  }
}

TEST(Evaluation, RefusesWhatMakesNoSense) {
  const auto templates = salts();
  const TemplateLibrary library = test::library_of(templates);
  const auto queries = known(templates);
  const auto expect_refused = [&](auto change) {
    EvaluateOptions options;
    change(options);
    EXPECT_THROW(evaluated(queries, library, options), Error);
  };

  EXPECT_THROW(evaluated({}, library), Error);
  expect_refused([](EvaluateOptions& o) { o.library_share = 0; });
  expect_refused([](EvaluateOptions& o) { o.library_share = std::nan(""); });
  expect_refused([](EvaluateOptions& o) { o.cutoff = 1; });
  expect_refused([](EvaluateOptions& o) { o.distinct = -0.1; });
  expect_refused([](EvaluateOptions& o) { o.symprec = 0; });
  expect_refused([](EvaluateOptions& o) { o.matching.stol = 0; });
  expect_refused([](EvaluateOptions& o) { o.exclude_formulas = {"Xq2"}; });
}

TEST(Evaluation, RefusesALibraryWithoutFingerprints) {
  auto templates = salts();
  for (Template& t : templates) t.fingerprint.clear();
  const TemplateLibrary library = test::library_of(templates);

  try {
    evaluated(known(salts()), library);
    FAIL() << "evaluated";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("kronite templates merge"), std::string::npos);
  }
}

TEST(Evaluation, RefusesWhenNoTemplateIsLeft) {
  const std::vector<Template> one{test::point("NaCl", "a", 0)};
  const TemplateLibrary library = test::library_of(one);
  EvaluateOptions options;
  options.disjoint = true;

  EXPECT_THROW(evaluated(known(one), library, options), Error);
}

TEST(Evaluation, StopsWhenAsked) {
  const auto templates = salts();
  const TemplateLibrary library = test::library_of(templates);
  EvaluateOptions options;
  options.progress = [](long long done, long long) { return done == 0; };

  try {
    evaluated(known(templates), library, options);
    FAIL() << "not stopped";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::cancelled);
  }
}

}  // namespace
}  // namespace kronite::csp
