// Ensembles: checks of their shape, and the way onto a device.
#include "kronite/ensemble.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/fail.hpp"  // for fail
#include "learn/check_layer.hpp"

namespace kronite {
namespace {

bool finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

}  // namespace

void check_layer(const DenseLayer& layer, std::int64_t inputs, const std::string& place) {
  if (layer.units < 1) fail(Errc::invalid_argument, "{} has no units", place);
  if (layer.inputs != inputs)
    fail(Errc::invalid_argument, "{} takes {} inputs where {} come", place, layer.inputs, inputs);
  if (static_cast<std::int64_t>(layer.weight.size()) != layer.units * layer.inputs ||
      static_cast<std::int64_t>(layer.bias.size()) != layer.units)
    fail(Errc::invalid_argument, "{} has {} weights and {} biases, expected {} x {} and {}", place,
         layer.weight.size(), layer.bias.size(), layer.units, layer.inputs, layer.units);
  if (!finite(layer.weight) || !finite(layer.bias))
    fail(Errc::invalid_argument, "{} holds a weight that is not finite", place);
}

std::int64_t Ensemble::inputs() const {
  return members.empty() || members.front().layers.empty() ? 0
                                                           : members.front().layers.front().inputs;
}

std::int64_t Ensemble::parameters() const {
  std::size_t count = 0;
  for (const Network& member : members)
    for (const DenseLayer& layer : member.layers) count += layer.weight.size() + layer.bias.size();
  return static_cast<std::int64_t>(count);
}

void Ensemble::check() const {
  require(!members.empty(), "the ensemble has no networks");
  require(inputs() > 0, "the ensemble has no inputs");
  for (std::size_t m = 0; m < members.size(); ++m) {
    const auto& layers = members[m].layers;
    if (layers.empty()) fail(Errc::invalid_argument, "network {} has no layers", m);
    std::int64_t width = inputs();
    for (std::size_t k = 0; k < layers.size(); ++k) {
      check_layer(layers[k], width, fmt::format("layer {} of network {}", k, m));
      width = layers[k].units;
    }
    if (width > 2)
      fail(Errc::invalid_argument, "network {} ends in {} values, expected one or two logits", m,
           width);
  }
}

DeviceEnsemble::DeviceEnsemble(Device& device, const Ensemble& ensemble) {
  ensemble.check();
  for (const Network& member : ensemble.members) {
    NetworkView<float> view;
    for (const DenseLayer& layer : member.layers) {
      arrays_.emplace_back(device, layer.weight, layer.units, layer.inputs);
      const auto weight = std::as_const(arrays_.back()).view();
      arrays_.emplace_back(device, layer.bias, 1, layer.units);
      view.layers.push_back({weight, std::as_const(arrays_.back()).vector(), layer.activation});
    }
    view_.members.push_back(std::move(view));
  }
}

}  // namespace kronite
