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

/// Learned values of kinds of things, such as elements, that stand in a row: the vector of the kind
/// in `slot` from `column` on.
struct LearnedVectors {
  struct Place {
    std::int64_t slot = 0, column = 0;
  };

  std::int64_t width = 0;    ///< of a vector; 0: there are none
  std::vector<float> table;  ///< kinds x width
  std::vector<Place> places;

  /// Writes the vectors of a row's kinds, one per slot, -1 for none, into the row.
  void fill(const std::int32_t* kinds, float* row) const;
};

/// The outputs of all branches side by side are the point. One without branches maps nothing.
struct EmbeddingNetwork {
  std::vector<EmbeddingBranch> branches;
  LearnedVectors vectors;

  bool empty() const { return branches.empty(); }
  std::int64_t width() const;  ///< of a point
  /// Weights, biases and vectors.
  std::int64_t parameters() const;
  /// @throws Error invalid_argument, naming branch and layer, when there is no branch, a branch or
  /// a vector reaches past `inputs`, widths do not follow each other, arrays do not have their
  /// sizes, or a value is not finite.
  void check(std::int64_t inputs) const;
};

/// How far candidates are from a query: logit_t = bias(t) - |E(q) - E(t) - shift(t)|^2, and none +
/// none_of(q) for "none of these". E and none_of read the rows of compositions, shift and bias rows
/// of the candidates' own traits; each of these three may be empty, which gives 0.
struct MetricNetwork {
  EmbeddingNetwork embedding;
  EmbeddingNetwork shift;    ///< as wide as the embedding
  EmbeddingNetwork bias;     ///< one wide
  EmbeddingNetwork none_of;  ///< one wide
  double none = 0;

  std::int64_t parameters() const;
  /// @throws Error as EmbeddingNetwork::check(); or when widths do not fit.
  void check(std::int64_t inputs, std::int64_t traits) const;
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
