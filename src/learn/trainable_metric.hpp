// A metric while it is trained: an embedding, the logit of none, and the loss of lists by squared
// distances.
#pragma once

#include <cstdint>
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
  std::int64_t rows = 0, queries = 0;  ///< of a batch
  std::int64_t candidates = 0;         ///< of a block
  std::int64_t pairs = 0;              ///< queries x candidates of a block

  /// The least that has room for both.
  void include(const std::vector<ListBlock>& blocks);
};

template <class T>
class TrainableMetric {
 public:
  TrainableMetric(Device& device, const EmbeddingLayout& layout, const ListRoom& room);

  /// Those of the layout, then the logit of none.
  VectorView<T> parameters() const { return parameters_.vector(); }
  /// d(mean loss)/d parameters of the last backward().
  VectorView<T> gradient() const { return gradient_.vector(); }

  /// Losses of the queries, block by block. x: rows of the batch x inputs; relation: all blocks'.
  void forward(MatrixView<const T> x, const std::vector<ListBlock>& blocks,
               VectorView<const std::uint8_t> relation, DropoutKey key, VectorView<T> losses);
  /// Of the batch that forward() saw last; x is the same.
  void backward(MatrixView<const T> x);

 private:
  void add_block(const ListBlock& block, const std::uint8_t* relation, std::int64_t first_query,
                 T share, T* losses);

  Device& device_;
  Backend& backend_;
  const EmbeddingLayout layout_;
  Scratch<T> parameters_, gradient_;
  TrainableEmbedding<T> embedding_;
  Scratch<T> points_, point_gradient_, distances_, column_sums_, ones_, none_, none_gradient_;
  std::int64_t rows_ = 0, queries_ = 0;  // of the batch
};

}  // namespace kronite::learn
