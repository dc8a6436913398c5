// A metric while it is trained: an embedding, the logit of none, and the loss of lists by squared
// distances.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "learn/trainable_embedding.hpp"  // for TrainableEmbedding

namespace kronite::learn {

/// Rows [first, first + candidates) of a batch are candidates, the first `queries` of them queries
/// too. Their relations, queries x candidates, begin at `relation` in those of the batch.
struct ListBlock {
  std::int64_t first = 0, queries = 0, candidates = 0;
  std::int64_t relation = 0;
};

/// How large batches get.
struct ListRoom {
  std::int64_t rows = 0;   ///< of a batch
  std::int64_t pairs = 0;  ///< queries x candidates of a block

  /// The least that has room for both.
  void include(const std::vector<ListBlock>& blocks);
};

/// The parts of MetricNetwork; those that may be empty have no branches then.
struct MetricShape {
  EmbeddingShape embedding, shift, bias, none_of;

  bool has_traits() const { return !shift.empty() || !bias.empty(); }
};

/// Where the parts lie among the parameters: one after the other, then the logit of none.
struct MetricLayout {
  /// @throws Error invalid_argument for a shape that makes no sense.
  explicit MetricLayout(const MetricShape& shape);

  struct Part {
    EmbeddingLayout layout;
    std::int64_t first = 0;
  };
  std::vector<Part> parts;  ///< the embedding, then shift, bias and none_of where they are
  int shift = -1, bias = -1, none_of = -1;  ///< places in `parts`
  std::int64_t none = 0, size = 0;
};

/// Before training, none of these is as likely as one candidate at this squared distance.
inline constexpr double kFirstNone = -4;
std::vector<float> initial_parameters(const MetricLayout& layout, std::uint64_t seed);
/// @throws Error invalid_argument when there are not as many parameters.
MetricNetwork network_of(const MetricLayout& layout, std::span<const float> parameters);

template <class T>
class TrainableMetric {
 public:
  TrainableMetric(Device& device, const MetricLayout& layout, const ListRoom& room);

  VectorView<T> parameters() const { return parameters_.vector(); }
  /// d(mean loss)/d parameters of the last backward().
  VectorView<T> gradient() const { return gradient_.vector(); }

  /// Losses of the queries, block by block. x: rows of the batch x training_inputs(), into which
  /// learned vectors are written; traits: rows of the batch x traits, empty where no part reads
  /// them; relation: all blocks'.
  void forward(MatrixView<T> x, MatrixView<T> traits, const std::vector<ListBlock>& blocks,
               VectorView<const std::uint8_t> relation, DropoutKey key, VectorView<T> losses);
  /// Of the batch that forward() saw last; x and traits are the same.
  void backward(MatrixView<const T> x, MatrixView<const T> traits);

 private:
  TrainableEmbedding<T>* part(int place);
  void embed(MatrixView<T> x, MatrixView<T> traits, DropoutKey key);
  void add_block(const ListBlock& block, const std::uint8_t* relation, T share, T* losses);
  MatrixView<T> rows_of(const Scratch<T>& s) const { return s.matrix().rows_from(0, rows_); }
  /// y <- y + x. Both: rows of the batch x d.
  void add(MatrixView<const T> x, MatrixView<T> y);

  Device& device_;
  Backend& backend_;
  const MetricLayout layout_;
  Scratch<T> parameters_, gradient_;
  std::deque<TrainableEmbedding<T>> parts_;
  // Of all rows: points of queries and of candidates, their gradients, and what has one value.
  Scratch<T> points_, candidates_, point_gradient_, candidate_gradient_;
  Scratch<T> bias_, bias_gradient_, none_, none_gradient_, ones_;
  Scratch<T> distances_;
  std::int64_t rows_ = 0;  // of the batch
};

}  // namespace kronite::learn
