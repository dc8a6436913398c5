// Columns of rows, clipped to their range over the training part: by networks and by kernel ridge
// regression.
#include <gtest/gtest.h>

#include <cmath>

#include "kronite/regression.hpp"
#include "support/matrix.hpp"
#include "support/on_each_device.hpp"
#include "support/random.hpp"
#include "support/rows.hpp"

namespace kronite::learn {
namespace {

using test::HostMatrix;
using test::parts_of;

constexpr std::int64_t kRare = 2;  ///< the column that next to no training row reaches

/// 300 rows of three values, of which the last is 1 but for one training row with 1 + 1e-6; the
/// target depends on the others.
struct Task {
  HostMatrix<double> x = test::random_matrix<double>(21, 300, 3, 1);
  HostMatrix<double> y = HostMatrix<double>(300, 1);
  RowParts parts = parts_of(300, 200, 50);

  Task() {
    for (std::int64_t i = 0; i < x.rows; ++i) {
      x.at(i, kRare) = i == 17 ? 1 + 1e-6 : 1;
      y.at(i, 0) = std::sin(2 * x.at(i, 0)) + x.at(i, 1);
    }
  }
  /// The same with `value` in the rare column of each row outside of the training part.
  Task with(double value) const {
    Task other = *this;
    for (const auto* part : {&parts.validation, &parts.test})
      for (const std::int64_t i : *part) other.x.at(i, kRare) = value;
    return other;
  }
};

RowFitOptions network_options(bool clip) {
  RowFitOptions options;
  options.shape = {{16, 16}, false, 0};
  options.fit.batch = 50;
  options.fit.max_epochs = 20;
  options.fit.patience = 20;
  options.clip = clip;
  return options;
}

class Clip : public test::OnEachDevice {
 protected:
  RowFit network(const Task& task, bool clip) {
    return fit_rows(device, network_options(clip), task.x.view(), task.y.view(), task.parts);
  }
  KernelRidgeFit ridge(const Task& task, bool clip) {
    KernelRidgeOptions options;
    options.clip = clip;
    return fit_kernel_ridge(device, options, task.x.view(), task.y.view(), task.parts);
  }
};
KRONITE_ON_EACH_DEVICE(Clip);

TEST_P(Clip, KeepsNetworksFromHugeValuesThatNoTrainingRowHas) {
  const Task task, most = task.with(1 + 1e-6), huge = task.with(2), below = task.with(-5);

  const RowFit fit = network(huge, true);

  // As if the other rows had the largest value of the training rows, and the least one.
  EXPECT_EQ(fit.best_epoch, network(most, true).best_epoch);
  EXPECT_EQ(fit.history.back().validation_loss, network(most, true).history.back().validation_loss);
  const RowModel model{{fit.network}};
  EXPECT_EQ(model.predict(device, huge.x.view()).values,
            model.predict(device, most.x.view()).values);
  EXPECT_EQ(model.predict(device, below.x.view()).values,
            model.predict(device, task.x.view()).values);
  EXPECT_NE(model.predict(device, huge.x.view()).values,
            model.predict(device, task.x.view()).values);
}

TEST_P(Clip, WithoutItOneValueOutweighsAllOthers) {
  const Task task, huge = task.with(2);

  const RowFit fit = network(huge, false);

  // 2 is standardised to 1e6 standard deviations of 200 rows, one of which is 1e-6 off.
  EXPECT_TRUE(fit.network.inputs.low.empty());
  const auto predicted = RowModel{{fit.network}}.predict(device, huge.x.view());
  const auto clipped = RowModel{{network(huge, true).network}}.predict(device, huge.x.view());
  for (const std::int64_t i : task.parts.test) {
    EXPECT_GT(std::abs(predicted.at(i, 0)), 1e3) << i;
    EXPECT_LT(std::abs(clipped.at(i, 0)), 10) << i;
  }
}

TEST_P(Clip, ChangesNothingInsideTheRange) {
  Task task;
  const auto range = [&](std::int64_t j) {
    double low = INFINITY, high = -INFINITY;
    for (const std::int64_t i : task.parts.training) {
      low = std::min(low, task.x.at(i, j));
      high = std::max(high, task.x.at(i, j));
    }
    return std::pair{low, high};
  };
  for (const std::int64_t j : {0, 1})
    for (std::int64_t i = 200; i < 300; ++i)
      task.x.at(i, j) = std::min(std::max(task.x.at(i, j), range(j).first), range(j).second);

  const auto values = [&](const auto& model) {
    return model.predict(device, task.x.view()).values;
  };
  EXPECT_EQ(values(RowModel{{network(task, true).network}}),
            values(RowModel{{network(task, false).network}}));
  EXPECT_EQ(values(ridge(task, true).model), values(ridge(task, false).model));
}

TEST_P(Clip, KeepsKernelRidgeRegressionAtTheEdgeOfItsRows) {
  const Task task, most = task.with(1 + 1e-6), huge = task.with(2);

  const KernelRidge model = ridge(huge, true).model;

  EXPECT_EQ(model.length_scale, ridge(most, true).model.length_scale);
  EXPECT_EQ(model.ridge, ridge(most, true).model.ridge);
  EXPECT_EQ(model.predict(device, huge.x.view()).values,
            model.predict(device, most.x.view()).values);
  // Without it these rows are far from every centre, where the mean of the target is all that is
  // left.
  const KernelRidge open = ridge(huge, false).model;
  const auto predicted = open.predict(device, huge.x.view());
  for (const std::int64_t i : task.parts.test)
    EXPECT_EQ(predicted.at(i, 0), open.targets.mean[0]) << i;
}

TEST_P(Clip, BoundsOfAModelThatMakeNoSenseAreRefused) {
  const RowNetwork good = network(Task(), true).network;
  const auto says = [&](auto change) {
    RowModel model{{good}};
    change(model.members[0].inputs);
    return test::refusal(Errc::invalid_argument, [&] { model.check(); });
  };

  EXPECT_NO_THROW(RowModel{{good}}.check());
  test::expect_in(says([](RowScaler& s) { s.low.pop_back(); }),
                  "network 0 has 2 lower and 3 upper bounds");
  test::expect_in(says([](RowScaler& s) { s.high.clear(); }),
                  "network 0 has 3 lower and 0 upper bounds");
  test::expect_in(says([](RowScaler& s) { std::swap(s.low, s.high); }), "3 of each in order");
}

}  // namespace
}  // namespace kronite::learn
