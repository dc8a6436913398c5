// Training of one network: what it learns, that it is reproducible, and what it refuses.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kronite/error.hpp"
#include "kronite/learn.hpp"
#include "support/matrix.hpp"
#include "support/on_each_device.hpp"
#include "support/random.hpp"

namespace kronite::learn {
namespace {

using test::HostMatrix;

/// Rows of five values; two rows are alike when their first values are close.
struct Task {
  HostMatrix<float> rows = test::random_matrix<float>(1, 60, 5, 2);
  LabelledPairs training = pairs(2, 700), validation = pairs(4, 200);

  LabelledPairs pairs(std::uint64_t seed, std::int64_t count) const {
    LabelledPairs p{test::random_indices(seed, count, rows.rows),
                    test::random_indices(seed + 1, count, rows.rows),
                    {}};
    for (std::size_t i = 0; i < p.first.size(); ++i)
      p.alike.push_back(std::abs(rows.at(p.first[i], 0) - rows.at(p.second[i], 0)) < 0.5F);
    return p;
  }
};

const NetworkShape kShape{{24, 16}, true, 0.1};

FitOptions short_options() {
  FitOptions options;
  options.batch = 64;
  options.max_epochs = 12;
  options.patience = 5;
  options.learning_rate = 0.01;
  options.seed = 7;
  return options;
}

std::vector<float> weights(const Network& network) {
  std::vector<float> all;
  for (const DenseLayer& layer : network.layers) {
    all.insert(all.end(), layer.weight.begin(), layer.weight.end());
    all.insert(all.end(), layer.bias.begin(), layer.bias.end());
  }
  return all;
}

double accuracy(const std::vector<float>& p, const LabelledPairs& pairs) {
  double right = 0;
  for (std::size_t i = 0; i < p.size(); ++i) right += (p[i] > 0.5F) == (pairs.alike[i] == 1);
  return right / static_cast<double>(p.size());
}

class FitOnEachDevice : public test::OnEachDevice {
 protected:
  Fit fit(const FitOptions& options, const FitHooks& hooks = {}) {
    return learn::fit(device, kShape, options, task.rows.view(), task.training, task.validation,
                      hooks);
  }
  /// The message of the Error that `call` throws.
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
KRONITE_ON_EACH_DEVICE(FitOnEachDevice);

TEST_P(FitOnEachDevice, LearnsWhichPairsAreAlike) {
  FitOptions options = short_options();
  options.max_epochs = 60;
  options.patience = 30;

  const Fit result = fit(options);

  const LabelledPairs others = task.pairs(20, 400);
  const auto p = probabilities(device, Ensemble{{result.network}}, task.rows.view(), others);
  EXPECT_GT(accuracy(p, others), 0.9);
  EXPECT_LT(result.history.back().loss, result.history.front().loss);
}

TEST_P(FitOnEachDevice, KeepsTheEpochOfTheBestValidationAccuracy) {
  const Fit result = fit(short_options());

  const auto p =
      probabilities(device, Ensemble{{result.network}}, task.rows.view(), task.validation);
  double best = 0;
  for (const EpochRecord& e : result.history) best = std::max(best, e.validation_accuracy);
  const auto kept = static_cast<std::size_t>(result.best_epoch) - 1;
  EXPECT_EQ(result.history[kept].validation_accuracy, best);
  EXPECT_DOUBLE_EQ(accuracy(p, task.validation), best);
}

TEST_P(FitOnEachDevice, StopsWhenPatienceRunsOut) {
  FitOptions options = short_options();
  options.max_epochs = 500;

  const Fit result = fit(options);

  EXPECT_EQ(static_cast<int>(result.history.size()), result.best_epoch + options.patience);
}

TEST_P(FitOnEachDevice, WithoutPatienceKeepsTheLastEpoch) {
  FitOptions options = short_options();
  options.patience = 0;

  const Fit result =
      learn::fit(device, kShape, options, task.rows.view(), task.training, LabelledPairs{});

  EXPECT_EQ(result.best_epoch, options.max_epochs);
  EXPECT_TRUE(std::isnan(result.history.back().validation_accuracy));
}

TEST_P(FitOnEachDevice, GoesOnFromAStateToTheSameBits) {
  FitState third;
  FitHooks keep;
  keep.after_epoch = [&](const FitState& state) {
    if (state.history.size() == 3) third = state;
    return true;
  };
  const Fit whole = fit(short_options(), keep);

  FitHooks resume;
  resume.resume = &third;
  const Fit resumed = fit(short_options(), resume);

  EXPECT_EQ(weights(resumed.network), weights(whole.network));
  EXPECT_EQ(resumed.best_epoch, whole.best_epoch);
  ASSERT_EQ(resumed.history.size(), whole.history.size());
  EXPECT_EQ(resumed.history.back().loss, whole.history.back().loss);
}

TEST_P(FitOnEachDevice, OtherSeedsGiveOtherNetworks) {
  FitOptions other = short_options();
  other.seed = 8;

  EXPECT_EQ(weights(fit(short_options()).network), weights(fit(short_options()).network));
  EXPECT_NE(weights(fit(short_options()).network), weights(fit(other).network));
}

TEST_P(FitOnEachDevice, CosineDecayEndsInStandstill) {
  FitOptions options = short_options();
  options.patience = 0;
  options.cosine_decay = true;
  std::vector<std::vector<float>> parameters;
  FitHooks hooks;
  hooks.after_epoch = [&](const FitState& state) {
    parameters.push_back(state.parameters);
    return true;
  };

  fit(options, hooks);

  // How far the weights of the first layer move in an epoch.
  const auto moved = [&](std::size_t epoch) {
    double sum = 0;
    for (std::size_t i = 0; i < 5 * 24; ++i)
      sum += std::abs(parameters[epoch][i] - parameters[epoch - 1][i]);
    return sum;
  };
  EXPECT_LT(moved(11), 0.1 * moved(5));
}

TEST_P(FitOnEachDevice, CanBeStopped) {
  FitHooks hooks;
  hooks.after_epoch = [](const FitState& state) { return state.history.size() < 2; };

  EXPECT_EQ(refusal(Errc::cancelled, [&] { fit(short_options(), hooks); }),
            "training was stopped after epoch 2");
}

TEST_P(FitOnEachDevice, NamesTheEpochInWhichTheLossIsLost) {
  task.rows.at(3, 2) = std::numeric_limits<float>::quiet_NaN();

  const auto message = refusal(Errc::numerical, [&] { fit(short_options()); });

  EXPECT_NE(message.find("no longer finite in epoch 1"), std::string::npos) << message;
}

TEST_P(FitOnEachDevice, NoticesALossThatTheLastStepLost) {
  FitOptions options = short_options();
  options.batch = 1 << 20;
  options.max_epochs = 1;
  options.learning_rate = 1e60;  // infinite in single precision

  const auto message = refusal(Errc::numerical, [&] {
    learn::fit(device, {{24, 16}, false, 0.0}, options, task.rows.view(), task.training,
               task.validation);
  });

  EXPECT_NE(message.find("no longer finite in epoch 1"), std::string::npos) << message;
}

TEST_P(FitOnEachDevice, RefusesPairsAndOptionsThatMakeNoSense) {
  const auto with = [&](auto change) {
    Task original = task;
    FitOptions options = short_options();
    change(options, task);
    const auto message = refusal(Errc::invalid_argument, [&] { fit(options); });
    task = original;
    return message;
  };
  const auto contains = [](const std::string& text, const char* part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };

  contains(with([](FitOptions& o, Task&) { o.batch = 1; }), "batch");
  contains(with([](FitOptions& o, Task&) { o.learning_rate = 0; }), "learning rate");
  contains(with([](FitOptions& o, Task&) { o.max_epochs = 0; }), "epochs");
  contains(with([](FitOptions& o, Task&) { o.patience = -1; }), "patience");
  contains(with([](FitOptions&, Task& t) { t.training.alike.pop_back(); }), "as many");
  contains(with([](FitOptions&, Task& t) { t.training.first[0] = 60; }), "there are 60 rows");
  contains(with([](FitOptions&, Task& t) { t.validation.second[5] = -1; }), "validation pair 5");
  contains(with([](FitOptions&, Task& t) { t.training.alike[9] = 2; }), "expected 0 or 1");
  contains(with([](FitOptions&, Task& t) { t.training.alike.assign(700, 1); }), "700 are alike");
  contains(with([](FitOptions&, Task& t) { t.training = {}; }), "pairs of both kinds");
  contains(with([](FitOptions&, Task& t) { t.validation = {}; }), "no validation pairs");
}

TEST_P(FitOnEachDevice, RefusesAStateOfAnotherShape) {
  FitState state;
  FitHooks hooks;
  hooks.after_epoch = [&](const FitState& s) {
    state = s;
    return true;
  };
  fit(short_options(), hooks);
  FitHooks resume;
  resume.resume = &state;

  const auto message = refusal(Errc::invalid_argument, [&] {
    learn::fit(device, {{24, 17}, true, 0.1}, short_options(), task.rows.view(), task.training,
               task.validation, resume);
  });

  EXPECT_NE(message.find("another shape"), std::string::npos) << message;
}

TEST(Fit, GivesTheSameBitsForAnyNumberOfThreads) {
  const Task task;
  const NetworkShape shape{{70, 33}, true, 0.2};
  std::vector<std::vector<float>> found;
  for (const int threads : {1, 2, 3}) {
    DeviceOptions options;
    options.threads = threads;
    Device device = Device::cpu(options);
    found.push_back(weights(
        fit(device, shape, short_options(), task.rows.view(), task.training, task.validation)
            .network));
  }

  EXPECT_EQ(found[0], found[1]);
  EXPECT_EQ(found[0], found[2]);
}

}  // namespace
}  // namespace kronite::learn
