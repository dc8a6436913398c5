// The learned ranker against its definition in plain loops, and predictions that abstain.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <thread>

#include "csp/random_model.hpp"          // for random_model
#include "device/backend.hpp"            // for Backend
#include "kronite/csp.hpp"               // for predict
#include "kronite/error.hpp"             // for Error
#include "kronite/model.hpp"             // for Classifier
#include "support/temporary_folder.hpp"  // for TemporaryFolder

namespace kronite {
namespace {

using csp::Classifier;
using csp::Model;
using csp::Prediction;
using csp::PredictOptions;
using test::random_model;
using Scored = csp::Ranker::Scored;

/// Scores are computed in single precision from descriptors rounded to it: some 300 roundings of
/// 6e-8 in logits of about 3.
constexpr double kSingle = 1e-5;

/// P(alike) of one network in double precision.
double by_definition(const Network& network, std::vector<double> x) {
  for (const DenseLayer& layer : network.layers) {
    std::vector<double> y;
    for (std::int64_t u = 0; u < layer.units; ++u) {
      double sum = layer.bias[static_cast<std::size_t>(u)];
      for (std::int64_t i = 0; i < layer.inputs; ++i)
        sum += layer.weight[static_cast<std::size_t>(u * layer.inputs + i)] *
               x[static_cast<std::size_t>(i)];
      y.push_back(layer.activation == Activation::relu ? std::max(0.0, sum) : sum);
    }
    x = y;
  }
  return 1 / (1 + std::exp(x[0] - x[1]));
}

/// Of each network of a model.
std::vector<double> by_definition(const Model& model, const Composition& a, const Composition& b) {
  std::vector<double> x(290), y(290);
  describe({a.reduced()}, ElementTable::embedded(), {x.data(), 1, 290});
  describe({b.reduced()}, ElementTable::embedded(), {y.data(), 1, 290});
  for (std::size_t i = 0; i < 290; ++i) x[i] = std::abs(x[i] - y[i]) / model.std[i];
  std::vector<double> p;
  for (const Network& network : model.ensemble.members) p.push_back(by_definition(network, x));
  return p;
}

std::string refusal(Errc code, const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "must be refused";
  return "";
}

class ClassifierRanker : public testing::Test {
 protected:
  std::vector<Scored> rank(const csp::Ranker& ranker, const char* formula) {
    const auto query = Composition::parse(formula);
    return ranker.rank(device_, query, library_, library_.with_ratio(query.ratio_label()));
  }
  /// One candidate for each template.
  Prediction predict(const csp::Ranker& ranker, PredictOptions options = {}) {
    options.keep_duplicates = true;
    return csp::predict(device_, Composition::parse("SrTiO3"), library_, ranker, options);
  }

