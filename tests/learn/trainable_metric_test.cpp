// Gradients of a metric against finite differences in double precision, its loss against plain
// loops, and the embedding that predicts against the one that is trained.
#include "learn/trainable_metric.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "kronite/error.hpp"
#include "support/matrix.hpp"
#include "support/random.hpp"

namespace kronite::learn {
namespace {

using test::random_value;

constexpr std::int64_t kTraits = 5;

/// Rows of twelve values. A matrix on the first four, a network on all, a network of three layers
/// that reads three pairs of values; a shift by the five traits.
MetricShape mixed_shape(double dropout = 0) {
  MetricShape shape;
  shape.embedding.inputs = shape.none_of.inputs = 12;
  shape.shift.inputs = shape.bias.inputs = kTraits;
  shape.embedding.branches = {{{0}, 4, {}, 3}, {{0}, 12, {7}, 2}, {{4, 6, 10}, 2, {5, 4}, 2}};
  shape.shift.branches = {{{0}, kTraits, {6}, 3 + 2 + 3 * 2}};
  for (EmbeddingShape* part : {&shape.embedding, &shape.shift, &shape.bias, &shape.none_of})
    part->dropout = dropout;
  return shape;
}

/// Every part, and vectors of length two for two slots of three kinds: of the first slot in two
/// places, which three of the branches read.
MetricShape full_shape() {
  MetricShape shape = mixed_shape(0.2);
  shape.embedding.branches.push_back({{7}, 4, {3}, 2, false});
  shape.embedding.vectors = {3, 2, 2, {{0, 2}, {1, 4}, {0, 8}}};
  shape.shift.branches.front().outputs += 2;
  shape.bias.branches = {{{1}, 3, {4}, 1}};
  shape.none_of.branches = {{{0}, 2, {4}, 1}};
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
  explicit Batch(const MetricShape& shape)
      : layout(shape),
        x(test::random_matrix<double>(1, kRows, shape.embedding.training_inputs(), 3)),
        metric_(device_, layout, room()) {
    for (std::int64_t i = 0; i < layout.size; ++i)
      parameter(i) = 0.6 * random_value(2, static_cast<std::uint64_t>(i));
    const VectorShape& vectors = shape.embedding.vectors;
    for (std::int64_t n = 0; n < kRows; ++n)
      for (std::int64_t slot = 0; slot < vectors.slots; ++slot)
        for (std::int64_t kind = 0; kind < vectors.kinds; ++kind)
          x.at(n, 12 + slot * vectors.kinds + kind) = kind == kind_of(n, slot) ? 1 : 0;
  }

  /// 3: none.
  static std::int64_t kind_of(std::int64_t row, std::int64_t slot) { return (row + 2 * slot) % 4; }

  double mean_loss() {
    metric_.forward(rows(), own(), kBlocks, {kRelation.data(), std::ssize(kRelation)}, {77, 3, 0},
                    {losses.data(), kQueries});
    double sum = 0;
    for (const double loss : losses) sum += loss;
    return sum / kQueries;
  }
  std::vector<double> gradient() {
    mean_loss();
    metric_.backward(rows(), own());
    const auto g = metric_.gradient();
    return {g.data, g.data + g.size};
  }
  double& parameter(std::int64_t i) { return metric_.parameters().data[i]; }

  const MetricLayout layout;
  test::HostMatrix<double> x;
  test::HostMatrix<double> traits = test::random_matrix<double>(4, kRows, kTraits, 1);
  std::vector<double> losses = std::vector<double>(kQueries);

 private:
  static ListRoom room() {
    ListRoom room;
    room.include(kBlocks);
    return room;
  }
  MatrixView<double> rows() { return {x.values.data(), x.rows, x.cols, x.ld, Place{}}; }
  MatrixView<double> own() {
    return {traits.values.data(), traits.rows, traits.cols, traits.ld, Place{}};
  }

  Device device_ = Device::cpu();
  TrainableMetric<double> metric_;
};

TEST(TrainableMetric, GradientIsTheSlopeOfTheLoss) {
  MetricShape plain = mixed_shape();
  plain.shift.branches.clear();
  const std::vector<std::pair<const char*, MetricShape>> shapes{
      {"an embedding alone", plain},
      {"with a shift", mixed_shape()},
      {"with a shift and dropout", mixed_shape(0.3)},
      {"with all parts", full_shape()}};
  for (const auto& [name, shape] : shapes) {
    SCOPED_TRACE(name);
    Batch batch(shape);

    const auto gradient = batch.gradient();

    ASSERT_EQ(std::ssize(gradient), batch.layout.size);
    for (std::int64_t i = 0; i < batch.layout.size; ++i) {
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

/// Rounds the parameters to what float holds.
MetricNetwork network_of(Batch& batch) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < batch.layout.size; ++i) {
    values.push_back(static_cast<float>(batch.parameter(i)));
    batch.parameter(i) = static_cast<double>(values.back());
  }
  return network_of(batch.layout, values);
}

/// A row with its learned vectors.
std::vector<double> filled(const LearnedVectors& vectors, const Batch& batch, std::int64_t row) {
  const double* values = batch.x.view().row(row);
  std::vector<double> x(values, values + 12);
  for (const auto& [slot, column] : vectors.places)
    for (std::int64_t k = 0; k < vectors.width; ++k) {
      const std::int64_t kind = Batch::kind_of(row, slot);
      x[static_cast<std::size_t>(column + k)] =
          kind < 3 ? static_cast<double>(
                         vectors.table[static_cast<std::size_t>(kind * vectors.width + k)])
                   : 0;
    }
  return x;
}

TEST(TrainableMetric, LossIsMinusTheLogarithmOfWhatFallsOnAlikeCandidatesOrNone) {
  MetricShape shape = full_shape();
  for (EmbeddingShape* part : {&shape.embedding, &shape.shift, &shape.bias, &shape.none_of})
    part->dropout = 0;
  Batch batch(shape);
  const MetricNetwork network = network_of(batch);
  const LearnedVectors& vectors = network.embedding.vectors;

  batch.mean_loss();

  std::int64_t query = 0;
  for (const ListBlock& block : kBlocks)
    for (std::int64_t i = 0; i < block.queries; ++i, ++query) {
      const auto q_row = filled(vectors, batch, block.first + i);
      const auto q = point(network.embedding, q_row.data());
      const double none = std::exp(network.none + point(network.none_of, q_row.data()).front());
      double all = none, alike = 0;
      for (std::int64_t j = 0; j < block.candidates; ++j) {
        const double* traits = batch.traits.view().row(block.first + j);
        const auto t_row = filled(vectors, batch, block.first + j);
        const auto t = point(network.embedding, t_row.data()), shift = point(network.shift, traits);
        double logit = point(network.bias, traits).front();
        for (std::size_t k = 0; k < q.size(); ++k) logit -= std::pow(q[k] - t[k] - shift[k], 2);
        const auto relation = static_cast<Relation>(
            kRelation[static_cast<std::size_t>(block.relation + i * block.candidates + j)]);
        if (relation == Relation::left_out) continue;
        all += std::exp(logit);
        if (relation == Relation::alike) alike += std::exp(logit);
      }
      // Sums of a dozen doubles.
      EXPECT_NEAR(batch.losses[static_cast<std::size_t>(query)],
                  -std::log((alike > 0 ? alike : none) / all), 1e-12)
          << query;
    }
}

TEST(Embedding, OnADeviceIsThatOfItsLayers) {
  Batch batch(mixed_shape());
  const EmbeddingNetwork network = network_of(batch).embedding;
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
    EmbeddingNetwork network = network_of(batch).embedding;
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
  EXPECT_EQ(refusal([](EmbeddingNetwork& n) {
              n.vectors = {2, {1, 2, 3, 4}, {{0, 11}}};
            }),
            "a learned vector of the embedding stands in column 11 of slot 0, of 12 columns");
  EXPECT_EQ(refusal([](EmbeddingNetwork& n) { n.branches[1].network.layers[1].inputs = 6; }),
            "layer 1 of branch 1 of the embedding takes 6 inputs where 7 come");
}

TEST(EmbeddingLayout, RefusesShapesThatMakeNoSense) {
  const auto refusal = [](auto change) {
    EmbeddingShape shape = mixed_shape().embedding;
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
  EXPECT_EQ(refusal([](EmbeddingShape& s) {
              s.vectors = {3, 2, 1, {{0, 3}}};
            }),
            "branch 1 of the embedding reads a part of a learned vector");
  EXPECT_EQ(refusal([](EmbeddingShape& s) { s.branches[1].hidden = {0}; }),
            "branch 2 of the embedding has a layer of 0 units, expected 1 to 65536");
}

TEST(EmbeddingLayout, FirstDistancesAreOfTheStatedSize) {
  EmbeddingShape shape;
  shape.inputs = 50;
  shape.first_distance = 30;
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
  EXPECT_NEAR(sum / kPairs, 30, 3);
}

}  // namespace
}  // namespace kronite::learn
