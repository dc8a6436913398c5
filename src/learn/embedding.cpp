// Embedding networks as values, and on a device.
#include "kronite/embedding.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/fail.hpp"       // for fail
#include "device/backend.hpp"  // for network
#include "device/scratch.hpp"  // for Scratch
#include "learn/check_layer.hpp"

namespace kronite {
namespace {

/// Rows embedded at a time, so that what lies between the layers stays small.
constexpr std::int64_t kTile = 4096;

std::int64_t readings(const std::vector<std::int64_t>& columns) {
  return static_cast<std::int64_t>(columns.size());
}

}  // namespace

std::int64_t EmbeddingBranch::outputs() const {
  return network.layers.empty() ? 0 : readings(columns) * network.layers.back().units;
}

void LearnedVectors::fill(const std::int32_t* kinds, float* row) const {
  for (const Place& place : places)
    if (const std::int32_t kind = kinds[place.slot]; kind >= 0)
      std::copy_n(table.begin() + kind * width, width, row + place.column);
}

std::int64_t EmbeddingNetwork::width() const {
  std::int64_t sum = 0;
  for (const EmbeddingBranch& branch : branches) sum += branch.outputs();
  return sum;
}

std::int64_t EmbeddingNetwork::parameters() const {
  auto sum = static_cast<std::int64_t>(vectors.table.size());
  for (const EmbeddingBranch& branch : branches)
    for (const DenseLayer& layer : branch.network.layers)
      sum += static_cast<std::int64_t>(layer.weight.size() + layer.bias.size());
  return sum;
}

void EmbeddingNetwork::check(std::int64_t inputs) const {
  if (branches.empty()) fail(Errc::invalid_argument, "the embedding has no branches");
  for (std::size_t b = 0; b < branches.size(); ++b) {
    const EmbeddingBranch& branch = branches[b];
    const auto& layers = branch.network.layers;
    if (branch.columns.empty() || layers.empty())
      fail(Errc::invalid_argument, "branch {} of the embedding reads nothing or has no layers", b);
    for (std::size_t k = 0; k < layers.size(); ++k)
      check_layer(layers[k], k == 0 ? layers[k].inputs : layers[k - 1].units,
                  fmt::format("layer {} of branch {} of the embedding", k, b));
    for (const std::int64_t column : branch.columns)
      if (column < 0 || column > inputs - layers.front().inputs)
        fail(Errc::invalid_argument,
             "branch {} of the embedding reads {} values from column {} on, of {}", b,
             layers.front().inputs, column, inputs);
  }
  const bool whole =
      vectors.width >= 0 &&
      (vectors.width == 0 ? vectors.table.empty() && vectors.places.empty()
                          : vectors.table.size() % static_cast<std::size_t>(vectors.width) == 0);
  if (!whole || !std::all_of(vectors.table.begin(), vectors.table.end(),
                             [](float v) { return std::isfinite(v); }))
    fail(Errc::invalid_argument, "the learned vectors of the embedding are no table of numbers");
  for (const auto& [slot, column] : vectors.places)
    if (slot < 0 || column < 0 || column > inputs - vectors.width)
      fail(Errc::invalid_argument,
           "a learned vector of the embedding stands in column {} of slot {}, of {} columns",
           column, slot, inputs);
}

std::int64_t MetricNetwork::parameters() const {
  return embedding.parameters() + shift.parameters() + bias.parameters() + none_of.parameters() + 1;
}

void MetricNetwork::check(std::int64_t inputs, std::int64_t traits) const {
  embedding.check(inputs);
  if (!shift.empty()) shift.check(traits);
  if (!bias.empty()) bias.check(traits);
  if (!none_of.empty()) none_of.check(inputs);
  require(shift.empty() || shift.width() == embedding.width(),
          "the shift of candidates is not as wide as the embedding");
  require((bias.empty() || bias.width() == 1) && (none_of.empty() || none_of.width() == 1),
          "a bias of the metric is not one number");
  require(std::isfinite(none), "the logit of none is not finite");
}

DeviceEmbedding::DeviceEmbedding(Device& device, const EmbeddingNetwork& network,
                                 std::int64_t inputs)
    : inputs_(inputs), width_(network.width()) {
  network.check(inputs);
  const auto send = [&](const std::vector<float>& values, std::int64_t rows, std::int64_t cols) {
    return std::as_const(arrays_.emplace_back(device, values, rows, cols)).view();
  };
  for (const EmbeddingBranch& from : network.branches) {
    Branch& branch = branches_.emplace_back();
    branch.columns = from.columns;
    for (const DenseLayer& layer : from.network.layers) {
      const auto weight = send(layer.weight, layer.units, layer.inputs);
      const auto bias = send(layer.bias, 1, layer.units);
      branch.network.layers.push_back(
          {weight, {bias.data, layer.units, bias.place}, layer.activation});
    }
  }
}

void DeviceEmbedding::embed(Device& device, MatrixView<const float> rows,
                            MatrixView<float> points) const {
  if (rows.cols != inputs_ || points.cols != width_ || rows.rows != points.rows)
    fail(Errc::invalid_argument,
         "embed: {} x {} points of {} x {} values are asked for, expected {} of {}", points.rows,
         points.cols, rows.rows, rows.cols, width_, inputs_);
  std::int64_t widest = 1;
  for (const Branch& branch : branches_)
    for (const auto& layer : branch.network.layers) widest = std::max(widest, layer.weight.rows);
  Backend& backend = device.backend();
  const std::int64_t tile = std::min(kTile, rows.rows);
  const Scratch<float> ping(backend, tile, widest), pong(backend, tile, widest);
  for (std::int64_t begin = 0; begin < rows.rows; begin += tile) {
    const std::int64_t count = std::min(tile, rows.rows - begin);
    std::int64_t place = 0;
    for (const Branch& branch : branches_)
      for (const std::int64_t column : branch.columns) {
        const auto& layers = branch.network.layers;
        MatrixView<const float> x(rows.row(begin) + column, count, layers.front().weight.cols,
                                  rows.ld, rows.place);
        for (std::size_t k = 0; k < layers.size(); ++k) {
          const std::int64_t units = layers[k].weight.rows;
          const MatrixView<float> out = k + 1 == layers.size()
                                            ? MatrixView<float>(points.row(begin) + place, count,
                                                                units, points.ld, points.place)
                                            : MatrixView<float>((k % 2 == 0 ? ping : pong).data(),
                                                                count, units, backend.place());
          kronite::network<float>(device).dense(layers[k], x, out);
          x = out;
        }
        place += layers.back().weight.rows;
      }
  }
}

}  // namespace kronite
