// Gradients of a metric against finite differences in double precision, its loss against plain
// loops, and the embedding that predicts against the one that is trained.
#include "learn/trainable_metric.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kronite/error.hpp"
#include "support/matrix.hpp"
#include "support/random.hpp"

namespace kronite::learn {
namespace {

using test::random_value;

/// Rows of twelve values: a matrix on the first four, a network on all, a network of three layers
/// that reads three pairs of values.
EmbeddingShape mixed_shape(double dropout = 0) {
  EmbeddingShape shape;
  shape.inputs = 12;
  shape.branches = {{{0}, 4, {}, 3}, {{0}, 12, {7}, 2}, {{4, 6, 9}, 2, {5, 4}, 2}};
  shape.dropout = dropout;
  return shape;
}

/// Two lists: three queries of five candidates, and two of two.
const std::vector<ListBlock> kBlocks{{0, 3, 5, 0}, {5, 2, 2, 15}};
constexpr std::int64_t kRows = 7, kQueries = 5;
/// Of the first list: each leaves itself out, the first has two alike, the second none, the third
/// leaves another one out too. Of the second: the other one is alike for one of them.
const std::vector<std::uint8_t> kRelation{2, 1, 0, 1, 0, 0, 2, 0, 0, 0, 1, 0, 2, 0, 2, 2, 1, 0, 2};

/// A metric on the CPU in double precision with one batch.
class Batch {
 public:
  explicit Batch(const EmbeddingShape& shape) : layout(shape), metric_(device_, layout, room()) {
    for (std::int64_t i = 0; i <= layout.size; ++i)
      parameter(i) = 0.7 * random_value(2, static_cast<std::uint64_t>(i));
  }

  double mean_loss() {
    metric_.forward(x.view(), kBlocks, {kRelation.data(), std::ssize(kRelation)}, {77, 3, 0},
                    {losses.data(), kQueries});
    double sum = 0;
    for (const double loss : losses) sum += loss;
    return sum / kQueries;
  }
  std::vector<double> gradient() {
    mean_loss();
    metric_.backward(x.view());
    const auto g = metric_.gradient();
    return {g.data, g.data + g.size};
  }
  double& parameter(std::int64_t i) { return metric_.parameters().data[i]; }

  const EmbeddingLayout layout;
  const test::HostMatrix<double> x = test::random_matrix<double>(1, kRows, 12, 3);
  std::vector<double> losses = std::vector<double>(kQueries);

 private:
  static ListRoom room() {
    ListRoom room;
    room.include(kBlocks);
    return room;
  }

