// Networks on pairs of descriptors: cuBLAS for wide layers, one fused kernel for narrow networks.
#include <cstdint>

#include "cuda/cuda_backend.cuh"   // for CudaBackend
#include "kernels/activation.hpp"  // for activate, alike_probability
#include "kernels/element.hpp"     // for element
#include "kernels/phases.hpp"      // for GpuThreads
#include "kernels/score_block.hpp"

namespace kronite::cuda {
namespace {

// --- kernels -------------------------------------------------------------------------------------

constexpr int kRowThreads = 32;
constexpr int kRowsPerBlock = 8;

/// The row that the calling thread works on, when 32 threads share one and a block has 8.
__device__ std::int64_t thread_row() {
  return static_cast<std::int64_t>(blockIdx.x) * kRowsPerBlock + threadIdx.y;
}

/// out_p = |queries_i - candidates_j|.
/// Grid: one block of 32 x 8 threads per 8 pairs; 32 threads stride over the features of a pair.
/// Bounds: pairs past the end return. 64-bit index. Per value: 8 bytes read (mostly from the L2
/// cache: a query serves many pairs), 4 written; 2 operations.
__global__ void __launch_bounds__(kRowThreads* kRowsPerBlock)
    pair_differences_kernel(MatrixView<const float> queries, MatrixView<const float> candidates,
                            PairView pairs, MatrixView<float> out) {
  const std::int64_t pair = thread_row();
  if (pair >= pairs.query.size) return;
  const std::int64_t i = pairs.query.data[pair], j = pairs.candidate.data[pair];
  for (std::int64_t f = threadIdx.x; f < queries.cols; f += kRowThreads)
    element(out, pair, f) = fabsf(element(queries, i, f) - element(candidates, j, f));
}

/// out <- activation(out + bias).
/// Grid: one block of 32 x 8 threads per 8 rows; 32 threads stride over the units of a row. Bounds:
/// rows past the end return. 64-bit index. Per value: 8 bytes moved, 2 operations.
__global__ void __launch_bounds__(kRowThreads* kRowsPerBlock)
    bias_activation_kernel(const float* bias, Activation activation, MatrixView<float> out) {
  const std::int64_t row = thread_row();
  if (row >= out.rows) return;
  for (std::int64_t unit = threadIdx.x; unit < out.cols; unit += kRowThreads) {
    float& value = element(out, row, unit);
    value = activate(activation, value + bias[unit]);
  }
}

/// p_n <- scale P(alike) + beta p_n.
/// Grid: one thread per row of logits, 256 per block. Bounds: threads past the last row return.
/// 64-bit index. Per row: at most 16 bytes moved, some 20 operations.
__global__ void __launch_bounds__(256)
    probability_kernel(MatrixView<const float> logits, float scale, float beta, float* p) {
  const std::int64_t n = global_thread();
  if (n >= logits.rows) return;
  const float probability =
      alike_probability(&element(logits, n, 0), static_cast<int>(logits.cols));
  p[n] = scale * probability + (beta == 0.0F ? 0.0F : beta * p[n]);
}

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

 private:
  Backend& backend() override { return backend_; }

  CudaBackend& backend_;
};

void CudaNetwork::pair_differences(MatrixView<const float> queries,
                                   MatrixView<const float> candidates, PairView pairs,
                                   MatrixView<float> out) {
  if (pairs.query.size == 0) return;
  const CurrentDevice current(backend_.id());
  launch("pair_differences_kernel", pair_differences_kernel,
         blocks_for(pairs.query.size, kRowsPerBlock), dim3(kRowThreads, kRowsPerBlock),
         backend_.stream(), queries, candidates, pairs, out);
}

void CudaNetwork::dense(const DenseLayerView<float>& layer, MatrixView<const float> x,
                        MatrixView<float> out) {
  if (out.rows == 0 || out.cols == 0) return;
  const CurrentDevice current(backend_.id());
  backend_.linalg(float{}).gemm(1.0F, x, Op::none, layer.weight, Op::transpose, 0.0F, out);
  // Not cuBLASLt's ReLU epilogue: what that makes of NaN is not documented, and a NaN that becomes
  // a zero here comes out as a score.
  launch("bias_activation_kernel", bias_activation_kernel, blocks_for(out.rows, kRowsPerBlock),
         dim3(kRowThreads, kRowsPerBlock), backend_.stream(), layer.bias.data, layer.activation,
         out);
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
  if (!is_narrow(ensemble)) {
    NetworkOps<float>::score_pairs(queries, candidates, pairs, ensemble, precision, p);
    return;
  }
  if (p.size == 0) return;
  const CurrentDevice current(backend_.id());
  launch("score_kernel", score_kernel, blocks_for(p.size, kTile), kTileThreads, backend_.stream(),
         ScoreJob<float>{queries, candidates, pairs, p, score_ensemble(ensemble)});
}

}  // namespace

std::unique_ptr<NetworkOps<float>> make_network(CudaBackend& backend) {
  return std::make_unique<CudaNetwork>(backend);
}

}  // namespace kronite::cuda
