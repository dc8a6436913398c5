// Networks as values: their weights on the host, and a copy of them on a device.
#pragma once

#include <cstdint>
#include <vector>

#include "kronite/array.hpp"    // for Array
#include "kronite/device.hpp"   // for Device
#include "kronite/network.hpp"  // for Activation, EnsembleView

namespace kronite {

/// weight is units x inputs, row-major.
struct DenseLayer {
  std::int64_t inputs = 0, units = 0;
  std::vector<float> weight, bias;
  Activation activation = Activation::none;
};

struct Network {
  std::vector<DenseLayer> layers;
};

/// Networks of one input width; their probabilities are averaged.
struct Ensemble {
  std::vector<Network> members;

  /// Width of the input; 0 without members.
  std::int64_t inputs() const;
  /// Weights and biases of all members.
  std::int64_t parameters() const;
  /// @throws Error invalid_argument, naming member and layer, when there are no members or layers,
  /// widths do not follow each other, arrays do not have their sizes, a member ends in other than
  /// one or two logits, or a value is not finite.
  void check() const;
};

/// An ensemble's weights on `device`, which must outlive this.
class DeviceEnsemble {
 public:
  /// @throws Error as Ensemble::check().
  DeviceEnsemble(Device& device, const Ensemble& ensemble);
  const EnsembleView<float>& view() const { return view_; }

 private:
  std::vector<Array<float>> arrays_;
  EnsembleView<float> view_;
};

}  // namespace kronite
