// bf16 networks on the matrix unit of Intel processors (AMX): pairs along the rows of its tiles of
// 16 x 32 values. The same calls as PanelNetworks.
#pragma once

#if defined(__AMX_BF16__) && defined(__AVX512BF16__) && defined(__linux__)
#define KRONITE_HAVE_AMX

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/parallel.hpp"       // for parallel_tiles
#include "cpu/panel_networks.hpp"  // for PairTile

namespace kronite {

/// Whether the processor has it and Linux lets this process use it: the first call asks.
inline bool amx_available() {
  static const bool available = [] {
    constexpr long kAskPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, arch_prctl(2)
    return __builtin_cpu_supports("amx-bf16") &&
           syscall(SYS_arch_prctl, kAskPermission, kTileData) == 0;
  }();
  return available;
}

class AmxNetworks {
 public:
  explicit AmxNetworks(const EnsembleView<float>& ensemble) : members_(ensemble.members.size()) {
    inputs_ = ensemble.members.front().layers.front().weight.cols;
    for (const auto& member : ensemble.members)
      for (const auto& layer : member.layers) {
        layers_.push_back({layer, &layer == &member.layers.back(), packed_size_});
        const Layer& added = layers_.back();
        packed_size_ += added.units() * added.inputs() / 2 + added.units();
        width_ = std::max(width_, added.units());
      }
  }

  std::int64_t packed_size() const { return packed_size_; }
  std::int64_t tile_size() const {
    return (padded(inputs_) + 2 * width_) * kTilePairs / 2 + kBlock * kBlock;
  }

  void pack(int threads, float* packed) {
    packed_ = packed;
    parallel_tiles(threads, std::ssize(layers_),
                   [&](std::int64_t i, int) { pack_layer(layers_[static_cast<std::size_t>(i)]); });
  }

  void score(const PairTile& tile, float* scratch, float* p) const {
    const std::int64_t blocks = tiles_of(tile.count, kBlock);
    float* const sums = scratch;
    auto* const differences = reinterpret_cast<Bf16*>(sums + kBlock * kBlock);
    Bf16* const ping = differences + padded(inputs_) * kTilePairs;
    Bf16* const pong = ping + width_ * kTilePairs;
    form_differences(tile, blocks * kBlock, differences);

    set_tiles();
    float total[kTilePairs] = {};
    const Bf16* x = differences;
    for (const Layer& layer : layers_) {
      Bf16* const y = x == ping ? pong : ping;
      run_layer(layer, blocks, x, sums, y, total);
      x = layer.last ? differences : y;
    }
    _tile_release();
    const auto members = static_cast<float>(members_);
    for (std::int64_t i = 0; i < tile.count; ++i) p[i] = total[i] / members;
  }

 private:
  using Bf16 = std::uint16_t;
  static constexpr std::int64_t kSide = 16;           // rows of a tile, and sums in a row
  static constexpr std::int64_t kBlock = 2 * kSide;   // pairs x units whose sums stay in tiles
  static constexpr std::int64_t kInputs = 2 * kSide;  // values in a row of factors
  static_assert(kTilePairs % kBlock == 0 && kLanes<float> == kSide);

  /// Units and inputs are padded with zeros to whole blocks.
  static std::int64_t padded(std::int64_t n) { return tiles_of(n, kBlock) * kBlock; }

  struct Layer {
    DenseLayerView<float> view;
    bool last;
    /// Its place: tiles of 16 units, [pair of inputs][unit][2], two for every 32 inputs of 32
    /// units; then the biases.
    std::int64_t packed;

    std::int64_t inputs() const { return padded(view.weight.cols); }
    std::int64_t units() const { return padded(view.weight.rows); }
  };

  Bf16* weights(const Layer& layer) const {
    return reinterpret_cast<Bf16*>(packed_ + layer.packed);
  }
  float* biases(const Layer& layer) const {
    return packed_ + layer.packed + layer.units() * layer.inputs() / 2;
  }

  static __m256i rounded(Simd<float> values) { return (__m256i)_mm512_cvtneps_pbh((__m512)values); }
  static Bf16 rounded(float value) {
    return static_cast<Bf16>(_mm_cvtsi128_si32((__m128i)_mm_cvtneps_pbh(_mm_set_ss(value))));
  }

