// An ensemble in the order in which the microkernel reads it (cpu/panel.hpp), and all of its layers
// on a tile of pairs that stays in cache.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/parallel.hpp"       // for parallel_tiles
#include "cpu/panel.hpp"           // for unit_block, difference_panel
#include "kernels/activation.hpp"  // for alike_probability

namespace kronite {

inline constexpr std::int64_t kTilePanels = 4;
inline constexpr std::int64_t kTilePairs = kTilePanels * kPanel;

/// Rows of descriptors of a tile of pairs. All entries are valid rows: those past `count` repeat.
struct PairTile {
  const float* query[kTilePairs];
  const float* candidate[kTilePairs];
  std::int64_t count = 0;
};

template <class Words>
class PanelNetworks {
 public:
  explicit PanelNetworks(const EnsembleView<float>& ensemble) : members_(ensemble.members.size()) {
    inputs_ = ensemble.members.front().layers.front().weight.cols;
    for (const auto& member : ensemble.members)
      for (const auto& layer : member.layers) {
        const bool last = &layer == &member.layers.back();
        layers_.push_back({layer, {layer.activation, last}, packed_size_});
        packed_size_ += layer.weight.rows * steps_of<Words>(layer.weight.cols);
        width_ = std::max(width_, layer.weight.rows);
      }
  }

  std::int64_t packed_size() const { return packed_size_; }  ///< words of all weights
  /// Words that one thread works in.
  std::int64_t tile_size() const { return (steps_of<Words>(inputs_) + 2 * width_) * kTilePairs; }

  /// Keeps `packed`, of packed_size().
  void pack(int threads, float* packed) {
    packed_ = packed;
    parallel_tiles(threads, std::ssize(layers_),
                   [&](std::int64_t i, int) { pack_layer(layers_[static_cast<std::size_t>(i)]); });
  }

  /// p (count) of the pairs of a tile; `scratch` of tile_size().
  void score(const PairTile& tile, float* scratch, float* p) const {
    const std::int64_t panels = tiles_of(tile.count, kPanel), steps = steps_of<Words>(inputs_);
    float* const ping = scratch + steps * kTilePairs;
    float* const pong = ping + width_ * kTilePairs;
    for (std::int64_t panel = 0; panel < panels; ++panel)
      difference_panel<Words>(tile.query + panel * kPanel, tile.candidate + panel * kPanel, inputs_,
                              scratch + panel * steps * kPanel);

    float total[kTilePairs] = {};
    const float* x = scratch;
    for (const Layer& layer : layers_) {
      float* const y = x == ping ? pong : ping;
      run_layer(layer, panels, x, y);
      x = y;
      if (!layer.end.last) continue;
      add_probabilities(x, static_cast<int>(layer.view.weight.rows), tile.count, total);
      x = scratch;
    }
    const auto members = static_cast<float>(members_);
    for (std::int64_t i = 0; i < tile.count; ++i) p[i] = total[i] / members;
  }

 private:
  struct Layer {
    DenseLayerView<float> view;
    LayerEnd end;
    std::int64_t packed;  ///< its place: blocks of up to kUnits units, each [step][unit]
  };

  void pack_layer(const Layer& layer) const {
    const MatrixView<const float> weight = layer.view.weight;
    float* to = packed_ + layer.packed;
    for (std::int64_t first = 0; first < weight.rows; first += kUnits) {
      const std::int64_t end = std::min(first + kUnits, weight.rows);
      for (std::int64_t k = 0; k < weight.cols; k += Words::kDepth)
        for (std::int64_t u = first; u < end; ++u) {
          Simd<float> inputs[Words::kDepth] = {};
          for (std::int64_t i = 0; i < std::min<std::int64_t>(Words::kDepth, weight.cols - k); ++i)
            inputs[i][0] = weight.row(u)[k + i];
          store_word(to++, Words::word(inputs));
        }
    }
  }

  /// The bits of the first lane, which need not be those of a number.
  static void store_word(float* to, const Simd<float>& words) {
    std::memcpy(to, &words, sizeof(float));
  }

  /// Panels of x through one layer into panels of y.
  void run_layer(const Layer& layer, std::int64_t panels, const float* x, float* y) const {
    const std::int64_t units = layer.view.weight.rows;
    const std::int64_t steps = steps_of<Words>(layer.view.weight.cols);
    const int depth = layer.end.last ? 1 : Words::kDepth;
    const std::int64_t out_steps = layer.end.last ? units : steps_of<Words>(units);
    for (std::int64_t first = 0; first < units; first += kUnits) {
      const auto count = static_cast<int>(std::min<std::int64_t>(kUnits, units - first));
      const UnitBlock block = block_of<Words>(count, std::make_integer_sequence<int, kUnits>{});
      for (std::int64_t panel = 0; panel < panels; ++panel)
        block(steps, x + panel * steps * kPanel, packed_ + layer.packed + first * steps,
              layer.view.bias.data + first, layer.end,
              y + (panel * out_steps + first / depth) * kPanel);
    }
  }

  static void add_probabilities(const float* logits, int units, std::int64_t count, float* total) {
    for (std::int64_t i = 0; i < count; ++i) {
      const float* z = logits + i / kPanel * units * kPanel + i % kPanel;
      const float row[2] = {z[0], z[(units - 1) * kPanel]};
      total[i] += alike_probability(row, units);
    }
  }

  std::size_t members_;
  std::vector<Layer> layers_;
  std::int64_t inputs_ = 0, width_ = 0, packed_size_ = 0;
  float* packed_ = nullptr;
};

}  // namespace kronite
