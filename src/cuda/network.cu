// Networks on pairs of descriptors: cuBLASLt for wide layers, one fused kernel for narrow networks.
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>

#include "cuda/cuda_backend.cuh"   // for CudaBackend
#include "device/scratch.hpp"      // for Scratch
#include "kernels/activation.hpp"  // for activate, alike_probability
#include "kernels/element.hpp"     // for element
#include "kernels/phases.hpp"      // for GpuThreads
#include "kernels/score_block.hpp"

namespace kronite::cuda {
namespace {

// --- kernels -------------------------------------------------------------------------------------

constexpr int kPairsPerBlock = 8;

/// out_p = |queries_i - candidates_j|.
/// Grid: one block of 32 x 8 threads per 8 pairs; a row of 32 threads strides over the features of
/// one pair. Bounds: pairs past the end return. 64-bit index. Per value: 8 bytes read (mostly from
/// the L2 cache: a query serves many pairs), 4 written; 2 operations.
__global__ void __launch_bounds__(32 * kPairsPerBlock)
    pair_differences_kernel(MatrixView<const float> queries, MatrixView<const float> candidates,
                            PairView pairs, MatrixView<float> out) {
  const std::int64_t pair = static_cast<std::int64_t>(blockIdx.x) * kPairsPerBlock + threadIdx.y;
  if (pair >= pairs.query.size) return;
  const std::int64_t i = pairs.query.data[pair], j = pairs.candidate.data[pair];
#pragma unroll 4
  for (std::int64_t f = threadIdx.x; f < queries.cols; f += 32)
    element(out, pair, f) = fabsf(element(queries, i, f) - element(candidates, j, f));
}

/// out <- activation(out + bias): what follows a product for which cuBLASLt has no fused form.
/// Grid: one thread per value, 256 per block. Bounds: threads past the last value return. 64-bit
/// index. Per value: 8 bytes moved, 2 operations.
__global__ void __launch_bounds__(256)
    bias_activation_kernel(const float* bias, Activation activation, MatrixView<float> out) {
  const std::int64_t n = global_thread();
  if (n >= out.rows * out.cols) return;
  const std::int64_t unit = n % out.cols;
  float& value = element(out, n / out.cols, unit);
  value = activate(activation, value + bias[unit]);
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

// --- dense layers by cuBLASLt --------------------------------------------------------------------

using MatmulDesc = Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using MatrixLayout = Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
using MatmulPreference = Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

MatrixLayout make_layout(std::int64_t rows, std::int64_t cols, std::int64_t ld) {
  cublasLtMatrixLayout_t layout = nullptr;
  KRONITE_CHECK(cublasLtMatrixLayoutCreate(&layout, CUDA_R_32F, static_cast<std::uint64_t>(rows),
                                           static_cast<std::uint64_t>(cols), ld));
  return MatrixLayout(layout);
}

template <class Value>
void set(const MatmulDesc& desc, cublasLtMatmulDescAttributes_t attribute, Value value) {
  KRONITE_CHECK(cublasLtMatmulDescSetAttribute(desc.get(), attribute, &value, sizeof value));
}

template <class Value>
void set(const MatmulPreference& preference, cublasLtMatmulPreferenceAttributes_t attribute,
         Value value) {
  KRONITE_CHECK(
      cublasLtMatmulPreferenceSetAttribute(preference.get(), attribute, &value, sizeof value));
}

/// The largest power of two up to 256 that divides the address: what a vectorised load may assume.
std::uint32_t alignment(const void* pointer) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer) | 256U;
  return static_cast<std::uint32_t>(address & (~address + 1));
}

/// One dense layer on one shape as cuBLASLt sees it. Column-major, out' = W x': W is `units` rows
/// stored as the columns of its transpose, and the bias runs along the rows of out'.
struct DenseProblem {
  DenseProblem(const DenseLayerView<float>& layer, MatrixView<const float> x, MatrixView<float> out)
      : weight(make_layout(layer.weight.cols, layer.weight.rows, layer.weight.ld)),
        input(make_layout(x.cols, x.rows, x.ld)),
        output(make_layout(out.cols, out.rows, out.ld)) {
    cublasLtMatmulDesc_t created = nullptr;
    KRONITE_CHECK(cublasLtMatmulDescCreate(&created, CUBLAS_COMPUTE_32F, CUDA_R_32F));
    desc.reset(created);
    set(desc, CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
    set(desc, CUBLASLT_MATMUL_DESC_EPILOGUE,
        layer.activation == Activation::relu ? CUBLASLT_EPILOGUE_RELU_BIAS
                                             : CUBLASLT_EPILOGUE_BIAS);
    set(desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, layer.bias.data);
  }

  MatmulDesc desc;
  MatrixLayout weight, input, output;
};

/// The chosen algorithm; `found` is false where cuBLASLt has none and gemm has to do.
struct DensePlan {
  bool found = false;
  cublasLtMatmulAlgo_t algorithm{};
  std::size_t workspace = 0;
};

/// Everything a choice depends on: shape, leading dimensions, activation, alignments.
using PlanKey = std::array<std::int64_t, 10>;

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
                   PairView pairs, const EnsembleView<float>& ensemble,
                   VectorView<float> p) override;

