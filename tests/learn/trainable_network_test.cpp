// Gradients against finite differences in double precision, and the folding of batch normalisation.
#include "learn/trainable_network.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kronite/array.hpp"
#include "support/matrix.hpp"
#include "support/random.hpp"

namespace kronite::learn {
namespace {

using test::random_value;

struct ShapeCase {
  std::string name;
  NetworkShape shape;
  std::int64_t inputs, rows;
};

std::vector<ShapeCase> shape_cases() {
  return {{"no hidden layer", {{}, false, 0}, 5, 7},
          {"one hidden layer", {{6}, false, 0}, 4, 9},
          {"dropout", {{9, 5}, false, 0.3}, 4, 11},
          {"batch normalisation", {{7, 34}, true, 0}, 6, 13},
          {"three layers with both", {{8, 8, 8}, true, 0.25}, 10, 20}};
}

/// A network on the CPU in double precision with one batch.
class Batch {
 public:
  explicit Batch(const ShapeCase& c)
      : layout(c.shape, c.inputs),
        x_(test::random_matrix<double>(1, c.rows, c.inputs)),
        losses_(static_cast<std::size_t>(c.rows)),
        network_(device_, layout, c.rows) {
    for (std::int64_t n = 0; n < c.rows; ++n) alike_.push_back(n % 3 == 0);
    for (std::int64_t i = 0; i < layout.size; ++i)
      network_.parameters().data[i] =
          random_value(2, static_cast<std::uint64_t>(i)) + (i % 2 == 0 ? 0.1 : -0.1);
  }

  double mean_loss() {
    network_.forward(x_.view(), {alike_.data(), rows()}, {77, 3, 0}, {losses_.data(), rows()});
    double sum = 0;
    for (const double loss : losses_) sum += loss;
    return sum / static_cast<double>(losses_.size());
  }
  std::vector<double> gradient() {
    mean_loss();
    network_.backward(x_.view());
    const auto g = network_.gradient();
    return {g.data, g.data + g.size};
  }
  double& parameter(std::int64_t i) { return network_.parameters().data[i]; }

  const NetworkLayout layout;

 private:
  std::int64_t rows() const { return static_cast<std::int64_t>(losses_.size()); }

  static DeviceOptions one_thread() {
    DeviceOptions options;
    options.threads = 1;
    return options;
  }

