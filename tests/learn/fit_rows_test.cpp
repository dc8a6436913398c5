// Networks on rows: what they learn, that they are reproducible, and what is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kronite/regression.hpp"
#include "support/matrix.hpp"
#include "support/on_each_device.hpp"
#include "support/random.hpp"
#include "support/rows.hpp"

namespace kronite::learn {
namespace {

using test::column;
using test::expect_in;
using test::HostMatrix;
using test::parts_of;
using test::refusal;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// 600 rows of six values, the last of which is constant, with two targets: one linear, one smooth.
struct ValueTask {
  HostMatrix<double> x = test::random_matrix<double>(1, 600, 6, 1);
  HostMatrix<double> y = HostMatrix<double>(600, 2);
  RowParts parts = parts_of(600, 400, 100);

  ValueTask() {
    for (std::int64_t i = 0; i < x.rows; ++i) {
      x.at(i, 1) = 100 + 20 * x.at(i, 1);
      x.at(i, 5) = 3.25;
      y.at(i, 0) = 40 + 7 * x.at(i, 0) - 0.2 * x.at(i, 1);
      y.at(i, 1) = std::sin(3 * x.at(i, 0)) + x.at(i, 2) * x.at(i, 3);
    }
  }
};

/// Three classes by the first two values: 0 is common, 2 rare, and all of them overlap.
struct ClassTask {
  HostMatrix<double> x = test::random_matrix<double>(11, 1200, 4);
  std::vector<std::int32_t> classes;
  RowParts parts = parts_of(1200, 800, 200);

