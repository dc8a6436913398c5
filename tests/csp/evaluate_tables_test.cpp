// The tables of an evaluation: shares, intervals, groups.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "kronite/csp_evaluation.hpp"

namespace kronite::csp {
namespace {

EvaluatedQuery query(const std::string& formula, std::int64_t rank, std::int64_t distinct_rank,
                     double least, double least_likely) {
  EvaluatedQuery q;
  const Composition composition = Composition::parse(formula);
  q.formula = composition.reduced_formula();
  q.ratio = composition.ratio_label();
  q.elements = static_cast<int>(composition.parts().size());
  q.candidates = 100;
  q.plain.rank = {rank, rank, rank};
  q.distinct.rank = {distinct_rank, distinct_rank, distinct_rank};
  q.least = least;
  q.least_likely = least_likely;
  return q;
}

TEST(Share, HasTheIntervalOfWilson) {
  // Golden: statsmodels' proportion_confint(81, 263, method="wilson").
  const Share share = share_of(81, 263);

  EXPECT_DOUBLE_EQ(share.value, 81.0 / 263);
  EXPECT_NEAR(share.low, 0.2553, 5e-5);
  EXPECT_NEAR(share.high, 0.3662, 5e-5);
}

TEST(Share, EndsAtZeroAndOne) {
  EXPECT_EQ(share_of(0, 7).low, 0);
  EXPECT_GT(share_of(0, 7).high, 0);
  EXPECT_EQ(share_of(7, 7).high, 1);
  EXPECT_LT(share_of(7, 7).low, 1);
  EXPECT_TRUE(std::isnan(share_of(0, 0).value));
}

TEST(Success, CountsHitsAmongTheFirstOfAllQueries) {
  const double none = std::nan("");
  const std::vector<EvaluatedQuery> queries{
      query("NaCl", 1, 1, 0.05, 0.05), query("KBr", 7, 3, 0.01, none),
      query("LiF", 50, 0, 0.1, 0.3), query("MgO", 51, 0, 0.1, 0.1), query("CaO", 0, 0, none, none)};

  const SuccessRow plain = success(queries, 0, Listing::plain);
  const SuccessRow distinct = success(queries, 0, Listing::distinct);

  const std::array<std::int64_t, kTops.size()> hits{1, 1, 2, 2, 2, 3};
  const std::array<std::int64_t, kTops.size()> distinct_hits{1, 2, 2, 2, 2, 2};
  for (std::size_t t = 0; t < kTops.size(); ++t) {
    EXPECT_EQ(plain.top[t].hits, hits[t]);
    EXPECT_EQ(plain.top[t].of, 5);
    EXPECT_EQ(distinct.top[t].hits, distinct_hits[t]);
  }
  EXPECT_EQ(plain.all.hits, 4);
  EXPECT_EQ(plain.likely.hits, 2);
}

TEST(Success, CountsMatchesLikewise) {
  std::vector<EvaluatedQuery> queries(4);
  queries[0].plain.match = 1;
  queries[0].match_p = 0.9;
  queries[1].plain.match = 20;
  queries[1].distinct.match = 4;
  queries[1].match_p = 0.5;
  queries[2].plain.match = 50;  // by a ranker without p

  const SuccessRow plain = match_success(queries, Listing::plain, 0.5);
  const SuccessRow distinct = match_success(queries, Listing::distinct, 0.5);

  const std::array<std::int64_t, kTops.size()> hits{1, 1, 1, 2, 2, 3};
  for (std::size_t t = 0; t < kTops.size(); ++t) EXPECT_EQ(plain.top[t].hits, hits[t]);
  EXPECT_EQ(distinct.top[0].hits, 0);
  EXPECT_EQ(distinct.top[1].hits, 1);
  EXPECT_EQ(plain.likely.hits, 2);
  EXPECT_EQ(plain.all.of, 0);
}

TEST(Success, CutsNothingOffAtZero) {
  std::vector<EvaluatedQuery> queries(1);
  queries[0].plain.match = 1;
  queries[0].match_p = 0;

  EXPECT_EQ(match_success(queries, Listing::plain, 0).likely.hits, 1);
  EXPECT_EQ(match_success(queries, Listing::plain, 1e-9).likely.hits, 0);
}

TEST(Chemistry, IsThatOfTheMostElectronegativeNonMetal) {
  const auto of = [](const char* formula) { return chemistry(Composition::parse(formula)); };

  EXPECT_EQ(of("Fe"), "element");
  EXPECT_EQ(of("LiFePO4"), "oxide");
  EXPECT_EQ(of("LaOF"), "halide");
  EXPECT_EQ(of("MoS2"), "chalcogenide");
  EXPECT_EQ(of("GaAs"), "pnictide");
  EXPECT_EQ(of("MgB2"), "boride");
  EXPECT_EQ(of("Cu2MnAl"), "intermetallic");
}

TEST(QueryGroups, HoldEveryQueryOncePerKind) {
  std::vector<EvaluatedQuery> queries;
  for (const char* formula : {"NaCl", "KBr", "MgCl2", "CaTiO3", "SrTiO3", "BaTiO3", "Fe"})
    queries.push_back(query(formula, 1, 1, 0, 0));

  const auto groups = group_queries(queries, 2);

  std::vector<std::string> names;
  std::map<std::string, std::size_t> members;
  for (const QueryGroup& group : groups) {
    names.push_back(group.kind + " " + group.name);
    members[group.kind] += group.queries.size();
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"all all", "elements 1", "elements 2", "elements 3",
                                      "ratio 3:1:1", "ratio 1:1", "ratio other ratios",
                                      "chemistry element", "chemistry halide", "chemistry oxide"}));
  for (const auto& [kind, count] : members) EXPECT_EQ(count, queries.size()) << kind;
  EXPECT_EQ(groups[4].queries, (std::vector<std::size_t>{3, 4, 5}));
}

}  // namespace
}  // namespace kronite::csp
