// In float64: what Keras computes in two steps is one matrix here, rounded once.
#include "learn/keras.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/fail.hpp"       // for fail
#include "base/printable.hpp"  // for printable

namespace kronite::learn {
namespace {

using Vector = std::vector<double>;

/// y = W x + b; weight: units x inputs, row-major.
struct Dense {
  std::size_t inputs = 0, units = 0;
  Vector weight, bias;
};

/// y = scale x + shift, value by value.
struct Normalisation {
  Vector scale, shift;
};

/// Goes through the arrays from one kernel to the next.
class KerasReader {
 public:
  KerasReader(const std::vector<WeightArray>& arrays, const KerasOptions& options,
              const std::string& path)
      : arrays_(arrays), options_(options), path_(path) {}

  Network read() {
    for (const WeightArray& array : arrays_)
      if (!std::all_of(array.values.begin(), array.values.end(),
                       [](double v) { return std::isfinite(v); }))
        refuse(array, "holds a value that is not finite");
    if (vectors_ahead() == 4) before_ = normalisation();
    while (next_ < arrays_.size()) take_layer();
    if (layers_.empty()) fail(Errc::parse, "{}: there are no weights of dense layers", path_);
    // What stands behind the last layer has no layer to go into.
    if (before_) fold_back(layers_.back(), *before_);
    return network();
  }

 private:
  [[noreturn]] void refuse(const WeightArray& array, std::string_view text) const {
    fail(Errc::parse, "{}: the array \"{}\" {}", path_, printable(array.name), text);
  }

  std::size_t vectors_ahead() const {
    std::size_t count = 0;
    while (next_ + count < arrays_.size() && arrays_[next_ + count].shape.size() == 1) ++count;
    return count;
  }

  /// A kernel and the vectors behind it.
  void take_layer() {
    const WeightArray& kernel = arrays_[next_];
    if (kernel.shape.size() != 2) refuse(kernel, "is no kernel of a dense layer (inputs x units)");
    if (kernel.values.empty()) refuse(kernel, "has no values");
    ++next_;
    Dense dense;
    dense.inputs = static_cast<std::size_t>(kernel.shape[0]);
    dense.units = static_cast<std::size_t>(kernel.shape[1]);
    if (!layers_.empty() && layers_.back().units != dense.inputs)
      refuse(kernel,
             fmt::format("takes {} inputs where {} come", dense.inputs, layers_.back().units));
    dense.weight.resize(kernel.values.size());
    for (std::size_t i = 0; i < dense.inputs; ++i)
      for (std::size_t u = 0; u < dense.units; ++u)
        dense.weight[u * dense.inputs + i] = kernel.values[i * dense.units + u];
    const std::size_t vectors = vectors_ahead();
    if (vectors != 0 && vectors != 1 && vectors != 4 && vectors != 5)
      refuse(kernel, fmt::format("is followed by {} vectors; 1 is a bias, 4 are a batch "
                                 "normalisation (gamma, beta, mean, variance), 5 are both",
                                 vectors));
    dense.bias = vectors % 4 == 1 ? vector(dense.units) : Vector(dense.units, 0.0);
    if (before_) fold_forward(*std::exchange(before_, std::nullopt), dense);
    layers_.push_back(std::move(dense));
    if (vectors >= 4) {
      before_ = normalisation();
      if (!options_.normalised_after_activation)
        fold_back(layers_.back(), *std::exchange(before_, std::nullopt));
    }
  }

  const Vector& vector(std::size_t size) {
    const WeightArray& array = arrays_[next_++];
    if (array.values.size() != size)
      refuse(array, fmt::format("has {} values where {} are expected", array.values.size(), size));
    return array.values;
  }

  /// gamma (x - mean) / sqrt(variance + epsilon) + beta.
  Normalisation normalisation() {
    const std::size_t units = layers_.empty() ? arrays_[next_].values.size() : layers_.back().units;
    const Vector& gamma = vector(units);
    const Vector& beta = vector(units);
    const Vector& mean = vector(units);
    const WeightArray& last = arrays_[next_];
    const Vector& variance = vector(units);
    Normalisation found;
    for (std::size_t i = 0; i < units; ++i) {
      if (!(variance[i] >= 0 && variance[i] + options_.epsilon > 0))
        refuse(last, "is expected to be a variance, and holds a value that is none");
      found.scale.push_back(gamma[i] / std::sqrt(variance[i] + options_.epsilon));
      found.shift.push_back(beta[i] - found.scale[i] * mean[i]);
    }
    return found;
  }

  /// Behind the dense layer, before its activation.
  static void fold_back(Dense& dense, const Normalisation& normalisation) {
    for (std::size_t u = 0; u < dense.units; ++u) {
      const auto row = dense.weight.begin() + static_cast<std::ptrdiff_t>(u * dense.inputs);
      const double scale = normalisation.scale[u];
      std::transform(row, row + static_cast<std::ptrdiff_t>(dense.inputs), row,
                     [scale](double w) { return scale * w; });
      dense.bias[u] = scale * dense.bias[u] + normalisation.shift[u];
    }
  }

  /// On the values that the dense layer takes.
  void fold_forward(const Normalisation& normalisation, Dense& dense) const {
    if (normalisation.scale.size() != dense.inputs)
      fail(Errc::parse, "{}: a batch normalisation of {} values stands before a layer of {} inputs",
           path_, normalisation.scale.size(), dense.inputs);
    for (std::size_t u = 0; u < dense.units; ++u)
      for (std::size_t i = 0; i < dense.inputs; ++i) {
        double& weight = dense.weight[u * dense.inputs + i];
        dense.bias[u] += weight * normalisation.shift[i];
        weight *= normalisation.scale[i];
      }
  }

  Network network() const {
    Network network;
    for (const Dense& dense : layers_) {
      DenseLayer layer;
      layer.inputs = static_cast<std::int64_t>(dense.inputs);
      layer.units = static_cast<std::int64_t>(dense.units);
      for (const double w : dense.weight) layer.weight.push_back(static_cast<float>(w));
      for (const double b : dense.bias) layer.bias.push_back(static_cast<float>(b));
      layer.activation = Activation::relu;
      network.layers.push_back(std::move(layer));
    }
    network.layers.back().activation = Activation::none;
    return network;
  }

  const std::vector<WeightArray>& arrays_;
  const KerasOptions& options_;
  const std::string& path_;
  std::size_t next_ = 0;
  std::vector<Dense> layers_;
  std::optional<Normalisation> before_;  ///< on the inputs of the next layer
};

}  // namespace

Network network_from_keras(const std::vector<WeightArray>& arrays, const KerasOptions& options,
                           const std::string& path) {
  return KerasReader(arrays, options, path).read();
}

}  // namespace kronite::learn
