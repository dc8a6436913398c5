// Networks on the CPU. The fused score_pairs keeps a tile of pairs in cache and runs every layer of
// every member on it, pairs along the lanes of a vector, so that layers of any width fill them.
#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "cpu/cpu_backend.hpp"     // for CpuBackend
#include "cpu/parallel.hpp"        // for parallel_tiles
#include "cpu/simd.hpp"            // for Simd, transpose
#include "device/scratch.hpp"      // for Scratch
#include "kernels/activation.hpp"  // for activate, alike_probability

namespace kronite {
namespace {

// --- the microkernel: a panel of pairs times a few units ----------------------------------------

constexpr int kVectors = 2;
constexpr int kPanel = kVectors * kLanes<float>;  // pairs per panel
/// Units whose sums stay in registers; 10 and 5 divide the 50 and 400 units of the published
/// networks, and with kVectors inputs and a weight they fit in 32 and 16 registers.
constexpr int kUnits = kVectorRegisters == 32 ? 10 : 5;
constexpr std::int64_t kTilePanels = 4;
constexpr std::int64_t kTilePairs = kTilePanels * kPanel;
constexpr std::int64_t kRowTile = 256;  // rows of pair_differences, dense and probability per tile

/// y[u][p] = activation(bias_u + sum_k weight[k][u] x[k][p]) for `units` units and one panel.
template <int units>
void unit_block(std::int64_t inputs, const float* x, const float* weight, const float* bias,
                Activation activation, float* y) {
  Simd<float> sum[units][kVectors];
  for (int u = 0; u < units; ++u)
    for (int v = 0; v < kVectors; ++v) sum[u][v] = bias[u] - Simd<float>{};
  for (std::int64_t k = 0; k < inputs; ++k, x += kPanel, weight += units) {
    Simd<float> in[kVectors];
    for (int v = 0; v < kVectors; ++v) in[v] = load(x + v * kLanes<float>);
    for (int u = 0; u < units; ++u)
      for (int v = 0; v < kVectors; ++v) sum[u][v] += weight[u] * in[v];
  }
  for (int u = 0; u < units; ++u)
    for (int v = 0; v < kVectors; ++v) {
      if (activation == Activation::relu) sum[u][v] = 0.0F > sum[u][v] ? Simd<float>{} : sum[u][v];
      store<float>(y + u * kPanel + v * kLanes<float>, sum[u][v]);
    }
}

using UnitBlock = void (*)(std::int64_t, const float*, const float*, const float*, Activation,
                           float*);

template <int... units>
constexpr UnitBlock block_of(int count, std::integer_sequence<int, units...>) {
  constexpr UnitBlock table[] = {&unit_block<units + 1>...};
  return table[count - 1];
}

// --- packed networks ----------------------------------------------------------------------------

struct PackedLayer {
  DenseLayerView<float> view;
  float* weight;  // blocks of up to kUnits units, each [input][unit]

