// Scores, rankings, predictions and evaluations on several devices are those of one.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "csp/fingerprint_library.hpp"  // for add_grid, library_of
#include "csp/random_model.hpp"         // for random_model
#include "csp/template_scores.hpp"
#include "kronite/csp.hpp"
#include "kronite/csp_evaluation.hpp"
#include "kronite/error.hpp"
#include "support/on_several_devices.hpp"

namespace kronite::test {
namespace {

class CspOnSeveral : public OnSeveralDevices {
 protected:
  /// 336 salts in two ratios: pairs enough for some batches.
  static std::vector<Template> salts() {
    std::vector<Template> templates;
    add_grid(templates, "", 24, 0.07F);
    add_grid(templates, "2", 24, 0.07F);
    return templates;
  }
  TemplateLibrary library = library_of(salts());
  csp::Model model = random_model(3, library);
  csp::Classifier ranker{model};

  std::vector<Composition> queries(std::int64_t count) {
    std::vector<Composition> all;
    for (std::int64_t i = 0; i < count; ++i) all.push_back(library.composition(i * 5 % 336));
    return all;
  }
  static void expect_equal(const csp::BestTemplates& a, const csp::BestTemplates& b) {
    EXPECT_EQ(a.k, b.k);
    EXPECT_EQ(a.index, b.index);
    ASSERT_EQ(a.p.size(), b.p.size());  // where there is no p, NaN, which is equal to nothing
    EXPECT_EQ(std::memcmp(a.p.data(), b.p.data(), sizeof(float) * a.p.size()), 0);
  }
};
KRONITE_ON_SEVERAL_DEVICES(CspOnSeveral);

TEST_P(CspOnSeveral, BestTemplatesAreThoseOfOne) {
  const auto asked = queries(200);
  for (const std::int64_t k : {1, 5, 200}) {
    SCOPED_TRACE(k);
    expect_equal(csp::TemplateScores(devices, model, library).best(k, {}),
                 csp::TemplateScores({&one, 1}, model, library).best(k, {}));
    expect_equal(csp::TemplateScores(devices, model, library, asked).best(k, {}),
                 csp::TemplateScores({&one, 1}, model, library, asked).best(k, {}));
  }
}

TEST_P(CspOnSeveral, ScoresTellAllPairsAndStopWhenTold) {
  const csp::TemplateScores scores(devices, model, library);
  long long told = 0;
  scores.best(3, {}, [&](long long done, long long total) {
    EXPECT_EQ(total, scores.pairs());
    EXPECT_GE(done, told);
    told = done;
    return true;
  });
  EXPECT_EQ(told, scores.pairs());
  try {
    scores.best(3, {}, [](long long done, long long) { return done == 0; });
    ADD_FAILURE() << "not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::cancelled);
  }
}

TEST_P(CspOnSeveral, RankingsAreThoseOfOne) {
  const auto asked = queries(100);
  for (const bool self : {false, true}) {
    const auto& of = self ? queries(336) : asked;
    const auto by = [&](std::span<Device> on) {
      return csp::best_by(ranker, on, library, of, false, 7, ElementTable::embedded());
    };
    expect_equal(by(devices), by({&one, 1}));
  }
}

TEST_P(CspOnSeveral, PredictionsComeInOrderAndAreThoseOfOne) {
  const auto asked = queries(40);
  csp::PredictOptions options;
  options.cutoff = 0;
  options.top = 3;
  long long told = 0;
  options.progress = [&](long long done, long long total) {
    EXPECT_EQ(total, 40);
    EXPECT_GE(done, told);
    told = done;
    return true;
  };
  std::vector<csp::Prediction> by_all;
  csp::predict_all(devices, asked, library, ranker, options,
                   [&](std::size_t i, csp::Prediction&& prediction) {
                     EXPECT_EQ(i, by_all.size());
                     by_all.push_back(std::move(prediction));
                   });
  EXPECT_EQ(told, 40);
  options.progress = {};
  ASSERT_EQ(by_all.size(), asked.size());
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const csp::Prediction by_one = csp::predict(one, asked[i], library, ranker, options);
    EXPECT_EQ(by_all[i].query, by_one.query);
    EXPECT_EQ(by_all[i].best_p, by_one.best_p);
    ASSERT_EQ(by_all[i].candidates.size(), by_one.candidates.size());
    for (std::size_t c = 0; c < by_one.candidates.size(); ++c) {
      EXPECT_EQ(by_all[i].candidates[c].template_index, by_one.candidates[c].template_index);
      EXPECT_EQ(by_all[i].candidates[c].p, by_one.candidates[c].p);
    }
  }
}

TEST_P(CspOnSeveral, PredictionsBeforeTheFirstErrorAreGivenOn) {
  auto asked = queries(30);
  asked[12] = asked[20] = Composition();  // empty
  std::size_t taken = 0;
  try {
    csp::predict_all(devices, asked, library, ranker, {},
                     [&](std::size_t i, csp::Prediction&&) { EXPECT_EQ(i, taken++); });
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::invalid_argument);
  }
  EXPECT_EQ(taken, 12U);
}

TEST_P(CspOnSeveral, PredictionsStopWhenTold) {
  csp::PredictOptions options;
  options.progress = [](long long done, long long) { return done < 5; };
  std::size_t taken = 0;
  try {
    csp::predict_all(devices, queries(30), library, ranker, options,
                     [&](std::size_t i, csp::Prediction&&) { EXPECT_EQ(i, taken++); });
    ADD_FAILURE() << "not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::cancelled);
  }
  EXPECT_LT(taken, 30U);
}

TEST_P(CspOnSeveral, EvaluationsAreThoseOfOne) {
  std::vector<csp::KnownCrystal> known;
  for (const Template& t : salts()) {
    if (known.size() == 40) break;
    csp::KnownCrystal crystal{t.id, t.structure, Fingerprint{}, t.space_group};
    std::copy(t.fingerprint.begin(), t.fingerprint.end(), crystal.fingerprint->begin());
    known.push_back(std::move(crystal));
  }
  csp::EvaluateOptions options;
  options.match = false;
  const auto by_one = csp::evaluate(one, known, library, ranker, options);
  const auto by_all = csp::evaluate(devices, known, library, ranker, options);
  ASSERT_EQ(by_all.queries.size(), by_one.queries.size());
  for (std::size_t limit = 0; limit < csp::kHitLimits.size(); ++limit)
    for (std::size_t top = 0; top < csp::kTops.size(); ++top)
      EXPECT_EQ(csp::success(by_all.queries, limit, csp::Listing::plain).top[top].hits,
                csp::success(by_one.queries, limit, csp::Listing::plain).top[top].hits);
  ASSERT_EQ(by_all.reliability.size(), by_one.reliability.size());
  for (std::size_t bin = 0; bin < by_one.reliability.size(); ++bin)
    EXPECT_EQ(by_all.reliability[bin].pairs, by_one.reliability[bin].pairs);
}

TEST(CspOnNone, IsRefused) {
  std::vector<Device> none;
  const TemplateLibrary library = TemplateLibrary::embedded();
  EXPECT_THROW(csp::TemplateScores(none, random_model(1, library), library), Error);
}

}  // namespace
}  // namespace kronite::test
