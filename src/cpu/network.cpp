// Networks on the CPU. The fused forms of scoring keep a tile of pairs in cache and run every layer
// of every member on it (cpu/panel_networks.hpp).
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <type_traits>
#include <vector>

#include "base/parallel.hpp"       // for parallel_tiles
#include "cpu/amx_networks.hpp"    // for AmxNetworks
#include "cpu/cpu_backend.hpp"     // for CpuBackend
#include "cpu/panel_networks.hpp"  // for PanelNetworks, PairTile
#include "device/pair_walk.hpp"    // for PairWalk
#include "device/scratch.hpp"      // for Scratch
#include "device/top_k_lists.hpp"  // for TopKLists
#include "kernels/activation.hpp"  // for activate, alike_probability

namespace kronite {
namespace {

constexpr std::int64_t kRowTile = 256;  // rows of pair_differences, dense and probability per tile

// --- scoring ------------------------------------------------------------------------------------

#if defined(__AVX512BF16__)
constexpr bool kBf16Built = true;
bool processor_has_bf16() { return __builtin_cpu_supports("avx512bf16"); }
#else
constexpr bool kBf16Built = false;
bool processor_has_bf16() { return false; }
#endif

/// f(networks) with the fastest form of `precision`, one that refuses() lets through.
template <class F>
auto with_networks(const EnsembleView<float>& ensemble, [[maybe_unused]] Precision precision,
                   const F& f) {
#if defined(KRONITE_HAVE_AMX)
  if (precision == Precision::bf16 && amx_available()) return f(AmxNetworks(ensemble));
#endif
#if defined(__AVX512BF16__)
  if (precision == Precision::bf16) return f(PanelNetworks<Bf16Words>(ensemble));
#endif
  return f(PanelNetworks<Fp32Words>(ensemble));
}

/// Networks with the memory that they work in.
template <class Networks>
class Scorer {
 public:
  Scorer(CpuBackend& backend, Networks& networks)
      : networks_(networks),
        threads_(backend.threads()),
        packed_(backend, networks.packed_size()),
        tiles_(backend, threads_, networks.tile_size()) {
    networks.pack(threads_, packed_.data());
  }

  /// For every tile of `pairs` pairs, on all threads: fill(first, tile), then take(first, count,
  /// p).
  template <class Fill, class Take>
  void run(std::int64_t pairs, const Fill& fill, const Take& take) const {
    parallel_tiles(threads_, tiles_of(pairs, kTilePairs), [&](std::int64_t n, int thread) {
      const std::int64_t first = n * kTilePairs;
      PairTile tile;
      tile.count = std::min(kTilePairs, pairs - first);
      fill(first, tile);
      std::fill(tile.query + tile.count, std::end(tile.query), tile.query[0]);
      std::fill(tile.candidate + tile.count, std::end(tile.candidate), tile.candidate[0]);
      float p[kTilePairs];
      networks_.score(tile, tiles_.data() + thread * networks_.tile_size(), p);
      take(first, tile.count, p);
    });
  }

 private:
  const Networks& networks_;
  int threads_;
  Scratch<float> packed_, tiles_;
};

/// Lists that several threads add to. A look at the worst entry, without a lock, turns away nearly
/// all scores: entries only get better, so one that is turned away would not enter later either.
class SharedLists {
 public:
  using Entry = Ranked<float>;

  SharedLists(TopKLists<float>& lists, Entry* worst) : lists_(lists), worst_(worst) {
    for (std::int64_t row = 0; row < lists.rows(); ++row) worst_[row] = lists.worst(row);
  }

  void offer(std::int64_t row, Entry entry) {
    std::atomic_ref<Entry> worst(worst_[row]);
    if (!ranks_before<true>(entry, worst.load(std::memory_order_relaxed))) return;
    const std::lock_guard lock(guards_[static_cast<std::size_t>(row) % guards_.size()]);
    if (lists_.offer(row, entry)) worst.store(lists_.worst(row), std::memory_order_relaxed);
  }

 private:
  TopKLists<float>& lists_;
  Entry* worst_;  ///< of each row
  std::array<std::mutex, 256> guards_;
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

