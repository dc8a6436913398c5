// An embedding network while it is trained: its parameters in one vector on a device, and the steps
// forward and back.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "device/backend.hpp"           // for linalg, training
#include "device/scratch.hpp"           // for Scratch
#include "kronite/embedding.hpp"        // for EmbeddingNetwork
#include "learn/trainable_network.hpp"  // for LayerLayout

namespace kronite::learn {

/// One branch: hidden layers with ReLU and dropout, then a linear one without a bias, which
/// distances would not see.
struct BranchShape {
  std::vector<std::int64_t> columns;  ///< where in the row each reading begins
  std::int64_t inputs = 0;            ///< values of a reading
  std::vector<std::int64_t> hidden;
  std::int64_t outputs = 0;  ///< of a reading
};

struct EmbeddingShape {
  std::int64_t inputs = 0;
  std::vector<BranchShape> branches;
  double dropout = 0;
};

/// Hidden layers have a weight and, as beta, a bias; the last one a weight.
struct BranchLayout {
  std::vector<std::int64_t> columns;
  std::vector<LayerLayout> layers;
  std::int64_t place = 0;  ///< of its outputs in the point
};

struct EmbeddingLayout {
  /// @throws Error invalid_argument for a shape that makes no sense.
  explicit EmbeddingLayout(const EmbeddingShape& shape);

  std::vector<BranchLayout> branches;
  std::int64_t inputs = 0, width = 0;
  std::int64_t size = 0;  ///< parameters
  double dropout = 0;
};

/// Hidden weights uniform in +- sqrt(6 / (inputs + units)), biases 0. The last ones likewise, then
/// scaled so that two points of rows of unit variance are expected to have a squared distance of
/// kFirstDistance.
std::vector<float> initial_parameters(const EmbeddingLayout& layout, std::uint64_t seed);
inline constexpr double kFirstDistance = 20;

EmbeddingNetwork network_of(const EmbeddingLayout& layout, std::span<const float> parameters);

/// Works on batches of up to `most_rows` rows on one device. T is double in gradient checks.
/// `parameters` and `gradient` (layout.size each, on the device) must outlive this.
template <class T>
class TrainableEmbedding {
 public:
  TrainableEmbedding(Device& device, const EmbeddingLayout& layout, std::int64_t most_rows,
                     VectorView<const T> parameters, VectorView<T> gradient);

  /// points (n x width) of x (n x inputs), with dropout under `key`, whose layer is set here.
  void forward(MatrixView<const T> x, DropoutKey key, MatrixView<T> points);
  /// From dL/d points, of the batch that forward() saw last, to dL/d parameters.
  void backward(MatrixView<const T> x, MatrixView<const T> point_gradient);

 private:
  /// Outputs of the hidden layers of a branch; the rows of one reading after the other.
  using Hidden = std::deque<Scratch<T>>;

  MatrixView<const T> weight(const LayerLayout& layer) const;
  MatrixView<T> weight_gradient(const LayerLayout& layer) const;
  HiddenView<T> hidden_view(std::size_t branch, std::size_t layer) const;
  void forward(std::size_t branch, MatrixView<const T> x, MatrixView<T> points);
  void backward(std::size_t branch, MatrixView<const T> x, MatrixView<const T> point_gradient);

  Backend& backend_;
  LinalgOps<T>& linalg_;
  TrainOps<T>& training_;
  const EmbeddingLayout layout_;
  const VectorView<const T> parameters_;
  const VectorView<T> gradient_;
  std::deque<Hidden> hidden_;
  Scratch<T> ping_, pong_;
  std::int64_t rows_ = 0;  // of the batch
  DropoutKey key_;
};

}  // namespace kronite::learn
