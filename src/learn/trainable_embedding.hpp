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
/// distances would not see. Where hidden layers have no bias either, a reading of zeros gives
/// zeros.
struct BranchShape {
  std::vector<std::int64_t> columns;  ///< where in the row each reading begins
  std::int64_t inputs = 0;            ///< values of a reading
  std::vector<std::int64_t> hidden;
  std::int64_t outputs = 0;  ///< of a reading
  bool bias = true;          ///< of hidden layers
};

/// Learned vectors. In training the row goes on behind its inputs with `slots` stretches of `kinds`
/// values: 1 for the slot's kind, 0 else.
struct VectorShape {
  std::int64_t kinds = 0, width = 0, slots = 0;
  std::vector<LearnedVectors::Place> places;

  std::int64_t columns() const { return slots * kinds; }
};

struct EmbeddingShape {
  std::int64_t inputs = 0;
  std::vector<BranchShape> branches;
  VectorShape vectors;
  double dropout = 0;
  /// Expected squared distance of two points of rows of unit variance before training.
  double first_distance = 20;

  bool empty() const { return branches.empty(); }
  std::int64_t training_inputs() const { return inputs + vectors.columns(); }
};

/// Hidden layers have a weight and, as beta, a bias (-1: none); the last one a weight.
struct BranchLayout {
  std::vector<std::int64_t> columns;
  std::vector<LayerLayout> layers;
  std::int64_t place = 0;  ///< of its outputs in the point
};

struct EmbeddingLayout {
  /// @throws Error invalid_argument for a shape that makes no sense.
  explicit EmbeddingLayout(const EmbeddingShape& shape);

  std::vector<BranchLayout> branches;
  VectorShape vectors;
  std::int64_t inputs = 0, width = 0;
  std::int64_t table = 0;  ///< of the vectors
  std::int64_t size = 0;   ///< parameters
  double dropout = 0, first_distance = 0;
};

/// Hidden weights uniform in +- sqrt(6 / (inputs + units)), biases 0; last weights uniform, as
/// large as EmbeddingShape::first_distance says; vectors with a standard deviation of 0.1.
std::vector<float> initial_parameters(const EmbeddingLayout& layout, std::uint64_t seed);

EmbeddingNetwork network_of(const EmbeddingLayout& layout, std::span<const float> parameters);

/// Works on batches of up to `most_rows` rows on one device. T is double in gradient checks.
/// `parameters` and `gradient` (layout.size each, on the device) must outlive this.
template <class T>
class TrainableEmbedding {
 public:
  TrainableEmbedding(Device& device, const EmbeddingLayout& layout, std::int64_t most_rows,
                     VectorView<const T> parameters, VectorView<T> gradient);

  /// points (n x width) of x (n x training_inputs()), with dropout under `key`, whose layer is set
  /// here: it counts from key.layer on, 256 for each branch. Writes the learned vectors into x.
  void forward(MatrixView<T> x, DropoutKey key, MatrixView<T> points);
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
  void place_vectors(MatrixView<T> x);
  /// What a first layer adds to the gradient of the vectors it reads: `gradient` is dL/d of what it
  /// gives, from the reading that begins at `column`.
  void add_vector_gradients(const LayerLayout& layer, std::int64_t column,
                            MatrixView<const T> gradient, MatrixView<const T> x);

  Backend& backend_;
  LinalgOps<T>& linalg_;
  TrainOps<T>& training_;
  const EmbeddingLayout layout_;
  const VectorView<const T> parameters_;
  const VectorView<T> gradient_;
  std::deque<Hidden> hidden_;
  Scratch<T> ping_, pong_, vector_gradient_;
  Scratch<T> no_bias_, no_bias_gradient_;  // zeros, and what nobody asks for
  bool any_vector_gradient_ = false;       // in this backward()
  std::int64_t rows_ = 0;                  // of the batch
  DropoutKey key_;
};

}  // namespace kronite::learn
