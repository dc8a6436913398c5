// Losses of training on every device against their definitions, and gradients against finite
// differences.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "cases/training_cases.hpp"
#include "device/backend.hpp"  // for training
#include "support/near.hpp"
#include "support/on_each_device.hpp"
#include "support/oracle.hpp"
#include "support/slope.hpp"

namespace kronite::test {
namespace {

class TrainingLosses : public OnEachDevice {};
KRONITE_ON_EACH_DEVICE(TrainingLosses);

using oracle::Matrix;

// --- the loss -----------------------------------------------------------------------------------

TEST_P(TrainingLosses, CrossEntropyIsMinusTheLogarithmOfTheSoftmax) {
  in_network_precisions(device, [&](auto zero) {
    using T = decltype(zero);
    for (const std::int64_t rows : {1, 255, 256, 257, 1024}) {
      SCOPED_TRACE(rows);
      const auto z = random_matrix<T>(1, rows, 2, rows % 2, 4.0);
      const HostMatrix<T> bias = random_matrix<T>(2, 1, 2);
      std::vector<std::uint8_t> alike;
      for (const std::int32_t i : random_indices(3, rows, 2))
        alike.push_back(static_cast<std::uint8_t>(i));
      DeviceMatrix<T> logits(device, z), db(device, bias), loss(device, HostMatrix<T>(rows, 1));
      DeviceMatrix<T> gradient(device, HostMatrix<T>(rows, 2, 3));
      const Array<std::uint8_t> classes(device, alike, rows, 1);

      training<T>(device).cross_entropy(db.vector(), classes.vector(), logits.view(), loss.vector(),
                                        gradient.view());

      const auto shifted = Matrix(rows, 2).fill([&](std::int64_t n, std::int64_t k) {
        return z.at(n, k) + static_cast<double>(bias.at(0, k));
      });
      const auto softmax = [&](std::int64_t n, std::int64_t k) {
        return std::exp(shifted.at(n, k)) /
               (std::exp(shifted.at(n, 0)) + std::exp(shifted.at(n, 1)));
      };
      const auto class_of = [&](std::int64_t n) { return alike[static_cast<std::size_t>(n)]; };
      const auto expected_loss = Matrix(rows, 1).fill(
          [&](std::int64_t n, std::int64_t) { return -std::log(softmax(n, class_of(n))); });
      const auto expected_gradient = Matrix(rows, 2).fill([&](std::int64_t n, std::int64_t k) {
        return (softmax(n, k) - (k == class_of(n) ? 1 : 0)) / static_cast<double>(rows);
      });
      // Logits of size 4 are rounded once, their difference once more.
      EXPECT_TRUE(near(logits.to_host(), shifted, {4 * kEpsilon<T>}));
      EXPECT_TRUE(near(loss.to_host(), expected_loss, {16 * kEpsilon<T>, 4 * kEpsilon<T>}));
      EXPECT_TRUE(near(gradient.to_host(), expected_gradient,
                       {16 * kEpsilon<T> / static_cast<double>(rows)}));
    }
  });
}

TEST_P(TrainingLosses, CrossEntropyOfExtremeLogitsIsFinite) {
  HostMatrix<float> z(4, 2), bias(1, 2);
  z.values = {-500, 500, 500, -500, 3e38F, 0, 7, 7};
  bias.values = {0, 0};
  DeviceMatrix<float> logits(device, z), db(device, bias), loss(device, HostMatrix<float>(4, 1));
  DeviceMatrix<float> gradient(device, HostMatrix<float>(4, 2));
  const Array<std::uint8_t> alike(device, {1, 1, 1, 0}, 4, 1);

  training<float>(device).cross_entropy(db.vector(), alike.vector(), logits.view(), loss.vector(),
                                        gradient.view());

  Matrix expected_loss(4, 1), expected_gradient(4, 2);
  expected_loss.values = {0, 1000, 3e38, std::log(2.0)};
  expected_gradient.values = {0, 0, 0.25, -0.25, 0.25, -0.25, -0.125, 0.125};
  EXPECT_TRUE(near(loss.to_host(), expected_loss, {0, 2 * kEpsilon<float>}));
  EXPECT_TRUE(near(gradient.to_host(), expected_gradient, {0, 2 * kEpsilon<float>}));
}

// --- losses of rows -----------------------------------------------------------------------------

TEST_P(TrainingLosses, ClassLossIsTheWeightedCrossEntropyOfTheSoftmax) {
  in_network_precisions(device, [&](auto zero) {
    using T = decltype(zero);
    for (const RowLossCase& c : row_loss_cases())
      for (const bool weighted : {false, true}) {
        SCOPED_TRACE(c.name);
        const RowLossInputs<T> in(c);
        DeviceRowLoss<T> on(device, in);

        on.classify(device, weighted);

        Matrix loss(c.rows, 1), gradient(c.rows, c.outputs), shifted(c.rows, c.outputs);
        for (std::int64_t n = 0; n < c.rows; ++n) {
          const std::int32_t of_class = in.classes[static_cast<std::size_t>(n)];
          const double weight = weighted ? static_cast<double>(in.weight.at(0, of_class)) : 1.0;
          double sum = 0;
          for (std::int64_t u = 0; u < c.outputs; ++u) sum += std::exp(in.shifted(n, u));
          loss.at(n, 0) = weight * (std::log(sum) - in.shifted(n, of_class));
          for (std::int64_t u = 0; u < c.outputs; ++u) {
            shifted.at(n, u) = in.shifted(n, u);
            gradient.at(n, u) = RowLossInputs<T>::kShare * weight *
                                (std::exp(in.shifted(n, u)) / sum - (u == of_class ? 1 : 0));
          }
        }
        // Logits of size four, rounded, in exponentials; weights up to 2.5.
        EXPECT_TRUE(near(on.outputs.to_host(), shifted, {4 * kEpsilon<T>}));
        EXPECT_TRUE(near(on.loss.to_host(), loss, {40 * kEpsilon<T>, 4 * kEpsilon<T>}));
        EXPECT_TRUE(near(on.gradient.to_host(), gradient, {8 * kEpsilon<T>}));
      }
  });
}

TEST_P(TrainingLosses, ClassLossOfExtremeLogitsIsFinite) {
  const RowLossCase c{"", 3, 3};
  RowLossInputs<float> in(c);
  in.outputs.values = {-500, 500, 0, 3e38F, 0, -3e38F, 7, 7, 7};
  in.bias.values = {0, 0, 0};
  in.classes = {0, 0, 2};
  DeviceRowLoss<float> on(device, in);

  on.classify(device, false);

  Matrix loss(3, 1), gradient(3, 3);
  loss.values = {1000, 0, std::log(3.0)};
  gradient.values = {-1, 1, 0, 0, 0, 0, 1.0 / 3, 1.0 / 3, -2.0 / 3};
  for (double& g : gradient.values) g *= RowLossInputs<float>::kShare;
  EXPECT_TRUE(near(on.loss.to_host(), loss, {0, 2 * kEpsilon<float>}));
  EXPECT_TRUE(near(on.gradient.to_host(), gradient, {0, 4 * kEpsilon<float>}));
}

TEST_P(TrainingLosses, ClassLossWithoutWeightsOnTwoClassesIsTheCrossEntropy) {
  const RowLossCase c{"", 300, 2};
  const RowLossInputs<float> in(c);
  DeviceRowLoss<float> on(device, in), pairs(device, in);
  const Array<std::uint8_t> alike(
      device, std::vector<std::uint8_t>(in.classes.begin(), in.classes.end()), c.rows, 1);

  on.classify(device, false);
  training<float>(device).cross_entropy(pairs.bias.vector(), alike.vector(), pairs.outputs.view(),
                                        pairs.loss.vector(), pairs.gradient.view());

  auto gradient = oracle::to_double(pairs.gradient.to_host());  // of the mean over the rows
  for (double& g : gradient.values) g *= 300 * RowLossInputs<float>::kShare;
  EXPECT_TRUE(near(on.loss.to_host(), oracle::to_double(pairs.loss.to_host()),
                   {4 * kEpsilon<float>, 4 * kEpsilon<float>}));
  EXPECT_TRUE(near(on.gradient.to_host(), gradient, {4 * kEpsilon<float>}));
}

/// What an error costs, and the slope (device/ops.hpp).
std::pair<double, double> cost(const ValueLoss& how, double error) {
  const double size = std::abs(error), sign = error < 0 ? -1 : error > 0 ? 1 : 0;
  switch (how.kind) {
    case ValueLossKind::squared:
      return {error * error, 2 * error};
    case ValueLossKind::absolute:
      return {size, sign};
    case ValueLossKind::huber:
      if (size <= how.knee) return {error * error / 2, error};
      return {how.knee * (size - how.knee / 2), how.knee * sign};
  }
  return {NAN, NAN};
}

std::vector<ValueLoss> value_losses() {
  return {{ValueLossKind::squared, 1},
          {ValueLossKind::absolute, 1},
          {ValueLossKind::huber, 1},
          {ValueLossKind::huber, 2.5}};
}

TEST_P(TrainingLosses, ValueLossIsTheMeanCostOfTheErrors) {
  in_network_precisions(device, [&](auto zero) {
    using T = decltype(zero);
    for (const RowLossCase& c : row_loss_cases())
      for (const ValueLoss& how : value_losses()) {
        SCOPED_TRACE(c.name);
        const RowLossInputs<T> in(c);
        DeviceRowLoss<T> on(device, in);

        on.regress(device, how);

        Matrix loss(c.rows, 1), gradient(c.rows, c.outputs), shifted(c.rows, c.outputs);
        for (std::int64_t n = 0; n < c.rows; ++n) {
          loss.at(n, 0) = 0;
          for (std::int64_t u = 0; u < c.outputs; ++u) {
            const auto [of, slope] = cost(how, in.shifted(n, u) - in.target.at(n, u));
            shifted.at(n, u) = in.shifted(n, u);
            loss.at(n, 0) += of / static_cast<double>(c.outputs);
            gradient.at(n, u) = RowLossInputs<T>::kShare * slope / static_cast<double>(c.outputs);
          }
        }
        // Values of size four, rounded, squared; sums of up to 70.
        EXPECT_TRUE(near(on.outputs.to_host(), shifted, {4 * kEpsilon<T>}));
        EXPECT_TRUE(near(on.loss.to_host(), loss, {40 * kEpsilon<T>, 16 * kEpsilon<T>}));
        EXPECT_TRUE(near(on.gradient.to_host(), gradient, {4 * kEpsilon<T>, 4 * kEpsilon<T>}));
      }
  });
}

TEST_P(TrainingLosses, ValueLossOfNoErrorIsZeroAndOfNanNan) {
  const RowLossCase c{"", 2, 1};
  for (const ValueLoss& how : value_losses()) {
    RowLossInputs<float> in(c);
    in.outputs.values = {2, std::numeric_limits<float>::quiet_NaN()};
    in.bias.values = {1};
    in.target.values = {3, 3};
    DeviceRowLoss<float> on(device, in);

    on.regress(device, how);

    EXPECT_EQ(on.loss.to_host().at(0, 0), 0.0F);
    EXPECT_EQ(on.gradient.to_host().at(0, 0), 0.0F);
    EXPECT_TRUE(std::isnan(on.loss.to_host().at(1, 0)));
    EXPECT_TRUE(std::isnan(on.gradient.to_host().at(1, 0)));
  }
}

// --- lists --------------------------------------------------------------------------------------

TEST_P(TrainingLosses, ListLossIsThatOfASoftmaxOverCandidatesAndNone) {
  in_network_precisions(device, [&](auto zero) {
    using T = decltype(zero);
    for (const ListCase& c : list_cases()) {
      SCOPED_TRACE(c.name);
      const ListInputs<T> in(c);
      DeviceList<T> on(device, in);

      on.run(device);

      Matrix loss(c.rows, 1), gradient(c.rows, c.candidates), none_gradient(c.rows, 1);
      for (std::int64_t i = 0; i < c.rows; ++i) {
        const auto none = static_cast<double>(in.none.at(0, i));
        const auto logit = [&](std::int64_t j) {
          return (c.bias ? static_cast<double>(in.bias.at(0, j)) : 0.0) -
                 static_cast<double>(in.distances.at(i, j));
        };
        double all = std::exp(none), alike = 0;
        for (std::int64_t j = 0; j < c.candidates; ++j) {
          if (in.relation_of(i, j) == Relation::left_out) continue;
          all += std::exp(logit(j));
          if (in.relation_of(i, j) == Relation::alike) alike += std::exp(logit(j));
        }
        const bool any = alike > 0;
        loss.at(i, 0) = -std::log((any ? alike : std::exp(none)) / all);
        none_gradient.at(i, 0) = ListInputs<T>::kShare * (std::exp(none) / all - (any ? 0 : 1));
        for (std::int64_t j = 0; j < c.candidates; ++j) {
          const Relation relation = in.relation_of(i, j);
          const double p = std::exp(logit(j));
          gradient.at(i, j) = relation == Relation::left_out
                                  ? 0
                                  : ListInputs<T>::kShare *
                                        (p / all - (relation == Relation::alike ? p / alike : 0));
        }
      }
      // Logits of size ten, rounded, in an exponential.
      EXPECT_TRUE(near(on.loss.to_host(), loss, {40 * kEpsilon<T>, 4 * kEpsilon<T>}));
      EXPECT_TRUE(near(on.distances.to_host(), gradient, {20 * kEpsilon<T>}));
      EXPECT_TRUE(near(on.none_gradient.to_host(), none_gradient, {20 * kEpsilon<T>}));
    }
  });
}

TEST_P(TrainingLosses, ListLossOfFarCandidatesIsFinite) {
  const ListCase c{"", 1, 3, false};
  ListInputs<float> in(c);
  in.distances.values = {1e6F, 2e6F, 3e6F};
  in.none.values = {-5e6F};
  in.relation = {0, 1, 0};
  DeviceList<float> on(device, in);

  on.run(device);

  Matrix gradient(1, 3);
  gradient.values = {1, -1, 0};
  for (double& g : gradient.values) g *= ListInputs<float>::kShare;
  EXPECT_FLOAT_EQ(on.loss.to_host().at(0, 0), 1e6F);
  EXPECT_TRUE(near(on.distances.to_host(), gradient, {0, 2 * kEpsilon<float>}));
}

TEST_P(TrainingLosses, NanComesOutOfTheLossOfAList) {
  const ListCase c{"", 2, 3};
  ListInputs<float> in(c);
  in.distances.at(1, 2) = std::numeric_limits<float>::quiet_NaN();
  in.relation.assign(6, 0);
  DeviceList<float> on(device, in);

  on.run(device);

  EXPECT_FALSE(std::isnan(on.loss.to_host().at(0, 0)));
  EXPECT_TRUE(std::isnan(on.loss.to_host().at(1, 0)));
}

// --- finite differences -------------------------------------------------------------------------

TEST(LossGradients, OfTheCrossEntropyAreSlopesOfTheMeanLoss) {
  Device device = Device::cpu();
  constexpr std::int64_t rows = 6;
  auto z = random_matrix<double>(1, rows, 2, 0, 3.0);
  DeviceMatrix<double> bias(device, random_matrix<double>(2, 1, 2));
  const Array<std::uint8_t> alike(device, {1, 0, 0, 1, 1, 0}, rows, 1);
  DeviceMatrix<double> gradient(device, z);
  const auto mean_loss = [&] {
    DeviceMatrix<double> logits(device, z), loss(device, HostMatrix<double>(rows, 1));
    training<double>(device).cross_entropy(bias.vector(), alike.vector(), logits.view(),
                                           loss.vector(), gradient.view());
    double sum = 0;
    for (const double l : loss.to_host().values) sum += l;
    return sum / rows;
  };

  mean_loss();
  const auto analytic = gradient.to_host();

  Matrix slopes(rows, 2);
  for (std::size_t i = 0; i < z.values.size(); ++i)
    slopes.values[i] = slope(z.values[i], mean_loss);
  EXPECT_TRUE(near(analytic, slopes, kSlopeTolerance));
}

TEST(LossGradients, OfTheLossesOfRowsAreSlopesOfTheirShare) {
  Device device = Device::cpu();
  RowLossInputs<double> in({"", 6, 4});
  const auto check = [&](const std::function<void(DeviceRowLoss<double>&)>& run) {
    const auto share_of_loss = [&] {
      DeviceRowLoss<double> on(device, in);
      run(on);
      double sum = 0;
      for (const double l : on.loss.to_host().values) sum += l;
      return RowLossInputs<double>::kShare * sum;
    };
    DeviceRowLoss<double> on(device, in);
    run(on);
    Matrix slopes(6, 4);
    for (std::size_t i = 0; i < in.outputs.values.size(); ++i)
      slopes.values[i] = slope(in.outputs.values[i], share_of_loss);
    EXPECT_TRUE(near(on.gradient.to_host(), slopes, kSlopeTolerance));
  };

  for (const bool weighted : {false, true})
    check([&](DeviceRowLoss<double>& on) { on.classify(device, weighted); });
  // No error is within 1e-5 of 0 or of a knee, where the slope jumps or bends.
  for (const ValueLoss& how : value_losses())
    check([&](DeviceRowLoss<double>& on) { on.regress(device, how); });
}

}  // namespace
}  // namespace kronite::test
