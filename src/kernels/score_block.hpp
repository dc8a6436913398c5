// score_pairs of narrow networks (every layer at most 64 units wide), fused: one block takes 64
// pairs through all members, in phases (kernels/phases.hpp). The differences |q - t| are formed
// slab by slab in shared memory, activations stay there, and only probabilities are written.
#pragma once

#include <cstdint>

#include "kernels/activation.hpp"   // for activate, alike_probability
#include "kernels/element.hpp"      // for element
#include "kernels/host_device.hpp"  // for KRONITE_HD
#include "kernels/tile.hpp"         // for TileSums, accumulate
#include "kronite/network.hpp"      // for EnsembleView, PairView

namespace kronite {

inline constexpr int kScoreLayers = 64;  ///< of all members together
inline constexpr int kScoreMembers = 32;

/// One layer as a kernel reads it.
template <class T>
struct ScoreLayer {
  const T* weight;
  const T* bias;
  std::int64_t weight_ld;
  std::int32_t inputs;
  std::int32_t units;
  Activation activation;
};

/// All of an ensemble, small enough to be a kernel's parameter: nothing is copied to the device.
template <class T>
struct ScoreEnsemble {
  ScoreLayer<T> layers[kScoreLayers];
  std::int32_t first_layer[kScoreMembers + 1];  ///< of each member; one more for the end
  std::int32_t members;
};

/// Whether score_block can run `ensemble`.
template <class T>
bool is_narrow(const EnsembleView<T>& ensemble) {
  std::size_t layers = 0;
  for (const auto& member : ensemble.members) {
    layers += member.layers.size();
    for (const auto& layer : member.layers)
      if (layer.weight.rows > kTile) return false;
    if (member.layers.empty() || member.layers.back().weight.rows > 2) return false;
  }
  return !ensemble.members.empty() && layers <= kScoreLayers &&
         ensemble.members.size() <= kScoreMembers;
}

template <class T>
ScoreEnsemble<T> score_ensemble(const EnsembleView<T>& ensemble) {
  ScoreEnsemble<T> packed{};
  std::int32_t next = 0;
  for (const auto& member : ensemble.members) {
    packed.first_layer[packed.members++] = next;
    for (const auto& layer : member.layers)
      packed.layers[next++] = {layer.weight.data,
                               layer.bias.data,
                               layer.weight.ld,
                               static_cast<std::int32_t>(layer.weight.cols),
                               static_cast<std::int32_t>(layer.weight.rows),
                               layer.activation};
  }
  packed.first_layer[packed.members] = next;
  return packed;
}

/// What a launch of score_block works on.
template <class T>
struct ScoreJob {
  MatrixView<const T> queries;
  MatrixView<const T> candidates;
  PairView pairs;
  VectorView<T> p;
  ScoreEnsemble<T> ensemble;
};

template <class T>
struct ScoreShared {
  TileRow<T> difference[kTileDepth];  ///< [feature of the slab][pair]
  TileRow<T> weight[kTileDepth];      ///< [input of the slab][unit]
  TileRow<T> activation[kTile];       ///< [unit of the last layer][pair]
  std::int32_t query[kTile];
  std::int32_t candidate[kTile];
};

template <class T>
struct ScoreRegisters {
  TileSums<T> sums;
  T probability;  ///< of pair `thread`, for threads below 64
};

/// The pairs of this block, as rows of queries and candidates; -1 past the last pair.
template <class T>
KRONITE_HD inline void load_pair(const ScoreJob<T>& job, std::int64_t pair, int slot,
                                 ScoreShared<T>& shared) {
  const bool inside = pair < job.pairs.query.size;
  shared.query[slot] = inside ? job.pairs.query.data[pair] : -1;
  shared.candidate[slot] = inside ? job.pairs.candidate.data[pair] : -1;
}

template <class T>
KRONITE_HD inline void load_differences(const ScoreJob<T>& job, std::int64_t k0, int thread,
                                        ScoreShared<T>& shared) {
  for_slab(thread, [&](int slot, int k) {
    const std::int32_t i = shared.query[slot], j = shared.candidate[slot];
    const std::int64_t feature = k0 + k;
    T difference{0};
    if (i >= 0 && feature < job.queries.cols)
      difference = element(job.queries, i, feature) - element(job.candidates, j, feature);
    shared.difference[k][slot] = difference < T{0} ? -difference : difference;
  });
}

/// Units and inputs past the end weigh nothing.
template <class T>
KRONITE_HD inline void load_weights(const ScoreLayer<T>& layer, std::int64_t k0, int thread,
                                    ScoreShared<T>& shared) {
  for_slab(thread, [&](int unit, int k) {
    const std::int64_t input = k0 + k;
    const bool inside = unit < layer.units && input < layer.inputs;
    shared.weight[k][unit] = inside ? layer.weight[unit * layer.weight_ld + input] : T{0};
  });
}

/// Units past the end become zero, so that the next layer may read a whole slab.
template <class T>
KRONITE_HD inline void store_activations(const ScoreLayer<T>& layer, int thread,
                                         const TileSums<T>& sums, ScoreShared<T>& shared) {
  for (int j = 0; j < 4; ++j) {
    const int unit = tile_col(thread) + j;
    const bool inside = unit < layer.units;
    const T bias = inside ? layer.bias[unit] : T{0};
    Quad<T> of_pairs;
    for (int i = 0; i < 4; ++i)
      of_pairs.v[i] = inside ? activate(layer.activation, sums.v[i][j] + bias) : T{0};
    shared.activation[unit].quads[thread / kQuads] = of_pairs;
  }
}

/// One layer: sums over its inputs slab by slab, then its activations into shared memory.
template <class T, class Each>
KRONITE_HD inline void layer_phases(const ScoreJob<T>& job, const ScoreLayer<T>& layer, bool first,
                                    ScoreShared<T>& shared, Each& each) {
  each([&](int, ScoreRegisters<T>& r) { clear(r.sums); });
  for (std::int32_t k0 = 0; k0 < layer.inputs; k0 += kTileDepth) {
    each([&](int thread, ScoreRegisters<T>&) {
      if (first) load_differences(job, k0, thread, shared);
      load_weights(layer, k0, thread, shared);
    });
    const TileRow<T>* inputs = first ? shared.difference : shared.activation + k0;
    each([&](int thread, ScoreRegisters<T>& r) {
      accumulate(thread, inputs, shared.weight, r.sums, [](T x, T w) { return x * w; });
    });
  }
  each([&](int thread, ScoreRegisters<T>& r) { store_activations(layer, thread, r.sums, shared); });
}

/// Pairs 64 block ... 64 block + 63. The mean over members is formed in their order, as the default
/// body of score_pairs does.
template <class T, class Each>
KRONITE_HD inline void score_block(std::int64_t block, const ScoreJob<T>& job,
                                   ScoreShared<T>& shared, Each& each) {
  const ScoreEnsemble<T>& ensemble = job.ensemble;
  const T share = T{1} / static_cast<T>(ensemble.members);
  each([&](int thread, ScoreRegisters<T>& r) {
    r.probability = T{0};
    if (thread < kTile) load_pair(job, block * kTile + thread, thread, shared);
  });
  for (std::int32_t member = 0; member < ensemble.members; ++member) {
    const std::int32_t begin = ensemble.first_layer[member];
    const std::int32_t end = ensemble.first_layer[member + 1];
    for (std::int32_t l = begin; l < end; ++l)
      layer_phases(job, ensemble.layers[l], l == begin, shared, each);
    each([&](int thread, ScoreRegisters<T>& r) {
      if (thread >= kTile) return;
      const T logits[2] = {shared.activation[0][thread], shared.activation[1][thread]};
      r.probability += share * alike_probability(logits, ensemble.layers[end - 1].units);
    });
  }
  each([&](int thread, ScoreRegisters<T>& r) {
    const std::int64_t pair = block * kTile + thread;
    if (thread < kTile && pair < job.p.size) job.p.data[pair] = r.probability;
  });
}

}  // namespace kronite
