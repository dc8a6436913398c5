// Networks that map a row of values to a point, so that distances of points say something.
#pragma once

#include <cstdint>
#include <vector>

#include "kronite/array.hpp"     // for Array
#include "kronite/device.hpp"    // for Device
#include "kronite/ensemble.hpp"  // for Network
#include "kronite/network.hpp"   // for NetworkView

namespace kronite {

/// A network that reads as many values as it has inputs, once from each of `columns` of the row on;
/// what comes out lies side by side.
struct EmbeddingBranch {
  std::vector<std::int64_t> columns;
  Network network;

  std::int64_t outputs() const;  ///< of all columns together
};

/// The outputs of all branches side by side are the point.
struct EmbeddingNetwork {
  std::vector<EmbeddingBranch> branches;

  std::int64_t width() const;  ///< of a point
  /// Weights and biases.
  std::int64_t parameters() const;
  /// @throws Error invalid_argument, naming branch and layer, when there is no branch, a branch
  /// reads no column or past `inputs`, widths do not follow each other, arrays do not have their
  /// sizes, or a value is not finite.
  void check(std::int64_t inputs) const;
};

/// The weights of an embedding network on `device`, which must outlive this.
class DeviceEmbedding {
 public:
  /// @throws Error as EmbeddingNetwork::check().
  DeviceEmbedding(Device& device, const EmbeddingNetwork& network, std::int64_t inputs);

  std::int64_t width() const { return width_; }
  /// points (n x width) of rows (n x inputs), both on the device, in tiles. Does not wait.
  void embed(Device& device, MatrixView<const float> rows, MatrixView<float> points) const;

 private:
  struct Branch {
    std::vector<std::int64_t> columns;
    NetworkView<float> network;
  };
  std::vector<Array<float>> arrays_;
  std::vector<Branch> branches_;
  std::int64_t inputs_, width_;
};

}  // namespace kronite
