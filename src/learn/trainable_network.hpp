// A network while it is trained: its parameters in one vector on a device, and the steps forward
// and back.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "device/backend.hpp"    // for linalg, training
#include "device/scratch.hpp"    // for Scratch
#include "kronite/ensemble.hpp"  // for Network
#include "kronite/learn.hpp"     // for NetworkShape

namespace kronite::learn {

/// Where the arrays of one layer lie in the vector of parameters. A hidden layer has a weight,
/// gamma (with batch normalisation) and beta; the last one a weight and, as beta, a bias.
struct LayerLayout {
  std::int64_t inputs = 0, units = 0;
  std::int64_t weight = 0, gamma = 0, beta = 0;
  bool normalised = false;
  std::int64_t mean = 0, variance = 0;  ///< running statistics, with batch normalisation
};

/// All layers; the trained parameters come first, the running statistics after them.
struct NetworkLayout {
  /// @throws Error invalid_argument for a shape that makes no sense.
  NetworkLayout(const NetworkShape& shape, std::int64_t inputs, std::int64_t outputs = 2);

  std::int64_t outputs() const { return layers.back().units; }

  std::vector<LayerLayout> layers;  ///< hidden ones, then the one to the outputs
  std::int64_t trained = 0;         ///< parameters that Adam moves
  std::int64_t size = 0;            ///< and the running statistics
  double dropout = 0;
};

/// Added to the variance of a batch, and how much of a running statistic a batch leaves in place.
inline constexpr double kNormalisationEpsilon = 1e-3;
inline constexpr double kRunningKeep = 0.99;

/// Weights uniform in +- sqrt(6 / (inputs + units)) (Glorot and Bengio 2010), gamma and running
/// variances 1, the rest 0.
std::vector<float> initial_parameters(const NetworkLayout& layout, std::uint64_t seed);

/// The network that predicts: batch normalisation by the running statistics, folded into weights
/// and biases; no dropout.
Network folded(const NetworkLayout& layout, std::span<const float> parameters);

/// What the outputs of a batch of n rows should have been: continuous values (n x outputs), at the
/// price that `loss` states.
template <class T>
struct ValueTargets {
  ValueLoss loss;
  MatrixView<const T> values;
};

/// Or one class of each row (n, below the number of outputs), with weights (one per class, or empty
/// for 1).
template <class T>
struct ClassTargets {
  VectorView<const std::int32_t> classes;
  VectorView<const T> weights;
};

/// Works on batches of up to `most_rows` rows on one device. T is double in gradient checks.
template <class T>
class TrainableNetwork {
 public:
  TrainableNetwork(Device& device, const NetworkLayout& layout, std::int64_t most_rows);

  /// layout.size values on the device.
  VectorView<T> parameters() const { return parameters_.vector(); }
  /// d(mean loss)/d parameters of the last backward(), layout.trained values.
  VectorView<T> gradient() const { return gradient_.vector(); }

  /// Losses (n) of a batch x (n x inputs) with dropout under `key`, whose layer is set here. The
  /// first form is for two outputs.
  void forward(MatrixView<const T> x, VectorView<const std::uint8_t> alike, DropoutKey key,
               VectorView<T> losses);
  void forward(MatrixView<const T> x, const ValueTargets<T>& targets, DropoutKey key,
               VectorView<T> losses);
  void forward(MatrixView<const T> x, const ClassTargets<T>& targets, DropoutKey key,
               VectorView<T> losses);
  /// Of the batch that forward() saw last; x is the same.
  void backward(MatrixView<const T> x);
  /// Moves the running statistics towards those of that batch.
  void update_statistics();

 private:
  /// What a batch leaves in a hidden layer.
  struct Hidden {
    Hidden(Backend& backend, const LayerLayout& layer, std::int64_t rows)
        : z(backend, rows, layer.units),
          y(backend, rows, layer.units),
          mean(backend, layer.units),
          variance(backend, layer.units) {}
    Scratch<T> z, y, mean, variance;
  };

  /// What a loss works on: the bias that the outputs still lack, the outputs and their gradient.
  struct Outputs {
    VectorView<const T> bias;
    MatrixView<T> values, gradient;
    T share;  ///< of a row in the mean loss
  };
  Outputs outputs_of(MatrixView<const T> x, DropoutKey key);

  MatrixView<T> rows_of(const Scratch<T>& s, std::int64_t cols) const;
  MatrixView<T> weight(const Scratch<T>& vector, const LayerLayout& layer) const;
  VectorView<T> part(const Scratch<T>& vector, std::int64_t first, std::int64_t count) const;
  HiddenView<T> hidden_view(std::size_t k) const;

  Backend& backend_;
  LinalgOps<T>& linalg_;
  TrainOps<T>& training_;
  const NetworkLayout layout_;
  Scratch<T> parameters_, gradient_;
  std::deque<Hidden> hidden_;
  Scratch<T> outputs_, output_gradient_, ping_, pong_;
  std::int64_t rows_ = 0;  // of the batch
  DropoutKey key_;
};

}  // namespace kronite::learn