  Device device_ = Device::cpu();
  TemplateLibrary library_ = TemplateLibrary::embedded();
};

TEST_F(ClassifierRanker, GivesMeanAndSpreadOfTheNetworksBestFirst) {
  const Model model = random_model(3, library_);

  const auto ranked = rank(*csp::classifier_ranker(model), "Sr2Ti2O6");

  ASSERT_EQ(ranked.size(), static_cast<std::size_t>(library_.with_ratio("3:1:1").size()));
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    const auto p = by_definition(model, Composition::parse("SrTiO3"),
                                 library_.composition(ranked[i].candidate));
    const double mean = (p[0] + p[1] + p[2]) / 3;
    double squares = 0;
    for (const double x : p) squares += (x - mean) * (x - mean);
    EXPECT_NEAR(ranked[i].p, mean, kSingle);
    EXPECT_NEAR(ranked[i].p_std, std::sqrt(squares / 2), kSingle);
    EXPECT_EQ(ranked[i].score, ranked[i].p);
    if (i > 0) {
      EXPECT_LE(ranked[i].p, ranked[i - 1].p);
    }
  }
  EXPECT_GT(ranked.front().p - ranked.back().p, 0.1) << "the model tells nothing apart";
}

TEST_F(ClassifierRanker, ComparesAnyTwoCompositionsWhicheverComesFirst) {
  const Classifier classifier(random_model(2, library_));
  std::vector<Composition> first, second;
  for (const char* formula : {"SrTiO3", "Na2Cl2", "LiFePO4"})
    first.push_back(Composition::parse(formula));
  for (const char* formula : {"BaZrO3", "KBr", "Fe2O3"})
    second.push_back(Composition::parse(formula));

  const auto there = classifier.probabilities(device_, first, second);
  const auto back = classifier.probabilities(device_, second, first);

  ASSERT_EQ(there.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto p = by_definition(classifier.model(), first[i], second[i]);
    EXPECT_NEAR(there[i].p, (p[0] + p[1]) / 2, kSingle);
    EXPECT_NEAR(there[i].p_std, std::abs(p[0] - p[1]) / std::sqrt(2), kSingle);
    EXPECT_EQ(there[i].p, back[i].p);
    EXPECT_EQ(there[i].p_std, back[i].p_std);
  }
  EXPECT_TRUE(classifier.probabilities(device_, {}, {}).empty());
  refusal(Errc::invalid_argument, [&] { classifier.probabilities(device_, first, {}); });
}

TEST_F(ClassifierRanker, HasNoSpreadWithOneNetwork) {
  for (const Scored& scored : rank(Classifier(random_model(1, library_)), "SrTiO3"))
    EXPECT_TRUE(std::isnan(scored.p_std));
}

TEST_F(ClassifierRanker, KeepsTheLibrarysOrderAmongEqualProbabilities) {
  Model model = random_model(2, library_);
  for (Network& network : model.ensemble.members)
    for (DenseLayer& layer : network.layers) {
      std::fill(layer.weight.begin(), layer.weight.end(), 0.0F);
      std::fill(layer.bias.begin(), layer.bias.end(), 0.0F);
    }

  const auto ranked = rank(Classifier(model), "SrTiO3");

  for (std::size_t i = 0; i < ranked.size(); ++i) {
    EXPECT_EQ(ranked[i].p, 0.5);
    EXPECT_EQ(ranked[i].candidate,
              library_.with_ratio("3:1:1").begin + static_cast<std::int64_t>(i));
  }
}

TEST_F(ClassifierRanker, CopiesItsNetworksToADeviceOnceAndLeavesNothingBehind) {
  const std::size_t before = device_.backend().memory_in_use();
  std::optional<Classifier> classifier(random_model(3, library_));
  const std::size_t weights =
      static_cast<std::size_t>(classifier->model().ensemble.parameters()) * sizeof(float);

  const auto first = rank(*classifier, "SrTiO3");
  const std::size_t used = device_.backend().memory_in_use() - before;
  const auto again = rank(*classifier, "SrTiO3");

  EXPECT_EQ(used, weights);
  EXPECT_EQ(device_.backend().memory_in_use() - before, weights);
  EXPECT_EQ(first.front().p, again.front().p);
  classifier.reset();
  rank(Classifier(random_model(1, library_)), "SrTiO3");
  EXPECT_EQ(device_.backend().memory_in_use() - before, weights / 3);
}

TEST_F(ClassifierRanker, OutlivesItsDevicesAndFollowsThoseThatMove) {
  const Classifier classifier(random_model(2, library_));
  const auto expected = rank(classifier, "SrTiO3");
  const auto top = [&](Device& device) {
    return classifier
        .rank(device, Composition::parse("SrTiO3"), library_, library_.with_ratio("3:1:1"))
        .front()
        .p;
  };

  for (int i = 0; i < 3; ++i) {
    Device device = Device::cpu();
    EXPECT_EQ(top(device), expected.front().p);
    Device moved = std::move(device);
    EXPECT_EQ(top(moved), expected.front().p);
    moved = Device::cpu();
    EXPECT_EQ(top(moved), expected.front().p);
  }
}

TEST_F(ClassifierRanker, ServesSeveralThreadsWithADeviceEach) {
  const Classifier classifier(random_model(2, library_));
  const auto expected = rank(classifier, "SrTiO3");
  std::vector<std::vector<Scored>> results(4);

  std::vector<std::thread> threads;
  for (auto& result : results)
    threads.emplace_back([&] {
      DeviceOptions options;
      options.threads = 1;
      Device device = Device::cpu(options);
      result = classifier.rank(device, Composition::parse("SrTiO3"), library_,
                               library_.with_ratio("3:1:1"));
    });
  for (auto& thread : threads) thread.join();

  for (const auto& result : results) {
    ASSERT_EQ(result.size(), expected.size());
    for (std::size_t i = 0; i < result.size(); ++i) {
      EXPECT_EQ(result[i].candidate, expected[i].candidate);
      EXPECT_EQ(result[i].p, expected[i].p);
    }
  }
}

// --- models that do not fit ---------------------------------------------------------------------

TEST_F(ClassifierRanker, RefusesAnotherElementTableThanThatOfItsTraining) {
  const test::TemporaryFolder folder;
  const ElementTable table = ElementTable::read_csv(folder.write("few.csv", ",size\nSr,1\nO,3\n"));
  const Model model = random_model(1, library_);

  const std::string why = refusal(Errc::invalid_argument, [&] { Classifier(model, table); });

  for (const std::string& part : {std::string("\"random\""), table.hash(), model.element_table})
    EXPECT_NE(why.find(part), std::string::npos) << why;
}

TEST_F(ClassifierRanker, LeavesOutTemplatesWithElementsOutsideItsTable) {
  const test::TemporaryFolder folder;
  const ElementTable table =
      ElementTable::read_csv(folder.write("few.csv", ",size\nSr,1\nTi,2\nO,3\n"));

  const auto ranked = rank(Classifier(random_model(1, library_, table), table), "SrTiO3");

  ASSERT_FALSE(ranked.empty());
  EXPECT_LT(static_cast<std::int64_t>(ranked.size()), library_.with_ratio("3:1:1").size());
  for (const Scored& scored : ranked) {
    const Composition composition = library_.composition(scored.candidate);
    for (const auto& part : composition.parts()) EXPECT_TRUE(table.has(part.z));
  }
}

TEST_F(ClassifierRanker, RefusesAModelWhosePartsDoNotFit) {
  const Model good = random_model(2, library_);
  const auto refused = [&](const std::function<void(Model&)>& spoil, const char* part) {
    Model model = good;
    spoil(model);
    const std::string why = refusal(Errc::invalid_argument, [&] { Classifier{model}; });
    EXPECT_NE(why.find(part), std::string::npos) << why;
  };

  refused([](Model& m) { m.mean.pop_back(); }, "289 means");
  refused([](Model& m) { m.std.pop_back(); }, "289 standard deviations");
  refused([](Model& m) { m.std[7] = 0; }, "deviation of the descriptor");
  refused([](Model& m) { m.mean[7] = std::nan(""); }, "mean of the descriptor");
  refused([](Model& m) { m.ensemble.members.clear(); }, "no networks");
  refused([](Model& m) { m.ensemble.members[1].layers[0].weight[3] = NAN; }, "not finite");
}

TEST_F(ClassifierRanker, SaysThatNetworksGiveNoNumber) {
  Model model = random_model(1, library_);
  for (DenseLayer& layer : model.ensemble.members[0].layers)
    std::fill(layer.weight.begin(), layer.weight.end(), std::numeric_limits<float>::max());

  refusal(Errc::numerical, [&] { rank(Classifier(model), "SrTiO3"); });
}

TEST_F(ClassifierRanker, NamesModelsByWhatDecidesTheirProbabilities) {
  const Model model = random_model(2, library_);
  Model renamed = model, other = model;
  renamed.card = {{"name", "another"}};
  other.ensemble.members[1].layers[0].bias[0] += 1;

  EXPECT_EQ(model.hash(), renamed.hash());
  EXPECT_NE(model.hash(), other.hash());
}

// --- predictions by probability -----------------------------------------------------------------

TEST_F(ClassifierRanker, ProposesTheLikelyTemplatesOnly) {
  const Classifier classifier(random_model(3, library_));
  const auto ranked = rank(classifier, "SrTiO3");
  PredictOptions options;
  options.cutoff = (ranked[3].p + ranked[4].p) / 2;

  const auto prediction = predict(classifier, options);

  ASSERT_EQ(prediction.candidates.size(), 4u);
  EXPECT_EQ(prediction.likely, 4);
  EXPECT_EQ(prediction.templates, static_cast<std::int64_t>(ranked.size()));
  EXPECT_EQ(prediction.best_p, ranked[0].p);
  EXPECT_EQ(prediction.note, "");
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(prediction.candidates[i].template_index, ranked[i].candidate);
    EXPECT_EQ(prediction.candidates[i].p, ranked[i].p);
    EXPECT_EQ(prediction.candidates[i].p_std, ranked[i].p_std);
  }
}

