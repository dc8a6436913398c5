// Probabilities of lists, and training on them: what it learns, that it is reproducible, what it
// refuses.
#include "learn/lists.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kronite/error.hpp"
#include "support/matrix.hpp"
#include "support/on_each_device.hpp"
#include "support/random.hpp"

namespace kronite::learn {
namespace {

using test::HostMatrix;

// --- probabilities ------------------------------------------------------------------------------

TEST(ListProbabilities, AreASoftmaxWithNone) {
  const std::vector<float> squared{0.5F, 2.0F, 1.0F};
  std::vector<double> p(3, 0.0);

  const double none = add_probabilities(squared, {}, {}, -1.5, 0.5, p);

  const double all = std::exp(-1.5) + std::exp(-0.5) + std::exp(-2.0) + std::exp(-1.0);
  EXPECT_DOUBLE_EQ(none, 0.5 * std::exp(-1.5) / all);
  EXPECT_DOUBLE_EQ(p[0], 0.5 * std::exp(-0.5) / all);
  EXPECT_DOUBLE_EQ(p[1], 0.5 * std::exp(-2.0) / all);
}

TEST(ListProbabilities, BiasesAreAddedToTheLogits) {
  std::vector<double> p(2, 0.0), shifted(2, 0.0);

  add_probabilities(std::vector<float>{0.5F, 2.0F}, std::vector<float>{0.25F, -1.0F}, {}, 0, 1, p);
  add_probabilities(std::vector<float>{0.25F, 3.0F}, {}, {}, 0, 1, shifted);

  EXPECT_EQ(p, shifted);
}

TEST(ListProbabilities, LeaveOutWhatTheQueryMustNotMeet) {
  const std::vector<float> squared{0.5F, 0.0F, 1.0F};
  const std::vector<std::uint8_t> relation{1, 2, 0};
  std::vector<double> p(3, 0.0);

  const double none = add_probabilities(squared, {}, relation, -1, 1, p);

  const double others = std::exp(-1.0) + std::exp(-0.5) + std::exp(-1.0);
  EXPECT_NEAR(none + p[0] + p[2], 1, 1e-15);
  EXPECT_DOUBLE_EQ(p[0], std::exp(-0.5) / others);
  EXPECT_DOUBLE_EQ(p[1], 1 / (1 + others));  // as if it alone were there too
}

TEST(ListProbabilities, OfFarCandidatesAreFinite) {
  const std::vector<float> squared{1e9F, 2e9F};
  std::vector<double> p(2, 0.0);

  const double none = add_probabilities(squared, {}, {}, -2e9, 1, p);

  EXPECT_EQ(p, (std::vector<double>{1, 0}));
  EXPECT_EQ(none, 0);
}

TEST(ListProbabilities, AreFiniteHoweverFarALeftOutCandidateIsAhead) {
  const std::vector<float> squared{0, 3000};
  const std::vector<std::uint8_t> relation{2, 0};
  std::vector<double> p(2, 0.0);

  const double none = add_probabilities(squared, {}, relation, -3000, 1, p);

  EXPECT_EQ(p[0], 1);
  EXPECT_DOUBLE_EQ(p[1], 0.5);
  EXPECT_DOUBLE_EQ(none, 0.5);
}

TEST(ListScores, CountWhatComesBeforeTheFirstAlikeCandidate) {
  const std::vector<double> p{0.3, 0.2, 0.2, 0.4, 0.9};
  const auto misses = [&](const std::vector<std::uint8_t>& relation) {
    return ListScores{p, relation, 0.1}.misses();
  };

  EXPECT_EQ(misses({0, 1, 1, 0, 2}), 2);
  EXPECT_EQ(misses({0, 0, 1, 0, 2}), 3);  // an equal one with a lower index comes first
  EXPECT_EQ(misses({1, 0, 0, 1, 2}), 0);
  EXPECT_EQ(misses({0, 0, 0, 0, 2}), -1);
}

TEST(ListScores, LossIsOfTheAlikeCandidatesOrOfNone) {
  const std::vector<double> p{0.3, 0.2, 0.4};
  const std::vector<std::uint8_t> some{1, 0, 1}, no{0, 0, 0};

  EXPECT_DOUBLE_EQ((ListScores{p, some, 0.1}.loss()), -std::log(0.7));
  EXPECT_DOUBLE_EQ((ListScores{p, no, 0.1}.loss()), -std::log(0.1));
}

TEST(ListGroups, SayOfEachCandidateWhatItIsToAQuery) {
  ListGroup group;
  group.candidates = {4, 5, 6, 7};
  group.candidate_class = {0, 1, 0, 2};
  group.queries = {4, 9};
  group.query_class = {0, 1};
  group.alike = {{0, 2}, {}, {2}};
  group.left_out = {{0, 1}, {3}};
  std::vector<std::uint8_t> first(4), second(4);

  group.relations(0, first);
  group.relations(1, second);

  EXPECT_EQ(first, (std::vector<std::uint8_t>{2, 2, 1, 1}));
  EXPECT_EQ(second, (std::vector<std::uint8_t>{0, 0, 0, 2}));
  EXPECT_TRUE(group.any_alike());
  group.left_out[0] = {0, 2, 3};  // all that are alike
  EXPECT_FALSE(group.any_alike());
}

// --- training -----------------------------------------------------------------------------------

/// Rows of six values, alike when the first is nearly the same. Three lists to learn from, of which
/// one is larger than a batch, and one to be judged by.
struct Task {
  static constexpr std::int32_t kRows = 90;
  HostMatrix<float> values = test::random_matrix<float>(1, kRows, 6, 2);
  HostMatrix<float> traits = test::random_matrix<float>(2, kRows, 3);
  std::vector<std::int32_t> kinds = test::random_indices(3, 2 * kRows, 4);  // of two slots
  std::vector<ListGroup> training{group(0, 50, 0, 50), group(50, 70, 50, 70),
                                  group(70, 71, 70, 71)};
  std::vector<ListGroup> validation{group(0, 50, 71, 90)};