 private:
  Backend& backend() override { return backend_; }
  const DensePlan& plan(const DenseProblem& problem, const DenseLayerView<float>& layer,
                        MatrixView<const float> x, MatrixView<float> out);

  CudaBackend& backend_;
  std::map<PlanKey, DensePlan> plans_;
};

void CudaNetwork::pair_differences(MatrixView<const float> queries,
                                   MatrixView<const float> candidates, PairView pairs,
                                   MatrixView<float> out) {
  if (pairs.query.size == 0) return;
  const CurrentDevice current(backend_.id());
  launch("pair_differences_kernel", pair_differences_kernel,
         blocks_for(pairs.query.size, kPairsPerBlock), dim3(32, kPairsPerBlock), backend_.stream(),
         queries, candidates, pairs, out);
}

const DensePlan& CudaNetwork::plan(const DenseProblem& problem, const DenseLayerView<float>& layer,
                                   MatrixView<const float> x, MatrixView<float> out) {
  // The heuristic also looks at the bias pointer, so its alignment is part of the key.
  const PlanKey key{out.rows,
                    out.cols,
                    x.cols,
                    layer.weight.ld,
                    x.ld,
                    out.ld,
                    static_cast<std::int64_t>(layer.activation),
                    alignment(layer.weight.data),
                    alignment(x.data),
                    std::min(alignment(out.data), alignment(layer.bias.data))};
  const auto [place, is_new] = plans_.try_emplace(key);
  if (!is_new) return place->second;

  // What a product may use for split sums; taken from the scratch memory per call.
  const std::size_t workspace_limit =
      std::min<std::size_t>(std::size_t{32} << 20, backend_.memory_limit() / 16);
  cublasLtMatmulPreference_t created = nullptr;
  KRONITE_CHECK(cublasLtMatmulPreferenceCreate(&created));
  const MatmulPreference preference(created);
  const auto aligned = [&](std::size_t k) { return static_cast<std::uint32_t>(key[k]); };
  set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace_limit);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, aligned(7));
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, aligned(8));
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, aligned(9));
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, aligned(9));
  cublasLtMatmulHeuristicResult_t best{};
  int count = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(
      backend_.blas_lt(), problem.desc.get(), problem.weight.get(), problem.input.get(),
      problem.output.get(), problem.output.get(), preference.get(), 1, &best, &count);
  if (status == CUBLAS_STATUS_SUCCESS && count > 0 && best.state == CUBLAS_STATUS_SUCCESS)
    place->second = {true, best.algo, best.workspaceSize};
  return place->second;
}

void CudaNetwork::dense(const DenseLayerView<float>& layer, MatrixView<const float> x,
                        MatrixView<float> out) {
  if (out.rows == 0 || out.cols == 0) return;
  const CurrentDevice current(backend_.id());
  if (x.cols > 0) {
    const DenseProblem problem(layer, x, out);
    const DensePlan& chosen = plan(problem, layer, x, out);
    if (chosen.found) {
      const Scratch<std::byte> workspace(backend_, static_cast<std::int64_t>(chosen.workspace));
      const float one = 1.0F, zero = 0.0F;
      KRONITE_CHECK(cublasLtMatmul(backend_.blas_lt(), problem.desc.get(), &one, layer.weight.data,
                                   problem.weight.get(), x.data, problem.input.get(), &zero,
                                   out.data, problem.output.get(), out.data, problem.output.get(),
                                   &chosen.algorithm, workspace.data(), chosen.workspace,
                                   backend_.stream()));
      return;
    }
  }
  backend_.linalg(float{}).gemm(1.0F, x, Op::none, layer.weight, Op::transpose, 0.0F, out);
  launch("bias_activation_kernel", bias_activation_kernel, blocks_for(out.rows * out.cols, 256),
         256, backend_.stream(), layer.bias.data, layer.activation, out);
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
                              VectorView<float> p) {
  if (!is_narrow(ensemble)) {
    NetworkOps<float>::score_pairs(queries, candidates, pairs, ensemble, p);
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
