// Scores over whole libraries against the ranker's, query by query.
#include "csp/template_scores.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "csp/random_model.hpp"  // for random_model
#include "support/on_each_device.hpp"

namespace kronite::test {
namespace {

class TemplateScores : public OnEachDevice {
 protected:
  TemplateLibrary library = TemplateLibrary::embedded();
  csp::Model model = random_model(3, library);
  csp::Classifier ranker{model};
  static constexpr std::int64_t kBest = 4;

  /// Row i of `best` against the ranking of a composition, less template `except`.
  void expect_ranked(const csp::BestTemplates& best, std::int64_t i, const Composition& query,
                     std::int64_t except = -1) {
    auto ranked = ranker.rank(device, query, library, library.with_ratio(query.ratio_label()));
    std::erase_if(ranked, [&](const auto& scored) { return scored.candidate == except; });
    for (std::int64_t r = 0; r < kBest; ++r) {
      const auto at = static_cast<std::size_t>(i * kBest + r);
      if (std::cmp_greater_equal(r, ranked.size())) {
        EXPECT_EQ(best.index[at], -1) << i << ", " << r;
        continue;
      }
      // Means over members in float here and in double there: equal to some roundings.
      EXPECT_NEAR(best.p[at], ranked[static_cast<std::size_t>(r)].p, 1e-5) << i << ", " << r;
      const auto same = std::find_if(ranked.begin(), ranked.end(), [&](const auto& scored) {
        return scored.candidate == best.index[at];
      });
      ASSERT_NE(same, ranked.end());
      EXPECT_NEAR(best.p[at], same->p, 1e-5) << i << ", " << r;
    }
  }
};
KRONITE_ON_EACH_DEVICE(TemplateScores);

TEST_P(TemplateScores, OfCompositionsAreThoseOfTheRanker) {
  std::vector<Composition> queries;
  for (const char* formula : {"SrTiO3", "LiF", "Li2O2", "Li97Na89", "KMgF3"})
    queries.push_back(Composition::parse(formula));

  const auto best = csp::TemplateScores({&device, 1}, model, library, queries).best(kBest, {});

  ASSERT_EQ(std::ssize(best.index), std::ssize(queries) * kBest);
  for (std::size_t i = 0; i < queries.size(); ++i)
    expect_ranked(best, static_cast<std::int64_t>(i), queries[i].reduced());
}

TEST_P(TemplateScores, OfALibraryAreThoseOfTheRankerWithoutTheTemplateItself) {
  const auto best = csp::TemplateScores({&device, 1}, model, library).best(kBest, {});

  ASSERT_EQ(std::ssize(best.index), library.size() * kBest);
  for (std::int64_t i = 0; i < library.size(); i += 7)
    expect_ranked(best, i, library.composition(i).reduced(), i);
}

TEST_P(TemplateScores, OfFp32HaveNoError) {
  const csp::TemplateScores scores({&device, 1}, model, library);

  const auto error = scores.error_of(Precision::fp32, 1000);

  EXPECT_GE(error.pairs, std::min<std::int64_t>(1000, scores.pairs()));
  EXPECT_EQ(error.largest, 0);
  EXPECT_EQ(error.mean, 0);
}

TEST_P(TemplateScores, RefuseAModelThatGivesNoNumbers) {
  for (auto& layer : model.ensemble.members[0].layers)  // both logits overflow: inf - inf
    std::fill(layer.weight.begin(), layer.weight.end(), 1e37F);

  try {
    csp::TemplateScores({&device, 1}, model, library).best(kBest, {});
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::numerical);
  }
}

TEST(SharedShare, CountsTheTemplatesThatAreAmongTheBestOfBoth) {
  const csp::BestTemplates a{2, {}, {1, 2, 3, 4, 5, -1}}, b{2, {}, {2, 9, 4, 3, -1, -1}};

  EXPECT_EQ(shared_share(a, b), 3.0 / 5);
  EXPECT_EQ(shared_share(a, a), 1);
}

}  // namespace
}  // namespace kronite::test
