// Networks out of the weights that Keras saves: batch normalisation folded, kernels transposed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kronite/ensemble.hpp"  // for Network

namespace kronite::learn {

/// One array of a file of weights.
struct WeightArray {
  std::string name;  ///< for messages
  std::vector<std::int64_t> shape;
  std::vector<double> values;  ///< row-major
};

struct KerasOptions {
  double epsilon = 1e-3;  ///< of batch normalisation, added to the variance
  /// Batch normalisation stands behind the activation, as after Dense(units, activation="relu");
  /// else between dense layer and activation.
  bool normalised_after_activation = false;
};

/// Arrays in the order of model.get_weights(): for each dense layer its kernel (inputs x units) and
/// its bias, if it has one; for each batch normalisation gamma, beta, moving mean and moving
/// variance. Hidden layers get ReLU, the last one none.
/// `path` names the arrays' file in messages.
/// @throws Error parse when the arrays are no such network.
Network network_from_keras(const std::vector<WeightArray>& arrays, const KerasOptions& options,
                           const std::string& path);

/// The arrays of a file: .npz, or HDF5 as Keras 2 (`save`, `save_weights`) and Keras 3
/// (`save_weights`, the `.weights.h5` inside a `.keras` file) write it.
/// @throws Error io; parse; unavailable for HDF5 where kronite was built without it.
std::vector<WeightArray> read_keras_weights(const std::string& path);

}  // namespace kronite::learn