  /// Candidates [begin, end) and queries [first, last), which leave themselves out.
  ListGroup group(std::int32_t begin, std::int32_t end, std::int32_t first,
                  std::int32_t last) const {
    ListGroup made;
    made.alike.resize(kRows);  // each row is a class
    for (std::int32_t i = begin; i < end; ++i) made.candidates.push_back(i);
    for (std::int32_t q = first; q < last; ++q) {
      made.queries.push_back(q);
      auto& left_out = made.left_out.emplace_back();
      for (std::int32_t i = begin; i < end; ++i)
        if (i == q)
          left_out.push_back(i - begin);
        else if (std::abs(values.at(i, 0) - values.at(q, 0)) < 0.1F)
          made.alike[static_cast<std::size_t>(q)].push_back(i);
    }
    made.candidate_class = made.candidates;
    made.query_class = made.queries;
    return made;
  }
  ListRows rows() const { return {values.view(), {kinds.data(), kRows, 2}, traits.view()}; }
};

MetricShape small_shape() {
  MetricShape shape;
  shape.embedding.inputs = shape.none_of.inputs = 6;
  shape.shift.inputs = shape.bias.inputs = 3;
  shape.embedding.branches = {{{0}, 6, {}, 4}, {{0, 3}, 3, {8}, 2}};
  shape.embedding.vectors = {4, 1, 2, {{0, 2}, {1, 5}}};  // in the place of values that say nothing
  shape.embedding.dropout = 0.1;
  shape.shift.branches = {{{0}, 3, {4}, 8}};
  shape.bias.branches = {{{0}, 3, {4}, 1}};
  shape.none_of.branches = {{{0}, 6, {4}, 1}};
  shape.shift.first_distance = shape.bias.first_distance = shape.none_of.first_distance = 0.1;
  return shape;
}

FitOptions short_options() {
  FitOptions options;
  options.batch = 20;
  options.max_epochs = 12;
  options.patience = 6;
  options.learning_rate = 0.02;
  options.seed = 7;
  return options;
}

class FitLists : public test::OnEachDevice {
 protected:
  FittedParameters fit(const FitOptions& options, const FitHooks& hooks = {}) {
    return fit_lists(device, small_shape(), options, task.rows(), task.training, task.validation,
                     hooks);
  }
  template <class F>
  std::string refusal(Errc code, const F& call) {
    try {
      call();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), code) << e.what();
      return e.what();
    }
    return "nothing was thrown";
  }
  Task task;
};
KRONITE_ON_EACH_DEVICE(FitLists);

TEST_P(FitLists, LearnWhichValuesMatter) {
  FitOptions options = short_options();
  options.max_epochs = 80;
  options.patience = 40;

  const FittedParameters made = fit(options);

  double best = 0;
  for (const EpochRecord& epoch : made.history) best = std::max(best, epoch.validation_accuracy);
  const auto kept = static_cast<std::size_t>(made.best_epoch) - 1;
  EXPECT_EQ(made.history[kept].validation_accuracy, best);
  EXPECT_GT(best, 0.7);  // the first distance looks at five values that say nothing
  EXPECT_LT(made.history.back().loss, 0.6 * made.history.front().loss);
}