  std::int64_t inputs() const { return view.weight.cols; }
  std::int64_t units() const { return view.weight.rows; }
};

void pack(const PackedLayer& layer) {
  float* to = layer.weight;
  for (std::int64_t first = 0; first < layer.units(); first += kUnits) {
    const std::int64_t count = std::min<std::int64_t>(kUnits, layer.units() - first);
    for (std::int64_t k = 0; k < layer.inputs(); ++k)
      for (std::int64_t u = 0; u < count; ++u) *to++ = layer.view.weight.row(first + u)[k];
  }
}

/// Panels of x (inputs x kPanel each) through one layer into panels of y.
void run_layer(const PackedLayer& layer, std::int64_t panels, const float* x, float* y) {
  for (std::int64_t first = 0; first < layer.units(); first += kUnits) {
    const auto count = static_cast<int>(std::min<std::int64_t>(kUnits, layer.units() - first));
    const UnitBlock block = block_of(count, std::make_integer_sequence<int, kUnits>{});
    for (std::int64_t panel = 0; panel < panels; ++panel)
      block(layer.inputs(), x + panel * layer.inputs() * kPanel,
            layer.weight + first * layer.inputs(), layer.view.bias.data + first,
            layer.view.activation, y + (panel * layer.units() + first) * kPanel);
  }
}

// --- differences, one column per pair -----------------------------------------------------------

Simd<float> absolute(Simd<float> x) {
  typedef std::int32_t Bits __attribute__((vector_size(kVectorBytes)));
  return (Simd<float>)((Bits)x & 0x7fffffff);
}

/// out[f][p] = |q_p[f] - t_p[f]| for the pairs of one panel.
void difference_panel(const float* const* q, const float* const* t, std::int64_t features,
                      float* out) {
  constexpr int lanes = kLanes<float>;
  const std::int64_t whole = features / lanes * lanes;
  for (std::int64_t f = 0; f < whole; f += lanes)
    for (int v = 0; v < kVectors; ++v) {
      Simd<float> rows[lanes];
      for (int i = 0; i < lanes; ++i)
        rows[i] = absolute(load(q[v * lanes + i] + f) - load(t[v * lanes + i] + f));
      transpose<float>(rows);
      for (int i = 0; i < lanes; ++i) store<float>(out + (f + i) * kPanel + v * lanes, rows[i]);
    }
  for (std::int64_t f = whole; f < features; ++f)
    for (int p = 0; p < kPanel; ++p) out[f * kPanel + p] = std::abs(q[p][f] - t[p][f]);
}

/// One call of the fused score_pairs.
class PairScorer {
 public:
  PairScorer(MatrixView<const float> queries, MatrixView<const float> candidates, PairView pairs,
             const EnsembleView<float>& ensemble)
      : queries_(queries), candidates_(candidates), pairs_(pairs), ensemble_(ensemble) {
    for (const auto& member : ensemble.members)
      for (const auto& layer : member.layers) {
        width_ = std::max(width_, layer.weight.rows);
        packed_size_ += layer.weight.rows * layer.weight.cols;
      }
  }

  std::int64_t packed_size() const { return packed_size_; }
  std::int64_t tile_size() const { return (queries_.cols + 2 * width_) * kTilePairs; }

  void run(int threads, float* packed, float* tiles, float* p) {
    pack_all(threads, packed);
    parallel_tiles(threads, tiles_of(pairs_.query.size, kTilePairs),
                   [&](std::int64_t tile, int thread) {
                     score_tile(tile * kTilePairs, tiles + thread * tile_size(), p);
                   });
  }

 private:
  void pack_all(int threads, float* packed) {
    for (const auto& member : ensemble_.members)
      for (const auto& layer : member.layers) {
        layers_.push_back({layer, packed});
        packed += layer.weight.rows * layer.weight.cols;
      }
    parallel_tiles(threads, static_cast<std::int64_t>(layers_.size()),
                   [&](std::int64_t i, int) { pack(layers_[static_cast<std::size_t>(i)]); });
  }

  /// Pairs past the end repeat the last one; their results are not written.
  void form_differences(std::int64_t first, std::int64_t panels, float* out) const {
    const std::int64_t last = pairs_.query.size - 1;
    for (std::int64_t panel = 0; panel < panels; ++panel) {
      const float *q[kPanel], *t[kPanel];
      for (std::int64_t i = 0; i < kPanel; ++i) {
        const std::int64_t n = std::min(first + panel * kPanel + i, last);
        q[i] = queries_.row(pairs_.query.data[n]);
        t[i] = candidates_.row(pairs_.candidate.data[n]);
      }
      difference_panel(q, t, queries_.cols, out + panel * queries_.cols * kPanel);
    }
  }

  void score_tile(std::int64_t first, float* scratch, float* p) const {
    const std::int64_t count = std::min(kTilePairs, pairs_.query.size - first);
    const std::int64_t panels = tiles_of(count, kPanel);
    float* const differences = scratch;
    float* const ping = differences + queries_.cols * kTilePairs;
    float* const pong = ping + width_ * kTilePairs;
    form_differences(first, panels, differences);

    float total[kTilePairs] = {};
    const PackedLayer* layer = layers_.data();
    for (const auto& member : ensemble_.members) {
      const float* x = differences;
      for (std::size_t k = 0; k < member.layers.size(); ++k, ++layer) {
        float* const y = k % 2 == 0 ? ping : pong;
        run_layer(*layer, panels, x, y);
        x = y;
      }
      add_probabilities(x, static_cast<int>(layer[-1].units()), count, total);
    }
    const auto members = static_cast<float>(ensemble_.members.size());
    for (std::int64_t i = 0; i < count; ++i) p[first + i] = total[i] / members;
  }

