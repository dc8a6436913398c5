// Networks on pairs of descriptors: cuBLAS for wide layers, one fused kernel for narrow networks,
// and the k best scores of each query kept on the GPU.
#include <algorithm>
#include <cstdint>

#include "cuda/cuda_backend.cuh"    // for CudaBackend
#include "cuda/wide_networks.cuh"   // for WideNetworks
#include "kernels/phases.hpp"       // for GpuThreads
#include "kernels/score_block.hpp"  // for score_block
#include "kernels/score_tiles.hpp"  // for plan_batches, pair_of, merge_block

namespace kronite::cuda {
namespace {

// --- kernels -------------------------------------------------------------------------------------

/// All members of a narrow ensemble on 64 pairs (score_block.hpp).
/// Grid: one block of 256 threads per 64 pairs. Bounds: pairs, features and units past the end load
/// as zero and are not stored. 64-bit index. Per pair and member: 8 d bytes read through the L2
/// cache and 4 bytes written once; 128 operations per input and layer.
__global__ void __launch_bounds__(kTileThreads)
    score_kernel(const __grid_constant__ ScoreJob<float> job) {
  __shared__ ScoreShared<float> shared;
  GpuThreads<ScoreRegisters<float>> threads{static_cast<int>(threadIdx.x), {}};
  score_block(blockIdx.x, job, shared, threads);
}

/// The pairs of a batch of tiles.
/// Grid: one thread per pair, 256 per block. Bounds: threads past the last pair return. 64-bit
/// index. Per pair: 8 bytes written; some 100 operations and reads of the L1 cache for two
/// searches.
__global__ void __launch_bounds__(256)
    list_pairs_kernel(const ScoreTile* tiles, std::int64_t count, bool self, std::int64_t pairs,
                      std::int32_t* query, std::int32_t* candidate) {
  const std::int64_t n = global_thread();
  if (n >= pairs) return;
  const IndexPair pair = pair_of(tiles, count, self, n);
  query[n] = pair.query;
  candidate[n] = pair.candidate;
}

/// Lists without entries.
/// Grid: one thread per place, 256 per block. Bounds: threads past the last place return. 64-bit
/// index. Per place: 8 bytes written; no operation.
__global__ void __launch_bounds__(256)
    clear_lists_kernel(MatrixView<float> p, MatrixView<std::int32_t> index) {
  const std::int64_t n = global_thread();
  if (n >= p.rows * p.cols) return;
  element(p, n / p.cols, n % p.cols) = nanf("");
  element(index, n / p.cols, n % p.cols) = -1;
}

/// The scores of a batch enter the lists of its rows (score_tiles.hpp).
/// Grid: one block of 256 threads per row of the batch's tiles. Bounds: threads stride over the
/// scores and the results. 64-bit index. Per score: 4 bytes read in each of 2 to 5 passes, mostly
/// from the L2 cache; some 10 operations per pass.
__global__ void __launch_bounds__(kTopKThreads)
    merge_kernel(const __grid_constant__ MergeJob<float> job) {
  __shared__ TopKShared<float> shared;
  GpuThreads<TopKRegisters> threads{static_cast<int>(threadIdx.x), {}};
  merge_block(blockIdx.x, job, shared, threads);
}

// --- the group -----------------------------------------------------------------------------------
class CudaNetwork final : public NetworkOps<float> {
 public:
  explicit CudaNetwork(CudaBackend& backend) : backend_(backend) {}

  void pair_differences(MatrixView<const float> queries, MatrixView<const float> candidates,
                        PairView pairs, MatrixView<float> out) override;
  void dense(const DenseLayerView<float>& layer, MatrixView<const float> x,
             MatrixView<float> out) override;
  void probability(MatrixView<const float> logits, float scale, float beta,
                   VectorView<float> p) override;
  void score_pairs(MatrixView<const float> queries, MatrixView<const float> candidates,
                   PairView pairs, const EnsembleView<float>& ensemble, Precision precision,
                   VectorView<float> p) override;
  std::string refuses(Precision) const override { return ""; }
  void score_top_k(MatrixView<const float> queries, MatrixView<const float> candidates,
                   const std::vector<ScoreBlock>& blocks, const EnsembleView<float>& ensemble,
                   const TopKScoring& how, MatrixView<float> p,
                   MatrixView<std::int32_t> index) override;

 private:
  Backend& backend() override { return backend_; }
  std::int64_t pairs_per_batch() const;