TEST_P(FitLists, ValidationIsWhatTheKeptModelDoes) {
  const FittedParameters made = fit(short_options());
  const MetricNetwork metric = network_of(MetricLayout(small_shape()), made.parameters);
  const ListScorer scorer(device, {&metric, 1}, task.rows());

  double loss = 0, right = 0;
  scorer.score(task.validation.front(), [&](std::size_t, const ListScores& scores) {
    loss += scores.loss() / 19;
    right += scores.misses() == 0 ? 1.0 / 19 : 0;
  });

  const auto& kept = made.history[static_cast<std::size_t>(made.best_epoch) - 1];
  EXPECT_NEAR(kept.validation_loss, loss, 1e-12);
  EXPECT_NEAR(kept.validation_accuracy, right, 1e-12);
}

TEST_P(FitLists, GoOnFromAStateToTheSameBits) {
  FitState third;
  FitHooks keep;
  keep.after_epoch = [&](const FitState& state) {
    if (state.history.size() == 3) third = state;
    return true;
  };
  const FittedParameters whole = fit(short_options(), keep);

  FitHooks resume;
  resume.resume = &third;
  const FittedParameters resumed = fit(short_options(), resume);

  EXPECT_EQ(resumed.parameters, whole.parameters);
  EXPECT_EQ(resumed.best_epoch, whole.best_epoch);
  EXPECT_EQ(resumed.history.back().loss, whole.history.back().loss);
}

TEST_P(FitLists, OtherSeedsGiveOtherMetrics) {
  FitOptions other = short_options();
  other.seed = 8;

  EXPECT_EQ(fit(short_options()).parameters, fit(short_options()).parameters);
  EXPECT_NE(fit(short_options()).parameters, fit(other).parameters);
}

TEST_P(FitLists, WithoutPatienceKeepTheLastEpoch) {
  FitOptions options = short_options();
  options.patience = 0;

  const FittedParameters made =
      fit_lists(device, small_shape(), options, task.rows(), task.training, {});

  EXPECT_EQ(made.best_epoch, options.max_epochs);
  EXPECT_TRUE(std::isnan(made.history.back().validation_accuracy));
}

TEST(FitListsOnTheCpu, GiveTheSameBitsWithAnyNumberOfThreads) {
  const Task task;
  const auto with = [&](int threads) {
    DeviceOptions options;
    options.threads = threads;
    Device device = Device::cpu(options);
    return fit_lists(device, small_shape(), short_options(), task.rows(), task.training,
                     task.validation)
        .parameters;
  };

  EXPECT_EQ(with(1), with(3));
}

TEST_P(FitLists, NameTheEpochInWhichTheLossIsLost) {
  task.values.at(3, 0) = std::numeric_limits<float>::quiet_NaN();

  const auto message = refusal(Errc::numerical, [&] { fit(short_options()); });

  EXPECT_NE(message.find("no longer finite in epoch 1"), std::string::npos) << message;
}

TEST_P(FitLists, RefuseListsAndOptionsThatMakeNoSense) {
  const auto with = [&](auto change) {
    const Task original = task;
    FitOptions options = short_options();
    change(options);
    const auto message = refusal(Errc::invalid_argument, [&] { fit(options); });
    task = original;
    return message;
  };
  const auto contains = [](const std::string& text, const char* part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };

  contains(with([](FitOptions& o) { o.batch = 0; }), "batch");
  contains(with([](FitOptions& o) { o.learning_rate = 0; }), "learning rate");
  contains(with([](FitOptions& o) { o.warm_up = 1; }), "warm-up");
  contains(with([](FitOptions& o) { o.weight_decay = -1; }), "weight decay");
  contains(with([&](FitOptions&) { task.kinds[5] = 4; }), "other values, kinds or traits");
  contains(with([&](FitOptions&) { task.training[0].candidates[1] = Task::kRows; }),
           "training lists");
  contains(with([&](FitOptions&) { task.validation[0].left_out.pop_back(); }), "validation lists");
  contains(with([&](FitOptions&) { task.validation[0].left_out[0] = {50}; }), "validation lists");
  contains(with([&](FitOptions&) { task.validation[0].alike[71] = {-1}; }), "validation lists");
  contains(with([&](FitOptions&) { task.training[0].query_class[1] = Task::kRows; }),
           "training lists");
  contains(with([&](FitOptions&) { task.training[1].queries[0] = 3; }), "are not its candidates");
  contains(with([&](FitOptions&) { task.training = {task.group(0, 1, 0, 1)}; }), "two candidates");
  contains(with([&](FitOptions&) { task.validation.clear(); }), "no validation queries");
}

}  // namespace
}  // namespace kronite::learn