  static void add_probabilities(const float* logits, int units, std::int64_t count, float* total) {
    for (std::int64_t i = 0; i < count; ++i) {
      const float* z = logits + i / kPanel * units * kPanel + i % kPanel;
      const float row[2] = {z[0], z[(units - 1) * kPanel]};
      total[i] += alike_probability(row, units);
    }
  }

  MatrixView<const float> queries_, candidates_;
  PairView pairs_;
  const EnsembleView<float>& ensemble_;
  std::vector<PackedLayer> layers_;
  std::int64_t width_ = 0, packed_size_ = 0;
};

// --- the operation group ------------------------------------------------------------------------

template <class T>
class CpuNetwork final : public NetworkOps<T> {
 public:
  explicit CpuNetwork(CpuBackend& backend) : backend_(backend) {}

  void pair_differences(MatrixView<const T> queries, MatrixView<const T> candidates, PairView pairs,
                        MatrixView<T> out) override {
    for_rows(out.rows, [&](std::int64_t n) {
      const T* q = queries.row(pairs.query.data[n]);
      const T* t = candidates.row(pairs.candidate.data[n]);
      for (std::int64_t f = 0; f < out.cols; ++f) out.row(n)[f] = std::abs(q[f] - t[f]);
    });
  }

  void dense(const DenseLayerView<T>& layer, MatrixView<const T> x, MatrixView<T> out) override {
    backend_.linalg(T{}).gemm(T{1}, x, Op::none, layer.weight, Op::transpose, T{0}, out);
    for_rows(out.rows, [&](std::int64_t n) {
      for (std::int64_t u = 0; u < out.cols; ++u)
        out.row(n)[u] = activate(layer.activation, out.row(n)[u] + layer.bias.data[u]);
    });
  }

  void probability(MatrixView<const T> logits, T scale, T beta, VectorView<T> p) override {
    for_rows(logits.rows, [&](std::int64_t n) {
      const T mine = scale * alike_probability(logits.row(n), static_cast<int>(logits.cols));
      p.data[n] = beta == T{0} ? mine : mine + beta * p.data[n];
    });
  }

  void score_pairs(MatrixView<const T> queries, MatrixView<const T> candidates, PairView pairs,
                   const EnsembleView<T>& ensemble, Precision precision, VectorView<T> p) override {
    if constexpr (std::is_same_v<T, float>) {
      if (pairs.query.size == 0) return;
      PairScorer scorer(queries, candidates, pairs, ensemble);
      if (fits(scorer)) {
        const Scratch<float> packed(backend_, scorer.packed_size());
        const Scratch<float> tiles(backend_, backend_.threads(), scorer.tile_size());
        scorer.run(backend_.threads(), packed.data(), tiles.data(), p.data);
        return;
      }
    }
    NetworkOps<T>::score_pairs(queries, candidates, pairs, ensemble, precision, p);
  }

 protected:
  Backend& backend() override { return backend_; }

 private:
  template <class F>
  void for_rows(std::int64_t rows, const F& f) {
    parallel_tiles(backend_.threads(), tiles_of(rows, kRowTile), [&](std::int64_t tile, int) {
      const std::int64_t end = std::min(rows, (tile + 1) * kRowTile);
      for (std::int64_t n = tile * kRowTile; n < end; ++n) f(n);
    });
  }

  /// Under a very small memory limit the default body, which keeps no packed weights, still works.
  bool fits(const PairScorer& scorer) const {
    if (backend_.memory_limit() == 0) return true;
    const std::size_t left = backend_.memory_limit() - backend_.memory_in_use();
    const std::int64_t values = scorer.packed_size() + backend_.threads() * scorer.tile_size();
    return static_cast<std::size_t>(values) * sizeof(float) <= left;
  }

  CpuBackend& backend_;
};

}  // namespace

template <class T>
std::unique_ptr<NetworkOps<T>> make_cpu_network(CpuBackend& backend) {
  return std::make_unique<CpuNetwork<T>>(backend);
}
template std::unique_ptr<NetworkOps<float>> make_cpu_network(CpuBackend&);
template std::unique_ptr<NetworkOps<double>> make_cpu_network(CpuBackend&);

}  // namespace kronite