  CudaBackend& backend_;
};

void CudaNetwork::pair_differences(MatrixView<const float> queries,
                                   MatrixView<const float> candidates, PairView pairs,
                                   MatrixView<float> out) {
  if (pairs.query.size == 0) return;
  const CurrentDevice current(backend_.id());
  launch_rows(backend_, "pair_differences_kernel", pair_differences_kernel<float>, pairs.query.size,
              queries, candidates, pairs, out);
}

void CudaNetwork::dense(const DenseLayerView<float>& layer, MatrixView<const float> x,
                        MatrixView<float> out) {
  if (out.rows == 0 || out.cols == 0) return;
  const CurrentDevice current(backend_.id());
  backend_.linalg(float{}).gemm(1.0F, x, Op::none, layer.weight, Op::transpose, 0.0F, out);
  launch_rows(backend_, "bias_activation_kernel", bias_activation_kernel<float>, out.rows,
              layer.bias.data, layer.activation, out, out);
}

void CudaNetwork::probability(MatrixView<const float> logits, float scale, float beta,
                              VectorView<float> p) {
  if (p.size == 0) return;
  const CurrentDevice current(backend_.id());
  launch("probability_kernel", probability_kernel, blocks_for(p.size, 256), 256, backend_.stream(),
         logits, scale, beta, p.data);
}

void CudaNetwork::score_pairs(MatrixView<const float> queries, MatrixView<const float> candidates,
                              PairView pairs, const EnsembleView<float>& ensemble,
                              Precision precision, VectorView<float> p) {
  if (p.size == 0) return;
  const CurrentDevice current(backend_.id());
  if (precision == Precision::bf16) {
    WideNetworks<__nv_bfloat16>(backend_, ensemble, queries.cols, precision)
        .score(queries, candidates, pairs, p.data);
  } else if (precision == Precision::tf32 || !is_narrow(ensemble)) {
    WideNetworks<float>(backend_, ensemble, queries.cols, precision)
        .score(queries, candidates, pairs, p.data);
  } else {
    launch("score_kernel", score_kernel, blocks_for(p.size, kTile), kTileThreads, backend_.stream(),
           ScoreJob<float>{queries, candidates, pairs, p, score_ensemble(ensemble)});
  }
}

/// Indices and a score each, in an eighth of what is left of the memory limit.
std::int64_t CudaNetwork::pairs_per_batch() const {
  constexpr std::int64_t kMost = 1 << 20;
  constexpr std::int64_t kBytes = 2 * sizeof(std::int32_t) + sizeof(float);
  const auto left = static_cast<std::int64_t>(backend_.memory_limit() - backend_.memory_in_use());
  return std::clamp<std::int64_t>(left / 8 / kBytes, 1, kMost);
}

void CudaNetwork::score_top_k(MatrixView<const float> queries, MatrixView<const float> candidates,
                              const std::vector<ScoreBlock>& blocks,
                              const EnsembleView<float>& ensemble, const TopKScoring& how,
                              MatrixView<float> p, MatrixView<std::int32_t> index) {
  if (p.cols > kTopKMost) {
    NetworkOps<float>::score_top_k(queries, candidates, blocks, ensemble, how, p, index);
    return;
  }
  const CurrentDevice current(backend_.id());
  if (!how.append && p.rows > 0)
    launch("clear_lists_kernel", clear_lists_kernel, blocks_for(p.rows * p.cols, 256), 256,
           backend_.stream(), p, index);
  const ScorePlan plan = plan_batches(blocks, how.self, pairs_per_batch());
  if (plan.tiles.empty()) return;

  const Place place = backend_.place();
  const auto count = static_cast<std::int64_t>(plan.tiles.size());
  std::int64_t most = 0;
  for (const ScoreBatch& batch : plan.batches) most = std::max(most, batch.pairs);
  const Scratch<ScoreTile> all_tiles(backend_, count);
  const Scratch<std::int32_t> query(backend_, most), candidate(backend_, most);
  const Scratch<float> scores(backend_, most);
  backend_.copy(all_tiles.data(), place, plan.tiles.data(), Place{},
                plan.tiles.size() * sizeof(ScoreTile));
  for (const ScoreBatch& batch : plan.batches) {
    const ScoreTile* const tiles = all_tiles.data() + batch.first_tile;
    launch("list_pairs_kernel", list_pairs_kernel, blocks_for(batch.pairs, 256), 256,
           backend_.stream(), tiles, batch.tiles, how.self, batch.pairs, query.data(),
           candidate.data());
    score_pairs(queries, candidates,
                {{query.data(), batch.pairs, place}, {candidate.data(), batch.pairs, place}},
                ensemble, how.precision, {scores.data(), batch.pairs, place});
    const auto merge = [&](Partners partners, std::int64_t rows) {
      launch("merge_kernel", merge_kernel, blocks_for(rows, 1), kTopKThreads, backend_.stream(),
             MergeJob<float>{tiles, batch.tiles, scores.data(), partners, how.self, p, index});
    };
    merge(Partners::candidates, batch.queries);
    if (how.self) merge(Partners::queries, batch.candidates);
  }
}

}  // namespace

std::unique_ptr<NetworkOps<float>> make_network(CudaBackend& backend) {
  return std::make_unique<CudaNetwork>(backend);
}

}  // namespace kronite::cuda
