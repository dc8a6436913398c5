// Forward and back through the operations of the device layer.
#include "learn/trainable_network.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"    // for fail
#include "math/random.hpp"  // for Random

namespace kronite::learn {
namespace {

constexpr std::int64_t kMostUnits = 1 << 16;

std::int64_t widest(const NetworkLayout& layout) {
  std::int64_t width = 1;
  for (const LayerLayout& layer : layout.layers) width = std::max(width, layer.units);
  return width;
}

}  // namespace

NetworkLayout::NetworkLayout(const NetworkShape& shape, std::int64_t inputs, std::int64_t outputs) {
  if (inputs < 1) fail(Errc::invalid_argument, "a network needs at least one input");
  if (outputs < 1 || outputs > kMostUnits)
    fail(Errc::invalid_argument, "a network has {} outputs, expected 1 to {}", outputs, kMostUnits);
  if (!(shape.dropout >= 0 && shape.dropout < 1))
    fail(Errc::invalid_argument, "dropout is {}, expected a share of at least 0 and below 1",
         shape.dropout);
  dropout = shape.dropout;
  const auto take = [&](std::int64_t count) {
    const std::int64_t first = size;
    size += count;
    return first;
  };
  for (std::size_t k = 0; k <= shape.hidden.size(); ++k) {
    const bool last = k == shape.hidden.size();
    LayerLayout layer;
    layer.inputs = k == 0 ? inputs : layers.back().units;
    layer.units = last ? outputs : shape.hidden[k];
    if (layer.units < 1 || layer.units > kMostUnits)
      fail(Errc::invalid_argument, "hidden layer {} has {} units, expected 1 to {}", k + 1,
           layer.units, kMostUnits);
    layer.normalised = shape.batch_norm && !last;
    layer.weight = take(layer.units * layer.inputs);
    if (layer.normalised) layer.gamma = take(layer.units);
    layer.beta = take(layer.units);
    layers.push_back(layer);
  }
  trained = size;
  for (LayerLayout& layer : layers)
    if (layer.normalised) {
      layer.mean = take(layer.units);
      layer.variance = take(layer.units);
    }
}

std::vector<float> initial_parameters(const NetworkLayout& layout, std::uint64_t seed) {
  std::vector<float> parameters(static_cast<std::size_t>(layout.size), 0.0F);
  math::Random random(seed);
  const auto at = [&](std::int64_t i) { return parameters.begin() + i; };
  for (const LayerLayout& layer : layout.layers) {
    const double limit = std::sqrt(6.0 / static_cast<double>(layer.inputs + layer.units));
    std::generate_n(at(layer.weight), layer.units * layer.inputs,
                    [&] { return static_cast<float>(random.uniform(-limit, limit)); });
    if (!layer.normalised) continue;
    std::fill_n(at(layer.gamma), layer.units, 1.0F);
    std::fill_n(at(layer.variance), layer.units, 1.0F);
  }
  return parameters;
}

Network folded(const NetworkLayout& layout, std::span<const float> parameters) {
  Network network;
  for (const LayerLayout& from : layout.layers) {
    DenseLayer layer{from.inputs, from.units, {}, {}, Activation::relu};
    for (std::int64_t u = 0; u < from.units; ++u) {
      const auto value = [&](std::int64_t first) {
        return static_cast<double>(parameters[static_cast<std::size_t>(first + u)]);
      };
      double slope = 1, bias = value(from.beta);
      if (from.normalised) {
        slope = value(from.gamma) / std::sqrt(value(from.variance) + kNormalisationEpsilon);
        bias -= slope * value(from.mean);
      }
      const float* const row = parameters.data() + from.weight + u * from.inputs;
      for (std::int64_t i = 0; i < from.inputs; ++i)
        layer.weight.push_back(static_cast<float>(slope * static_cast<double>(row[i])));
      layer.bias.push_back(static_cast<float>(bias));
    }
    network.layers.push_back(std::move(layer));
  }
  network.layers.back().activation = Activation::none;
  return network;
}

template <class T>
TrainableNetwork<T>::TrainableNetwork(Device& device, const NetworkLayout& layout,
                                      std::int64_t most_rows)
    : backend_(device.backend()),
      linalg_(linalg<T>(device)),
      training_(training<T>(device)),
      layout_(layout),
      parameters_(backend_, layout.size),
      gradient_(backend_, layout.trained),
      outputs_(backend_, most_rows, layout.outputs()),
      output_gradient_(backend_, most_rows, layout.outputs()),
      ping_(backend_, most_rows, widest(layout)),
      pong_(backend_, most_rows, widest(layout)) {
  for (std::size_t k = 0; k + 1 < layout.layers.size(); ++k)
    hidden_.emplace_back(backend_, layout.layers[k], most_rows);
}

template <class T>
MatrixView<T> TrainableNetwork<T>::rows_of(const Scratch<T>& s, std::int64_t cols) const {
  return {s.data(), rows_, cols, backend_.place()};
}

template <class T>
VectorView<T> TrainableNetwork<T>::part(const Scratch<T>& vector, std::int64_t first,
                                        std::int64_t count) const {
  return {vector.data() + first, count, backend_.place()};
}

template <class T>
MatrixView<T> TrainableNetwork<T>::weight(const Scratch<T>& vector,
                                          const LayerLayout& layer) const {
  return {vector.data() + layer.weight, layer.units, layer.inputs, backend_.place()};
}

template <class T>
HiddenView<T> TrainableNetwork<T>::hidden_view(std::size_t k) const {
  const LayerLayout& layer = layout_.layers[k];
  DropoutKey key = key_;
  key.layer = static_cast<std::uint32_t>(k);
  return {part(parameters_, layer.gamma, layer.normalised ? layer.units : 0),
          part(parameters_, layer.beta, layer.units), static_cast<T>(kNormalisationEpsilon),
          layout_.dropout, key};
}

template <class T>
typename TrainableNetwork<T>::Outputs TrainableNetwork<T>::outputs_of(MatrixView<const T> x,
                                                                      DropoutKey key) {
  rows_ = x.rows;
  key_ = key;
  MatrixView<const T> in = x;
  for (std::size_t k = 0; k < hidden_.size(); ++k) {
    const std::int64_t units = layout_.layers[k].units;
    const Hidden& hidden = hidden_[k];
    const MatrixView<T> z = rows_of(hidden.z, units), y = rows_of(hidden.y, units);
    linalg_.gemm(T{1}, in, Op::none, weight(parameters_, layout_.layers[k]), Op::transpose, T{0},
                 z);
    training_.hidden_forward(hidden_view(k), z, hidden.mean.vector(), hidden.variance.vector(), y);
    in = y;
  }
  const LayerLayout& last = layout_.layers.back();
  const MatrixView<T> values = rows_of(outputs_, last.units);
  linalg_.gemm(T{1}, in, Op::none, weight(parameters_, last), Op::transpose, T{0}, values);
  return {part(parameters_, last.beta, last.units), values, rows_of(output_gradient_, last.units),
          T{1} / static_cast<T>(std::max<std::int64_t>(1, x.rows))};
}

template <class T>
void TrainableNetwork<T>::forward(MatrixView<const T> x, VectorView<const std::uint8_t> alike,
                                  DropoutKey key, VectorView<T> losses) {
  const Outputs out = outputs_of(x, key);
  training_.cross_entropy(out.bias, alike, out.values, losses, out.gradient);
}

template <class T>
void TrainableNetwork<T>::forward(MatrixView<const T> x, const ValueTargets<T>& targets,
                                  DropoutKey key, VectorView<T> losses) {
  const Outputs out = outputs_of(x, key);
  training_.value_loss(targets.loss, out.bias, targets.values, out.share, out.values, losses,
                       out.gradient);
}

template <class T>
void TrainableNetwork<T>::forward(MatrixView<const T> x, const ClassTargets<T>& targets,
                                  DropoutKey key, VectorView<T> losses) {
  const Outputs out = outputs_of(x, key);
  training_.class_loss(out.bias, targets.weights, targets.classes, out.share, out.values, losses,
                       out.gradient);
}

template <class T>
void TrainableNetwork<T>::backward(MatrixView<const T> x) {
  MatrixView<T> gradient = rows_of(output_gradient_, layout_.outputs());
  for (std::size_t k = layout_.layers.size(); k-- > 0;) {
    const LayerLayout& layer = layout_.layers[k];
    if (k == hidden_.size()) {
      training_.column_sums(gradient, part(gradient_, layer.beta, layer.units));
    } else {
      const Hidden& hidden = hidden_[k];
      training_.hidden_backward(hidden_view(k), rows_of(hidden.z, layer.units),
                                hidden.mean.vector(), hidden.variance.vector(),
                                rows_of(hidden.y, layer.units), gradient,
                                part(gradient_, layer.gamma, layer.normalised ? layer.units : 0),
                                part(gradient_, layer.beta, layer.units));
    }
    const MatrixView<const T> in = k == 0 ? x : rows_of(hidden_[k - 1].y, layer.inputs);
    linalg_.gemm(T{1}, gradient, Op::transpose, in, Op::none, T{0}, weight(gradient_, layer));
    if (k == 0) break;
    const MatrixView<T> below = rows_of(k % 2 == 0 ? ping_ : pong_, layer.inputs);
    linalg_.gemm(T{1}, gradient, Op::none, weight(parameters_, layer), Op::none, T{0}, below);
    gradient = below;
  }
}

template <class T>
void TrainableNetwork<T>::update_statistics() {
  for (std::size_t k = 0; k < hidden_.size(); ++k) {
    const LayerLayout& layer = layout_.layers[k];
    if (!layer.normalised) continue;
    const auto keep = static_cast<T>(kRunningKeep);
    training_.blend(keep, hidden_[k].mean.vector(), part(parameters_, layer.mean, layer.units));
    training_.blend(keep, hidden_[k].variance.vector(),
                    part(parameters_, layer.variance, layer.units));
  }
}

template class TrainableNetwork<float>;
template class TrainableNetwork<double>;

}  // namespace kronite::learn