  std::string refuses(Precision precision) const override {
    if (precision == Precision::fp32 || !std::is_same_v<T, float>)
      return NetworkOps<T>::refuses(precision);
    if (precision != Precision::bf16) return "a CPU scores in fp32 or bf16 only";
    if (!kBf16Built)
      return "this build cannot score in bf16: configure with -DKRONITE_ARCH=native on a processor "
             "with AVX512_BF16";
    return processor_has_bf16() ? "" : "this processor has no AVX512_BF16 to score in bf16 with";
  }

  void score_pairs(MatrixView<const T> queries, MatrixView<const T> candidates, PairView pairs,
                   const EnsembleView<T>& ensemble, Precision precision, VectorView<T> p) override {
    if constexpr (std::is_same_v<T, float>) {
      if (pairs.query.size == 0) return;
      const bool done = with_scorer(ensemble, precision, 0, [&](const auto& scorer) {
        scorer.run(
            pairs.query.size,
            [&](std::int64_t first, PairTile& tile) {
              for (std::int64_t n = 0; n < tile.count; ++n) {
                tile.query[n] = queries.row(pairs.query.data[first + n]);
                tile.candidate[n] = candidates.row(pairs.candidate.data[first + n]);
              }
            },
            [&](std::int64_t first, std::int64_t count, const float* scores) {
              std::copy_n(scores, count, p.data + first);
            });
      });
      if (done) return;
    }
    NetworkOps<T>::score_pairs(queries, candidates, pairs, ensemble, precision, p);
  }

  void score_top_k(MatrixView<const T> queries, MatrixView<const T> candidates,
                   const std::vector<ScoreBlock>& blocks, const EnsembleView<T>& ensemble,
                   const TopKScoring& how, MatrixView<T> p,
                   MatrixView<std::int32_t> index) override {
    if constexpr (std::is_same_v<T, float>) {
      using Entry = SharedLists::Entry;
      const std::int64_t entries = p.rows * (p.cols + 1);
      const auto extra = entries * static_cast<std::int64_t>(sizeof(Entry));
      const bool done = with_scorer(ensemble, how.precision, extra, [&](const auto& scorer) {
        const Scratch<Entry> memory(backend_, entries);
        TopKLists<float> lists(memory.data(), p.rows, p.cols);
        if (how.append)
          lists.read(p, index);
        else
          lists.clear();
        SharedLists shared(lists, memory.data() + p.rows * p.cols);
        score_walk(scorer, queries, candidates, PairWalk(blocks, how.self), how.self, shared);
        lists.write(p, index);
      });
      if (done) return;
    }
    NetworkOps<T>::score_top_k(queries, candidates, blocks, ensemble, how, p, index);
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

  /// Every pair once into the list of its query, with `self` into that of its candidate too.
  template <class Scorer>
  static void score_walk(const Scorer& scorer, MatrixView<const float> queries,
                         MatrixView<const float> candidates, const PairWalk& walk, bool self,
                         SharedLists& lists) {
    scorer.run(
        walk.size(),
        [&](std::int64_t first, PairTile& tile) {
          walk.visit(first, tile.count, [&](std::int64_t n, IndexPair pair) {
            tile.query[n] = queries.row(pair.query);
            tile.candidate[n] = candidates.row(pair.candidate);
          });
        },
        [&](std::int64_t first, std::int64_t count, const float* scores) {
          walk.visit(first, count, [&](std::int64_t n, IndexPair pair) {
            lists.offer(pair.query, {scores[n], pair.candidate});
            if (self) lists.offer(pair.candidate, {scores[n], pair.query});
          });
        });
  }

  /// f(scorer). False, and f is not called, where its networks and `extra` bytes do not fit in the
  /// memory limit: the default bodies, which keep no packed weights, still work then.
  template <class F>
  bool with_scorer(const EnsembleView<float>& ensemble, Precision precision, std::int64_t extra,
                   const F& f) {
    return with_networks(ensemble, precision, [&](auto networks) {
      const std::int64_t words = networks.packed_size() + backend_.threads() * networks.tile_size();
      const auto needed =
          static_cast<std::size_t>(words) * sizeof(float) + static_cast<std::size_t>(extra);
      const std::size_t left = backend_.memory_limit() - backend_.memory_in_use();
      if (backend_.memory_limit() != 0 && needed > left) return false;
      f(Scorer(backend_, networks));
      return true;
    });
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