TEST_F(ClassifierRanker, CountsTheLikelyBeyondTheTop) {
  const Classifier classifier(random_model(3, library_));
  const auto ranked = rank(classifier, "SrTiO3");
  PredictOptions options;
  options.cutoff = ranked[4].p;
  options.top = 2;

  const auto prediction = predict(classifier, options);

  EXPECT_EQ(prediction.candidates.size(), 2u);
  EXPECT_EQ(prediction.likely, 4) << "p must be above the cut-off, not at it";
}

TEST_F(ClassifierRanker, AbstainsWhereNoTemplateIsLikelyAndSaysWhatToDo) {
  const Classifier classifier(random_model(3, library_));
  const auto ranked = rank(classifier, "SrTiO3");
  PredictOptions options;
  options.cutoff = 0.9999;
  ASSERT_LT(ranked[0].p, options.cutoff);

  const auto none = predict(classifier, options);
  options.cutoff = 0;
  options.top = 1000;
  const auto all = predict(classifier, options);

  EXPECT_TRUE(none.candidates.empty());
  EXPECT_EQ(none.likely, 0);
  EXPECT_EQ(none.best_p, ranked[0].p);
  for (const char* part :
       {"no template is likely to fit", "±", "0.9999", "--cutoff 0", "kronite templates build"})
    EXPECT_NE(none.note.find(part), std::string::npos) << none.note;
  EXPECT_EQ(all.candidates.size(), ranked.size());
  EXPECT_EQ(all.note, "");
}

TEST_F(ClassifierRanker, RefusesACutOffThatIsNoProbability) {
  PredictOptions options;
  for (const double cutoff : {-0.1, 1.0, 2.0, std::nan("")}) {
    options.cutoff = cutoff;
    const std::string why =
        refusal(Errc::invalid_argument, [&] { predict(*csp::distance_ranker(), options); });
    EXPECT_NE(why.find("cut-off"), std::string::npos) << why;
  }
}

TEST_F(ClassifierRanker, LeavesPredictionsByDistanceAsTheyAre) {
  PredictOptions options;
  options.cutoff = 0.99;
  options.top = 1000;

  const auto prediction = predict(*csp::distance_ranker(), options);

  EXPECT_EQ(static_cast<std::int64_t>(prediction.candidates.size()), prediction.templates);
  EXPECT_EQ(prediction.likely, prediction.templates);
  EXPECT_TRUE(std::isnan(prediction.best_p));
}

}  // namespace
}  // namespace kronite