  void pack_layer(const Layer& layer) const {
    const MatrixView<const float> weight = layer.view.weight;
    const auto value = [&](std::int64_t u, std::int64_t k) {
      return u < weight.rows && k < weight.cols ? rounded(weight.row(u)[k]) : Bf16{0};
    };
    Bf16* to = weights(layer);
    for (std::int64_t u0 = 0; u0 < layer.units(); u0 += kBlock)
      for (std::int64_t k0 = 0; k0 < layer.inputs(); k0 += kInputs)
        for (std::int64_t half = 0; half < kBlock; half += kSide)
          for (std::int64_t k = k0; k < k0 + kInputs; k += 2)
            for (std::int64_t u = u0 + half; u < u0 + half + kSide; ++u, to += 2) {
              to[0] = value(u, k);
              to[1] = value(u, k + 1);
            }
    float* const bias = biases(layer);
    std::fill_n(std::copy_n(layer.view.bias.data, weight.rows, bias), layer.units() - weight.rows,
                0.0F);
  }

  void form_differences(const PairTile& tile, std::int64_t rows, Bf16* out) const {
    for (std::int64_t n = 0; n < rows; ++n, out += padded(inputs_))
      for (std::int64_t f = 0; f < padded(inputs_); f += kSide) {
        const auto count = static_cast<int>(std::clamp<std::int64_t>(inputs_ - f, 0, kSide));
        const float *const q = tile.query[n] + f, *const t = tile.candidate[n] + f;
        const Simd<float> difference = count == kSide ? load(q) - load(t)
                                       : count == 0   ? Simd<float>{}
                                                      : load_some(q, count) - load_some(t, count);
        const __m256i words = rounded(absolute(difference));
        std::memcpy(out + f, &words, sizeof words);
      }
  }

  /// Eight tiles of 16 rows of 64 bytes. Every thread has its own.
  static void set_tiles() {
    struct alignas(64) {
      std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
      std::uint16_t row_bytes[16] = {};
      std::uint8_t rows[16] = {};
    } shape;
    for (int i = 0; i < 8; ++i) {
      shape.row_bytes[i] = 64;
      shape.rows[i] = kSide;
    }
    std::atomic_signal_fence(std::memory_order_seq_cst);  // see multiply()
    _tile_loadconfig(&shape);
  }

  /// sums (32 x 32) = 32 rows of x times 32 units.
  static void multiply(const Bf16* x, std::int64_t inputs, const Bf16* w, float* sums) {
    // GCC 12 does not know that loads of tiles read memory: earlier stores must not move past them.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const std::int64_t stride = inputs * static_cast<std::int64_t>(sizeof(Bf16));
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (std::int64_t k = 0; k < inputs; k += kInputs, w += 2 * kSide * kInputs) {
      _tile_loadd(4, x + k, stride);
      _tile_loadd(5, x + kSide * inputs + k, stride);
      _tile_loadd(6, w, 64);
      _tile_loadd(7, w + kSide * kInputs, 64);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    constexpr std::int64_t row_bytes = kBlock * sizeof(float);
    _tile_stored(0, sums, row_bytes);
    _tile_stored(1, sums + kSide, row_bytes);
    _tile_stored(2, sums + kSide * kBlock, row_bytes);
    _tile_stored(3, sums + kSide * kBlock + kSide, row_bytes);
  }

  /// Pairs of x through one layer into y; through the last one into probabilities added to total.
  void run_layer(const Layer& layer, std::int64_t blocks, const Bf16* x, float* sums, Bf16* y,
                 float* total) const {
    const std::int64_t units = layer.units(), inputs = layer.inputs();
    for (std::int64_t u = 0; u < units; u += kBlock)
      for (std::int64_t row = 0; row < blocks * kBlock; row += kBlock) {
        multiply(x + row * inputs, inputs, weights(layer) + u * inputs, sums);
        activate_block(layer, biases(layer) + u, sums);
        if (layer.last)
          for (std::int64_t i = 0; i < kBlock; ++i)
            total[row + i] +=
                alike_probability(sums + i * kBlock, static_cast<int>(layer.view.weight.rows));
        else
          store_block(sums, units, y + row * units + u);
      }
  }

  static void activate_block(const Layer& layer, const float* bias, float* sums) {
    for (std::int64_t half = 0; half < kBlock; half += kSide) {
      const Simd<float> b = load(bias + half);
      for (std::int64_t i = 0; i < kBlock; ++i) {
        float* const at = sums + i * kBlock + half;
        Simd<float> v = load<float>(at) + b;
        if (layer.view.activation == Activation::relu) v = 0.0F > v ? Simd<float>{} : v;
        store<float>(at, v);
      }
    }
  }

  static void store_block(const float* sums, std::int64_t stride, Bf16* y) {
    for (std::int64_t i = 0; i < kBlock; ++i)
      for (std::int64_t half = 0; half < kBlock; half += kSide) {
        const __m256i words = rounded(load(sums + i * kBlock + half));
        std::memcpy(y + i * stride + half, &words, sizeof words);
      }
  }

  std::size_t members_;
  std::vector<Layer> layers_;
  std::int64_t inputs_ = 0, width_ = 0, packed_size_ = 0;
  float* packed_ = nullptr;
};

}  // namespace kronite
#endif
