// Predictions of networks on rows.
#include "learn/row_model.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "base/fail.hpp"           // for fail
#include "device/scratch.hpp"      // for Scratch
#include "kronite/embedding.hpp"   // for EmbeddingNetwork, DeviceEmbedding
#include "kronite/regression.hpp"  // for RowModel
#include "learn/check_layer.hpp"
#include "learn/on_device.hpp"  // for MatrixOnDevice, download
#include "learn/rows.hpp"       // for standardised, check_width

namespace kronite::learn {
namespace {

constexpr std::int64_t kTileRows = 1 << 14;

/// A network that reads all columns once.
DeviceEmbedding on_device(Device& device, const Network& network, std::int64_t inputs) {
  EmbeddingNetwork whole;
  whole.branches.push_back({{0}, network});
  return DeviceEmbedding(device, whole, inputs);
}

std::vector<float> outputs_of(Device& device, const DeviceEmbedding& network, std::int64_t outputs,
                              MatrixView<const float> rows) {
  const Scratch<float> out(device.backend(), rows.rows, outputs);
  network.embed(device, rows, out.matrix());
  return download(device.backend(), out.vector());
}

void check_scaler(const RowScaler& scaler, std::int64_t size, std::size_t member) {
  const auto good = [](double v) { return std::isfinite(v); };
  if (static_cast<std::int64_t>(scaler.mean.size()) != size ||
      static_cast<std::int64_t>(scaler.std.size()) != size ||
      !std::all_of(scaler.mean.begin(), scaler.mean.end(), good) ||
      !std::all_of(scaler.std.begin(), scaler.std.end(), good))
    fail(Errc::invalid_argument,
         "network {} has {} means and {} standard deviations, expected {} finite ones of each",
         member, scaler.mean.size(), scaler.std.size(), size);
  if (scaler.low.empty() && scaler.high.empty()) return;
  bool ranges = static_cast<std::int64_t>(scaler.low.size()) == size &&
                static_cast<std::int64_t>(scaler.high.size()) == size;
  for (std::size_t c = 0; ranges && c < scaler.low.size(); ++c)
    ranges = scaler.low[c] <= scaler.high[c];
  if (!ranges)
    fail(Errc::invalid_argument,
         "network {} has {} lower and {} upper bounds, expected none, or {} of each in order",
         member, scaler.low.size(), scaler.high.size(), size);
}

}  // namespace

std::vector<float> network_outputs(Device& device, const Network& network,
                                   MatrixView<const float> rows) {
  return outputs_of(device, on_device(device, network, rows.cols), network.layers.back().units,
                    rows);
}

void add_softmax(const float* logits, std::int64_t count, double share, double* p) {
  const auto largest = static_cast<double>(*std::max_element(logits, logits + count));
  double sum = 0;
  for (std::int64_t k = 0; k < count; ++k)
    sum += std::exp(static_cast<double>(logits[k]) - largest);
  for (std::int64_t k = 0; k < count; ++k)
    p[k] += share * std::exp(static_cast<double>(logits[k]) - largest) / sum;
}

std::int64_t RowModel::inputs() const {
  return members.empty() ? 0 : static_cast<std::int64_t>(members.front().inputs.mean.size());
}

std::int64_t RowModel::outputs() const {
  if (members.empty() || members.front().network.layers.empty()) return 0;
  return members.front().network.layers.back().units;
}

void RowModel::check() const {
  require(!members.empty(), "the model has no networks");
  require(inputs() > 0, "the model has no inputs");
  const bool classes = members.front().targets.mean.empty();
  for (std::size_t m = 0; m < members.size(); ++m) {
    const auto& layers = members[m].network.layers;
    if (layers.empty()) fail(Errc::invalid_argument, "network {} has no layers", m);
    for (std::size_t k = 0; k < layers.size(); ++k)
      check_layer(layers[k], k == 0 ? inputs() : layers[k - 1].units,
                  fmt::format("layer {} of network {}", k, m));
    if (layers.back().units != outputs())
      fail(Errc::invalid_argument, "network {} ends in {} values where the first one ends in {}", m,
           layers.back().units, outputs());
    check_scaler(members[m].inputs, inputs(), m);
    check_scaler(members[m].targets, classes ? 0 : outputs(), m);
  }
}

RowPrediction RowModel::predict(Device& device, RowsView x) const {
  check();
  check_width(x, inputs());
  const auto cols = static_cast<std::size_t>(outputs());
  RowPrediction out{x.rows(), outputs(),
                    std::vector<double>(static_cast<std::size_t>(x.rows()) * cols, 0.0)};
  const double share = 1 / static_cast<double>(members.size());
  for (const RowNetwork& member : members) {
    const DeviceEmbedding network = on_device(device, member.network, inputs());
    for (std::int64_t first = 0; first < x.rows(); first += kTileRows) {
      const std::int64_t count = std::min(kTileRows, x.rows() - first);
      const auto rows = standardised<float>(member.inputs, x, first, count, "descriptors");
      const MatrixOnDevice there(device.backend(), {rows.data(), count, inputs()});
      const auto values = outputs_of(device, network, outputs(), there.view());
      double* to = out.values.data() + static_cast<std::size_t>(first) * cols;
      for (std::size_t i = 0; i < values.size(); i += cols, to += cols)
        if (member.targets.mean.empty())
          add_softmax(values.data() + i, outputs(), share, to);
        else
          for (std::size_t c = 0; c < cols; ++c)
            to[c] += share * (member.targets.mean[c] +
                              member.targets.std[c] * static_cast<double>(values[i + c]));
    }
  }
  return out;
}

std::vector<std::int32_t> most_probable(const RowPrediction& probabilities) {
  std::vector<std::int32_t> classes;
  for (std::int64_t i = 0; i < probabilities.rows; ++i) {
    const double* const row = probabilities.values.data() + i * probabilities.cols;
    classes.push_back(
        static_cast<std::int32_t>(std::max_element(row, row + probabilities.cols) - row));
  }
  return classes;
}

}  // namespace kronite::learn
