// Views of small feed-forward networks, as the device layer takes them.
#pragma once

#include <cstdint>
#include <vector>

#include "kronite/view.hpp"  // for MatrixView, VectorView

namespace kronite {

enum class Activation : int { none = 0, relu = 1 };

/// What a network that predicts continuous values is trained to make small.
enum class ValueLossKind : int {
  squared = 0,   ///< the square of the error
  absolute = 1,  ///< its absolute value
  huber = 2,     ///< half its square where it is small, in proportion to it beyond (Huber 1964)
};

/// y = activation(W x + b), W: units_out x units_in, b: units_out. Batch normalisation of a trained
/// network is folded into W and b before it comes here.
template <class T>
struct DenseLayerView {
  MatrixView<const T> weight;
  VectorView<const T> bias;
  Activation activation = Activation::none;
};

/// Layers in order. A scoring network ends in two logits (unlike, alike) or one logit (alike).
template <class T>
struct NetworkView {
  std::vector<DenseLayerView<T>> layers;
};

/// Networks of one input width; their probabilities are averaged.
template <class T>
struct EnsembleView {
  std::vector<NetworkView<T>> members;
};

/// What the factors of products are rounded to; sums and probabilities are fp32 in every mode.
enum class Precision : int {
  fp32 = 0,  ///< not at all
  tf32 = 1,  ///< 11 significant bits: NVIDIA GPUs
  bf16 = 2,  ///< 8 significant bits: NVIDIA GPUs, CPUs with AVX512_BF16
};

/// Index pairs (query i, template j), n of each, on the device that scores them.
struct PairView {
  VectorView<const std::int32_t> query;
  VectorView<const std::int32_t> candidate;
};

/// Every query of one range of rows with every candidate of another, without a list of pairs.
struct ScoreBlock {
  std::int32_t query_begin = 0, query_end = 0;
  std::int32_t candidate_begin = 0, candidate_end = 0;
};

}  // namespace kronite