  ClassTask() {
    for (std::int64_t i = 0; i < x.rows; ++i) {
      const double noise = 0.35 * test::random_value(12, static_cast<std::uint64_t>(i));
      const double at = x.at(i, 0) + 0.3 * x.at(i, 1) + noise;
      classes.push_back(at < 0.4 ? 0 : at < 0.85 ? 1 : 2);
    }
  }
  VectorView<const std::int32_t> view() const { return {classes.data(), x.rows}; }
  std::vector<std::int32_t> classes_of(const std::vector<std::int64_t>& rows) const {
    std::vector<std::int32_t> some;
    for (const std::int64_t i : rows) some.push_back(classes[static_cast<std::size_t>(i)]);
    return some;
  }
};

RowFitOptions small_options() {
  RowFitOptions options;
  options.shape = {{32, 32}, true, 0};
  options.fit.batch = 64;
  options.fit.learning_rate = 0.01;
  options.fit.max_epochs = 60;
  options.fit.patience = 60;
  options.fit.seed = 3;
  options.loss = ValueLossKind::squared;
  return options;
}

std::vector<float> weights(const RowFit& fit) {
  std::vector<float> all;
  for (const DenseLayer& layer : fit.network.network.layers) {
    all.insert(all.end(), layer.weight.begin(), layer.weight.end());
    all.insert(all.end(), layer.bias.begin(), layer.bias.end());
  }
  return all;
}

RowModel model_of(const RowFit& fit) { return {{fit.network}}; }

class FitRows : public test::OnEachDevice {
 protected:
  RowFit fit(const ValueTask& task, const RowFitOptions& options, const FitHooks& hooks = {}) {
    return fit_rows(device, options, task.x.view(), task.y.view(), task.parts, hooks);
  }
  RowFit fit(const ClassTask& task, const RowFitOptions& options) {
    return fit_rows(device, options, task.x.view(), task.view(), 3, task.parts);
  }
  /// R2 of both targets on the test part.
  std::vector<double> r2(const ValueTask& task, const RowModel& model) {
    const auto predicted = model.predict(device, task.x.view());
    std::vector<double> values;
    for (const std::int64_t k : {0, 1})
      values.push_back(
          value_metrics(column(task.y, task.parts.test, k), column(predicted, task.parts.test, k))
              .r2);
    return values;
  }
  ClassMetrics judged(const ClassTask& task, const RowFit& fit) {
    const auto all = most_probable(model_of(fit).predict(device, task.x.view()));
    std::vector<std::int32_t> some;
    for (const std::int64_t i : task.parts.test) some.push_back(all[static_cast<std::size_t>(i)]);
    return class_metrics(task.classes_of(task.parts.test), some, 3);
  }
};
KRONITE_ON_EACH_DEVICE(FitRows);

// --- what is learned ----------------------------------------------------------------------------

TEST_P(FitRows, LearnsALinearAndASmoothTargetAtOnceWithEachLoss) {
  const ValueTask task;
  for (const ValueLossKind loss :
       {ValueLossKind::squared, ValueLossKind::absolute, ValueLossKind::huber}) {
    SCOPED_TRACE(static_cast<int>(loss));
    RowFitOptions options = small_options();
    options.loss = loss;

    const RowFit result = fit(task, options);

    const auto of = r2(task, model_of(result));
    EXPECT_GT(of[0], 0.98);
    EXPECT_GT(of[1], 0.9);
    EXPECT_LT(result.history.back().loss, 0.2 * result.history.front().loss);
  }
}

TEST_P(FitRows, WithoutHiddenLayersALinearTargetIsFoundExactly) {
  ValueTask task;
  RowFitOptions options = small_options();
  options.shape = {{}, false, 0};
  options.fit.learning_rate = 0.03;
  options.fit.weight_decay = 0;

  const auto of = r2(task, model_of(fit(task, options)));

  EXPECT_GT(of[0], 1 - 1e-6);
  EXPECT_LT(of[1], 0.9);  // which is not linear
}

TEST_P(FitRows, LearnsClassesAndGivesTheirProbabilities) {
  const ClassTask task;

  const RowFit result = fit(task, small_options());

  EXPECT_GT(judged(task, result).accuracy, 0.8);
  const auto p = model_of(result).predict(device, task.x.view());
  ASSERT_EQ(p.cols, 3);
  for (std::int64_t i = 0; i < p.rows; ++i) {
    EXPECT_NEAR(p.at(i, 0) + p.at(i, 1) + p.at(i, 2), 1, 1e-12);
    EXPECT_GE(std::min({p.at(i, 0), p.at(i, 1), p.at(i, 2)}), 0);
  }
}

TEST_P(FitRows, BalancedWeightsRaiseTheRecallOfARareClass) {
  const ClassTask task;
  RowFitOptions plain = small_options();
  plain.fit.max_epochs = plain.fit.patience = 15;
  RowFitOptions balanced = plain;
  balanced.class_weights = balanced_class_weights(task.view(), 3, task.parts);

  const auto without = judged(task, fit(task, plain)), with = judged(task, fit(task, balanced));

  EXPECT_GT(with.recall[2], without.recall[2] + 0.05);
  EXPECT_LT(with.precision[2], without.precision[2]);
}

TEST_P(FitRows, WeightsOfOneAreNoWeights) {
  const ClassTask task;
  RowFitOptions weighted = small_options();
  weighted.fit.max_epochs = 3;
  const auto plain = fit(task, weighted);
  weighted.class_weights = {1, 1, 1};

  EXPECT_EQ(weights(fit(task, weighted)), weights(plain));
}

TEST(BalancedWeights, GiveEveryClassTheSameShareOfTheLoss) {
  const std::vector<std::int32_t> classes{0, 0, 0, 1, 1, 2, 2, 2};

  const auto w = balanced_class_weights({classes.data(), 8}, 3, parts_of(8, 6, 1));

  EXPECT_EQ(w, (std::vector<double>{6 / 9.0, 6 / 6.0, 6 / 3.0}));
}

// --- standardisation ----------------------------------------------------------------------------

TEST_P(FitRows, UnitsOfInputsAndTargetsDoNotMatter) {
  const ValueTask task;
  ValueTask scaled = task;
  for (std::int64_t i = 0; i < task.x.rows; ++i) {
    // By powers of two: standardised values keep their bits but for the mean.
    for (std::int64_t j = 0; j < 6; ++j) scaled.x.at(i, j) = 1024 * task.x.at(i, j);
    for (std::int64_t k = 0; k < 2; ++k) scaled.y.at(i, k) = 0.125 * task.y.at(i, k);
  }
  RowFitOptions options = small_options();
  options.fit.max_epochs = 5;

  const RowFit one = fit(task, options), other = fit(scaled, options);

  EXPECT_EQ(weights(one), weights(other));
  const auto a = model_of(one).predict(device, task.x.view());
  const auto b = model_of(other).predict(device, scaled.x.view());
  for (std::size_t i = 0; i < a.values.size(); ++i)
    EXPECT_DOUBLE_EQ(0.125 * a.values[i], b.values[i]);
}

TEST_P(FitRows, WhatAConstantColumnHoldsElsewhereDoesNotMatter) {
  const ValueTask task;
  RowFitOptions options = small_options();
  options.fit.max_epochs = 3;
  const RowModel model = model_of(fit(task, options));
  ValueTask other = task;
  for (const std::int64_t i : task.parts.test) other.x.at(i, 5) = 1e6;

  EXPECT_EQ(model.members[0].inputs.std[5], 0);
  EXPECT_EQ(model.predict(device, other.x.view()).values,
            model.predict(device, task.x.view()).values);
}

TEST_P(FitRows, ScalersAreOfTheTrainingPartAlone) {
  const ValueTask task;
  ValueTask other = task;
  for (const auto* part : {&task.parts.validation, &task.parts.test})
    for (const std::int64_t i : *part) {
      other.x.at(i, 0) += 50;
      other.y.at(i, 0) -= 50;
    }
  RowFitOptions options = small_options();
  options.fit.max_epochs = 2;
  options.fit.patience = 0;  // the last epoch, whatever the validation part says

  EXPECT_EQ(weights(fit(task, options)), weights(fit(other, options)));
}

TEST_P(FitRows, SinglePrecisionRowsAreReadAsTheyAre) {
  const ValueTask task;
  const auto single = HostMatrix<float>(600, 6).fill(
      [&](std::int64_t i, std::int64_t j) { return task.x.at(i, j); });
  const auto same = HostMatrix<double>(600, 6).fill(
      [&](std::int64_t i, std::int64_t j) { return single.at(i, j); });
  RowFitOptions options = small_options();
  options.fit.max_epochs = 2;

  const auto one = fit_rows(device, options, single.view(), task.y.view(), task.parts);
  const auto other = fit_rows(device, options, same.view(), task.y.view(), task.parts);

  EXPECT_EQ(weights(one), weights(other));
}

// --- epochs -------------------------------------------------------------------------------------

TEST_P(FitRows, KeepsTheEpochOfTheLeastValidationLossAndStopsWhenPatienceRunsOut) {
  ValueTask task;
  for (std::int64_t i = 0; i < 600; ++i)  // noise, which is learned by heart
    task.y.at(i, 1) = test::random_value(5, static_cast<std::uint64_t>(i));
  RowFitOptions options = small_options();
  options.fit.max_epochs = 500;
  options.fit.patience = 6;

  const RowFit result = fit(task, options);

  ASSERT_EQ(static_cast<int>(result.history.size()), result.best_epoch + 6);
  const auto least = std::min_element(
      result.history.begin(), result.history.end(),
      [](const auto& a, const auto& b) { return a.validation_loss < b.validation_loss; });
  EXPECT_EQ(least->epoch, result.best_epoch);
  // Its loss is that of the predictions of the network that was kept, in standard deviations.
  const auto predicted = model_of(result).predict(device, task.x.view());
  double loss = 0;
  for (const std::int64_t i : task.parts.validation)
    for (std::size_t k = 0; k < 2; ++k) {
      const auto j = static_cast<std::int64_t>(k);
      loss += std::pow((predicted.at(i, j) - task.y.at(i, j)) / result.network.targets.std[k], 2);
    }
  EXPECT_NEAR(loss / 200, least->validation_loss, 1e-5 * least->validation_loss);  // in float
  EXPECT_TRUE(std::isnan(least->validation_accuracy));
}

TEST_P(FitRows, WithoutPatienceKeepsTheLastEpoch) {
  ValueTask task;
  task.parts.validation.clear();
  RowFitOptions options = small_options();
  options.fit.patience = 0;
  options.fit.max_epochs = 4;

  const RowFit result = fit(task, options);

  EXPECT_EQ(result.best_epoch, 4);
  EXPECT_TRUE(std::isnan(result.history.back().validation_loss));
}

TEST_P(FitRows, GoesOnFromAStateToTheSameBits) {
  const ValueTask task;
  RowFitOptions options = small_options();
  options.fit.max_epochs = 7;
  options.shape.dropout = 0.2;
  FitState third;
  FitHooks keep, resume;
  keep.after_epoch = [&](const FitState& state) {
    if (state.history.size() == 3) third = state;
    return true;
  };
  resume.resume = &third;

  const RowFit whole = fit(task, options, keep), resumed = fit(task, options, resume);

  EXPECT_EQ(weights(whole), weights(resumed));
  EXPECT_EQ(whole.best_epoch, resumed.best_epoch);
}

TEST(FitRowsThreads, DoNotChangeABit) {
  const ValueTask values;
  const ClassTask classes;
  RowFitOptions options = small_options();
  options.shape = {{70, 33}, true, 0.2};
  options.fit.batch = 300;
  options.fit.max_epochs = 4;
  const auto on = [&](int threads) {
    Device device = test::cpu_with(threads);
    const RowFit a = fit_rows(device, options, values.x.view(), values.y.view(), values.parts);
    const RowFit b = fit_rows(device, options, classes.x.view(), classes.view(), 3, classes.parts);
    auto all = weights(a);
    for (const float w : weights(b)) all.push_back(w);
    const auto predicted = model_of(a).predict(device, values.x.view());
    return std::make_pair(all, predicted.values);
  };

  EXPECT_EQ(on(1), on(2));
  EXPECT_EQ(on(1), on(3));
}

// --- ensembles ----------------------------------------------------------------------------------

TEST_P(FitRows, AnEnsemblePredictsTheMeanOfItsMembers) {
  const ValueTask values;
  const ClassTask classes;
  RowFitOptions options = small_options();
  options.fit.max_epochs = 2;
  RowFitOptions second = options;
  second.fit.seed = 4;
  const auto check = [&](const auto& task) {
    const RowModel one = model_of(fit(task, options)), two = model_of(fit(task, second));
    const RowModel both{{one.members[0], two.members[0]}};
    const auto a = one.predict(device, task.x.view()), b = two.predict(device, task.x.view());
    const auto mean = both.predict(device, task.x.view());
    EXPECT_NE(a.values, b.values);
    for (std::size_t i = 0; i < mean.values.size(); ++i)
      EXPECT_NEAR(mean.values[i], 0.5 * (a.values[i] + b.values[i]), 1e-12);
  };

  check(values);
  check(classes);
}

TEST_P(FitRows, ModelsThatDoNotFitTogetherAreRefused) {
  const ValueTask values;
  const ClassTask classes;
  RowFitOptions options = small_options();
  options.fit.max_epochs = 1;
  const RowModel model = model_of(fit(values, options));
  const auto says = [&](const RowModel& wrong) {
    return refusal(Errc::invalid_argument, [&] { wrong.predict(device, values.x.view()); });
  };

  expect_in(says({}), "no networks");
  RowModel wrong = model;
  wrong.members.push_back(fit(classes, options).network);
  expect_in(says(wrong), "layer 0 of network 1");
  wrong = model;
  wrong.members[0].targets.std.pop_back();
  expect_in(says(wrong), "network 0 has 2 means and 1 standard deviations");
  expect_in(refusal(Errc::invalid_argument, [&] { model.predict(device, classes.x.view()); }),
            "the rows have 4 values, the model takes 6");
  ValueTask broken = values;
  broken.x.at(17, 2) = kNan;
  expect_in(refusal(Errc::invalid_argument, [&] { model.predict(device, broken.x.view()); }),
            "row 17, column 2 of the descriptors is nan");
}

// --- what is refused ----------------------------------------------------------------------------

TEST_P(FitRows, RefusesValuesPartsAndOptionsThatMakeNoSense) {
  const auto with = [&](auto change) {
    ValueTask task;
    RowFitOptions options = small_options();
    change(options, task);
    return refusal(Errc::invalid_argument, [&] { fit(task, options); });
  };

  expect_in(with([](auto&, auto& t) { t.x.at(30, 4) = kNan; }),
            "row 30, column 4 of the descriptors is nan");
  expect_in(with([](auto&, auto& t) { t.x.at(450, 1) = INFINITY; }),
            "row 450, column 1 of the descriptors is inf");
  expect_in(with([](auto&, auto& t) { t.y.at(7, 1) = kNan; }),
            "row 7, column 1 of the targets is nan");
  expect_in(with([](auto&, auto& t) { t.y.fill([](auto, auto j) { return j == 0 ? 0.0 : 1.0; }); }),
            "target 0 is 0 in each of the 400 training rows");
  expect_in(with([](auto&, auto& t) { t.y = HostMatrix<double>(600, 0); }), "no target");
  expect_in(with([](auto&, auto& t) { t.y = HostMatrix<double>(599, 1); }),
            "599 rows have targets");
  expect_in(with([](auto&, auto& t) { t.x = HostMatrix<double>(600, 0); }), "no columns");
  expect_in(with([](auto&, auto& t) { t.parts.training.clear(); }), "no training rows");
  expect_in(with([](auto&, auto& t) { t.parts.validation.clear(); }), "no validation rows");
  expect_in(with([](auto&, auto& t) { t.parts.training[0] = 600; }), "there are 600 rows");
  expect_in(with([](auto&, auto& t) { t.parts.test[0] = -1; }), "the test part has the row -1");
  expect_in(with([](auto&, auto& t) { t.parts.validation[0] = 5; }),
            "row 5 is in the validation part and in another one");
  expect_in(with([](auto& o, auto&) { o.fit.batch = 1; }), "the batch is 1 rows");
  expect_in(with([](auto& o, auto&) { o.fit.learning_rate = -1; }), "learning rate");
  expect_in(with([](auto& o, auto&) { o.knee = 0; }), "the knee of the Huber loss is 0");
  expect_in(with([](auto& o, auto&) { o.shape.hidden = {0}; }), "hidden layer 1 has 0 units");
}

TEST_P(FitRows, RowsThatTakeNoPartMayHoldAnything) {
  ValueTask task;
  RowFitOptions options = small_options();
  options.fit.max_epochs = 1;
  task.x.at(599, 0) = kNan;
  task.y.at(599, 0) = kNan;

  EXPECT_NO_THROW(fit(task, options));
}

TEST_P(FitRows, RefusesClassesThatMakeNoSense) {
  const auto with = [&](std::int64_t count, auto change) {
    ClassTask task;
    RowFitOptions options = small_options();
    change(options, task);
    return refusal(Errc::invalid_argument, [&] {
      fit_rows(device, options, task.x.view(),
               {task.classes.data(), static_cast<std::int64_t>(task.classes.size())}, count,
               task.parts);
    });
  };

  expect_in(with(3, [](auto&, auto& t) { t.classes.assign(1200, 1); }),
            "none of the 800 training rows is of class 0");
  expect_in(with(1, [](auto&, auto& t) { t.classes.assign(1200, 0); }), "there are 1 classes");
  expect_in(with(4, [](auto&, auto&) {}), "none of the 800 training rows is of class 3");
  expect_in(with(3, [](auto&, auto& t) { t.classes[9] = 3; }), "row 9 has the class 3");
  expect_in(with(3, [](auto&, auto& t) { t.classes[810] = -1; }), "row 810 has the class -1");
  expect_in(with(3, [](auto&, auto& t) { t.classes.pop_back(); }), "1199 rows have targets");
  expect_in(with(3,
                 [](auto& o, auto&) {
                   o.class_weights = {1, 2};
                 }),
            "2 class weights for 3 classes");
  expect_in(with(3, [](auto& o, auto&) { o.class_weights = {1, 0, 1}; }), "a class weight is 0");
}

TEST_P(FitRows, NamesTheEpochInWhichTheLossIsLost) {
  const ValueTask task;
  RowFitOptions options = small_options();
  options.shape.batch_norm = false;
  options.fit.learning_rate = 1e60;  // infinite in single precision
  options.fit.warm_up = 0;

  expect_in(refusal(Errc::numerical, [&] { fit(task, options); }), "no longer finite in epoch 1");
}

}  // namespace
}  // namespace kronite::learn