  Device device_ = Device::cpu();
  TrainableMetric<double> metric_;
};

TEST(TrainableMetric, GradientIsTheSlopeOfTheLoss) {
  for (const double dropout : {0.0, 0.3}) {
    SCOPED_TRACE(dropout);
    Batch batch(mixed_shape(dropout));

    const auto gradient = batch.gradient();

    ASSERT_EQ(std::ssize(gradient), batch.layout.size + 1);
    for (std::int64_t i = 0; i <= batch.layout.size; ++i) {
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

/// What network_of() gives, in plain loops.
std::vector<double> point(const EmbeddingNetwork& network, const double* row) {
  std::vector<double> outputs;
  for (const EmbeddingBranch& branch : network.branches)
    for (const std::int64_t column : branch.columns) {
      std::vector<double> x(row + column, row + column + branch.network.layers.front().inputs);
      for (const DenseLayer& layer : branch.network.layers) {
        std::vector<double> y;
        for (std::int64_t u = 0; u < layer.units; ++u) {
          double sum = static_cast<double>(layer.bias[static_cast<std::size_t>(u)]);
          for (std::int64_t k = 0; k < layer.inputs; ++k)
            sum +=
                static_cast<double>(layer.weight[static_cast<std::size_t>(u * layer.inputs + k)]) *
                x[static_cast<std::size_t>(k)];
          y.push_back(layer.activation == Activation::relu ? std::max(0.0, sum) : sum);
        }
        x = y;
      }
      outputs.insert(outputs.end(), x.begin(), x.end());
    }
  return outputs;
}

std::vector<float> values_of(Batch& batch) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < batch.layout.size; ++i) {
    values.push_back(static_cast<float>(batch.parameter(i)));
    batch.parameter(i) = static_cast<double>(values.back());
  }
  return values;
}

TEST(TrainableMetric, LossIsMinusTheLogarithmOfWhatFallsOnAlikeCandidatesOrNone) {
  Batch batch(mixed_shape());
  const EmbeddingNetwork network = network_of(batch.layout, values_of(batch));
  const double none = batch.parameter(batch.layout.size);

  batch.mean_loss();

  std::int64_t query = 0;
  for (const ListBlock& block : kBlocks)
    for (std::int64_t i = 0; i < block.queries; ++i, ++query) {
      const auto q = point(network, batch.x.view().row(block.first + i));
      double all = std::exp(none), alike = 0;
      for (std::int64_t j = 0; j < block.candidates; ++j) {
        const auto t = point(network, batch.x.view().row(block.first + j));
        double squared = 0;
        for (std::size_t k = 0; k < q.size(); ++k) squared += (q[k] - t[k]) * (q[k] - t[k]);
        const auto relation = static_cast<Relation>(
            kRelation[static_cast<std::size_t>(block.relation + i * block.candidates + j)]);
        if (relation == Relation::left_out) continue;
        all += std::exp(-squared);
        if (relation == Relation::alike) alike += std::exp(-squared);
      }
      // Weights that float holds, and sums of a dozen doubles.
      EXPECT_NEAR(batch.losses[static_cast<std::size_t>(query)],
                  -std::log((alike > 0 ? alike : std::exp(none)) / all), 1e-12)
          << query;
    }
}

TEST(Embedding, OnADeviceIsThatOfItsLayers) {
  Batch batch(mixed_shape());
  const EmbeddingNetwork network = network_of(batch.layout, values_of(batch));
  Device device = Device::cpu();
  const DeviceEmbedding embedding(device, network, 12);
  const test::HostMatrix<float> rows = test::random_matrix<float>(3, 5000, 12, 1);  // two tiles
  test::HostMatrix<float> points(5000, network.width(), 2);

  embedding.embed(device, rows.view(),
                  {points.values.data(), points.rows, points.cols, points.ld, Place{}});

  EXPECT_EQ(network.width(), 3 + 2 + 3 * 2);
  EXPECT_TRUE(points.padding_is_untouched());
  for (const std::int64_t i : {0, 4095, 4096, 4999}) {
    std::vector<double> row;
    for (std::int64_t k = 0; k < 12; ++k) row.push_back(static_cast<double>(rows.at(i, k)));
    const auto expected = point(network, row.data());
    for (std::int64_t k = 0; k < points.cols; ++k)  // sums of a dozen floats of size one
      EXPECT_NEAR(static_cast<double>(points.at(i, k)), expected[static_cast<std::size_t>(k)],
                  5e-6);
  }
}

TEST(Embedding, RefusesWhatDoesNotFit) {
  const auto refusal = [](auto change) {
    Batch batch(mixed_shape());
    EmbeddingNetwork network = network_of(batch.layout, values_of(batch));
    change(network);
    try {
      network.check(12);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("nothing was refused");
  };

  EXPECT_EQ(refusal([](EmbeddingNetwork&) {}), "nothing was refused");
  EXPECT_EQ(refusal([](EmbeddingNetwork& n) { n.branches.clear(); }),
            "the embedding has no branches");
  EXPECT_EQ(refusal([](EmbeddingNetwork& n) { n.branches[2].columns[1] = 11; }),
            "branch 2 of the embedding reads 2 values from column 11 on, of 12");
  EXPECT_EQ(refusal([](EmbeddingNetwork& n) { n.branches[1].network.layers[1].inputs = 6; }),
            "layer 1 of branch 1 of the embedding takes 6 inputs where 7 come");
}

TEST(EmbeddingLayout, RefusesShapesThatMakeNoSense) {
  const auto refusal = [](auto change) {
    EmbeddingShape shape = mixed_shape();
    change(shape);
    try {
      const EmbeddingLayout layout(shape);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("nothing was refused");
  };

  EXPECT_EQ(refusal([](EmbeddingShape& s) { s.branches.clear(); }),
            "the embedding has no outputs: every part of it is 0 wide");
  EXPECT_EQ(refusal([](EmbeddingShape& s) { s.branches[0].columns = {9}; }),
            "branch 1 of the embedding reads 4 values from column 9 on, of 12");
  EXPECT_EQ(refusal([](EmbeddingShape& s) { s.branches[1].hidden = {0}; }),
            "branch 2 of the embedding has a layer of 0 units, expected 1 to 65536");
}

TEST(EmbeddingLayout, FirstDistancesAreOfTheStatedSize) {
  EmbeddingShape shape;
  shape.inputs = 50;
  shape.branches = {{{0}, 50, {}, 40}, {{0, 25}, 25, {}, 20}};
  const EmbeddingLayout layout(shape);
  const EmbeddingNetwork network = network_of(layout, initial_parameters(layout, 5));

  double sum = 0;
  constexpr int kPairs = 200;
  for (std::uint64_t n = 0; n < kPairs; ++n) {
    std::vector<double> a, b;  // variance one
    for (std::uint64_t k = 0; k < 50; ++k) {
      a.push_back(std::sqrt(3.0) * random_value(2 * n, k));
      b.push_back(std::sqrt(3.0) * random_value(2 * n + 1, k));
    }
    const auto p = point(network, a.data()), q = point(network, b.data());
    for (std::size_t k = 0; k < p.size(); ++k) sum += (p[k] - q[k]) * (p[k] - q[k]);
  }

  // Each distance spreads by about a fifth, and the weights are one draw of 3,000.
  EXPECT_NEAR(sum / kPairs, kFirstDistance, 0.1 * kFirstDistance);
}

}  // namespace
}  // namespace kronite::learn