  Device device_ = Device::cpu(one_thread());
  test::HostMatrix<double> x_;
  std::vector<std::uint8_t> alike_;
  std::vector<double> losses_;
  TrainableNetwork<double> network_;
};

TEST(TrainableNetwork, GradientIsTheSlopeOfTheLoss) {
  for (const ShapeCase& c : shape_cases()) {
    SCOPED_TRACE(c.name);
    Batch batch(c);

    const auto gradient = batch.gradient();

    for (std::int64_t i = 0; i < batch.layout.trained; ++i) {
      constexpr double h = 1e-5;
      double& parameter = batch.parameter(i);
      const double before = parameter;
      parameter = before + h;
      const double above = batch.mean_loss();
      parameter = before - h;
      const double below = batch.mean_loss();
      parameter = before;
      // h^2 times a third derivative of size ten, and rounding of losses of size one over h.
      EXPECT_NEAR(gradient[static_cast<std::size_t>(i)], (above - below) / (2 * h), 2e-8) << i;
    }
  }
}

/// The same for a loss of rows, with three outputs: `forward` runs a batch of x.
template <class Forward>
void expect_gradient_of(const ShapeCase& c, const Forward& forward) {
  constexpr std::int64_t kOutputs = 3;
  Device device = Device::cpu();
  const NetworkLayout layout(c.shape, c.inputs, kOutputs);
  const auto x = test::random_matrix<double>(1, c.rows, c.inputs);
  TrainableNetwork<double> network(device, layout, c.rows);
  std::vector<double> losses(static_cast<std::size_t>(c.rows));
  for (std::int64_t i = 0; i < layout.size; ++i)
    network.parameters().data[i] =
        random_value(2, static_cast<std::uint64_t>(i)) + (i % 2 == 0 ? 0.1 : -0.1);
  const auto mean_loss = [&] {
    forward(network, x.view(), VectorView<double>(losses.data(), c.rows));
    double sum = 0;
    for (const double loss : losses) sum += loss;
    return sum / static_cast<double>(c.rows);
  };

  mean_loss();
  network.backward(x.view());

  const std::vector<double> gradient(network.gradient().data,
                                     network.gradient().data + layout.trained);
  for (std::int64_t i = 0; i < layout.trained; ++i) {
    constexpr double h = 1e-5;
    double& parameter = network.parameters().data[i];
    const double before = parameter;
    parameter = before + h;
    const double above = mean_loss();
    parameter = before - h;
    const double below = mean_loss();
    parameter = before;
    // As above; errors of squares are of size four.
    EXPECT_NEAR(gradient[static_cast<std::size_t>(i)], (above - below) / (2 * h), 1e-7) << i;
  }
}

TEST(TrainableNetwork, GradientIsTheSlopeOfTheLossOfContinuousValues) {
  for (const ShapeCase& c : shape_cases())
    for (const ValueLossKind kind : {ValueLossKind::squared, ValueLossKind::huber}) {
      SCOPED_TRACE(c.name);
      const auto targets = test::random_matrix<double>(3, c.rows, 3);
      expect_gradient_of(c, [&](auto& network, auto x, auto losses) {
        network.forward(x, ValueTargets<double>{{kind, 0.7}, targets.view()}, {77, 3, 0}, losses);
      });
    }
}

TEST(TrainableNetwork, GradientIsTheSlopeOfTheLossOfClasses) {
  for (const ShapeCase& c : shape_cases())
    for (const bool weighted : {false, true}) {
      SCOPED_TRACE(c.name);
      const auto classes = test::random_indices(3, c.rows, 3);
      const std::vector<double> weights{0.5, 1, 3};
      expect_gradient_of(c, [&](auto& network, auto x, auto losses) {
        network.forward(
            x, ClassTargets<double>{{classes.data(), c.rows}, {weights.data(), weighted ? 3 : 0}},
            {77, 3, 0}, losses);
      });
    }
}

TEST(TrainableNetwork, CountsTheParametersOfThePublishedNetworks) {
  const NetworkLayout of_2022({{50, 50, 50}, false, 0.1}, 290);
  const NetworkLayout of_2024({{400, 400, 400}, true, 0.2}, 290);

  EXPECT_EQ(of_2022.trained, 19752);
  EXPECT_EQ(of_2022.size, 19752);
  // Weights, gamma and beta of three layers, the logits; then means and variances.
  EXPECT_EQ(of_2024.trained, 290 * 400 + 2 * 400 * 400 + 3 * 800 + 802);
  EXPECT_EQ(of_2024.size, of_2024.trained + 3 * 800);
}

TEST(TrainableNetwork, FirstWeightsAreBoundedAndDependOnTheSeed) {
  const NetworkLayout layout({{30}, true, 0}, 20);

  const auto one = initial_parameters(layout, 1), again = initial_parameters(layout, 1);
  const auto two = initial_parameters(layout, 2);

  EXPECT_EQ(one, again);
  EXPECT_NE(one, two);
  const LayerLayout& hidden = layout.layers.front();
  for (std::int64_t i = 0; i < 600; ++i)
    EXPECT_LE(std::abs(one[static_cast<std::size_t>(hidden.weight + i)]),
              std::sqrt(6.0 / 50) + 1e-6);
  EXPECT_EQ(one[static_cast<std::size_t>(hidden.gamma)], 1.0F);
  EXPECT_EQ(one[static_cast<std::size_t>(hidden.variance)], 1.0F);
  EXPECT_EQ(one[static_cast<std::size_t>(hidden.mean)], 0.0F);
}

TEST(TrainableNetwork, FoldingKeepsWhatTheNetworkPredicts) {
  const NetworkLayout layout({{3}, true, 0.5}, 2);
  std::vector<float> parameters;
  for (std::int64_t i = 0; i < layout.size; ++i)
    parameters.push_back(static_cast<float>(random_value(5, static_cast<std::uint64_t>(i))));
  const LayerLayout& hidden = layout.layers.front();
  for (std::int64_t u = 0; u < 3; ++u)
    parameters[static_cast<std::size_t>(hidden.variance + u)] = 0.5F + static_cast<float>(u);

  const Network network = folded(layout, parameters);

  const double x[2] = {0.7, -0.4};
  const auto at = [&](std::int64_t i) {
    return static_cast<double>(parameters[static_cast<std::size_t>(i)]);
  };
  ASSERT_EQ(network.layers.size(), 2U);
  const DenseLayer& first = network.layers.front();
  for (std::int64_t u = 0; u < 3; ++u) {
    const double z = at(hidden.weight + 2 * u) * x[0] + at(hidden.weight + 2 * u + 1) * x[1];
    const double normalised =
        (z - at(hidden.mean + u)) / std::sqrt(at(hidden.variance + u) + kNormalisationEpsilon);
    const double expected = at(hidden.gamma + u) * normalised + at(hidden.beta + u);
    const auto k = static_cast<std::size_t>(u);
    const double got = static_cast<double>(first.weight[2 * k]) * x[0] +
                       static_cast<double>(first.weight[2 * k + 1]) * x[1] +
                       static_cast<double>(first.bias[k]);
    EXPECT_NEAR(got, expected, 1e-6);  // weights of size one in single precision
  }
  EXPECT_EQ(first.activation, Activation::relu);
  EXPECT_EQ(network.layers.back().activation, Activation::none);
  EXPECT_EQ(network.layers.back().weight.front(),
            parameters[static_cast<std::size_t>(layout.layers.back().weight)]);
}

TEST(TrainableNetwork, RefusesShapesThatMakeNoSense) {
  EXPECT_THROW(NetworkLayout({{0}, true, 0}, 3), Error);
  EXPECT_THROW(NetworkLayout({{-4}, true, 0}, 3), Error);
  EXPECT_THROW(NetworkLayout({{4}, true, 1.0}, 3), Error);
  EXPECT_THROW(NetworkLayout({{4}, true, -0.1}, 3), Error);
  EXPECT_THROW(NetworkLayout({{4}, true, std::nan("")}, 3), Error);
  EXPECT_THROW(NetworkLayout({{4}, true, 0}, 0), Error);
  EXPECT_THROW(NetworkLayout({{4}, true, 0}, 3, 0), Error);
}

}  // namespace
}  // namespace kronite::learn
