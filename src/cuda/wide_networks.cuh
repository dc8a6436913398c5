// score_pairs of ensembles with wide layers: layer by layer through cuBLAS, on tiles of pairs whose
// activations stay in the L2 cache. `A` is what the factors of products are kept in.
#pragma once

#include <cuda_bf16.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "cuda/cuda_backend.cuh"   // for CudaBackend
#include "cuda/launch.cuh"         // for launch, blocks_for
#include "device/scratch.hpp"      // for Scratch
#include "kernels/activation.hpp"  // for activate, alike_probability
#include "kernels/element.hpp"     // for element
#include "kronite/network.hpp"     // for EnsembleView, PairView, Precision

namespace kronite::cuda {

// --- kernels -------------------------------------------------------------------------------------

constexpr int kRowThreads = 32;
constexpr int kRowsPerBlock = 8;

/// The row that the calling thread works on, when 32 threads share one and a block has 8.
__device__ inline std::int64_t thread_row() {
  return static_cast<std::int64_t>(blockIdx.x) * kRowsPerBlock + threadIdx.y;
}

/// out_p = |queries_i - candidates_j|.
/// Grid: one block of 32 x 8 threads per 8 pairs; 32 threads stride over the features of a pair.
/// Bounds: pairs past the end return. 64-bit index. Per value: 8 bytes read (mostly from the L2
/// cache: a query serves many pairs), sizeof A written; 2 operations.
template <class A>
__global__ void __launch_bounds__(kRowThreads* kRowsPerBlock)
    pair_differences_kernel(MatrixView<const float> queries, MatrixView<const float> candidates,
                            PairView pairs, MatrixView<A> out) {
  const std::int64_t pair = thread_row();
  if (pair >= pairs.query.size) return;
  const std::int64_t i = pairs.query.data[pair], j = pairs.candidate.data[pair];
  for (std::int64_t f = threadIdx.x; f < queries.cols; f += kRowThreads)
    element(out, pair, f) =
        static_cast<A>(fabsf(element(queries, i, f) - element(candidates, j, f)));
}

/// y <- activation(z + bias); z and y may be one.
/// Grid: one block of 32 x 8 threads per 8 rows; 32 threads stride over the units of a row. Bounds:
/// rows past the end return. 64-bit index. Per value: 4 bytes read, sizeof A written; 2 operations.
template <class A>
__global__ void __launch_bounds__(kRowThreads* kRowsPerBlock)
    bias_activation_kernel(const float* bias, Activation activation, MatrixView<const float> z,
                           MatrixView<A> y) {
  const std::int64_t row = thread_row();
  if (row >= y.rows) return;
  for (std::int64_t unit = threadIdx.x; unit < y.cols; unit += kRowThreads)
    element(y, row, unit) =
        static_cast<A>(activate(activation, element(z, row, unit) + bias[unit]));
}

/// p_n <- scale P(alike) + beta p_n.
/// Grid: one thread per row of logits, 256 per block. Bounds: threads past the last row return.
/// 64-bit index. Per row: at most 16 bytes moved, some 20 operations.
static __global__ void __launch_bounds__(256)
    probability_kernel(MatrixView<const float> logits, float scale, float beta, float* p) {
  const std::int64_t n = global_thread();
  if (n >= logits.rows) return;
  const float probability =
      alike_probability(&element(logits, n, 0), static_cast<int>(logits.cols));
  p[n] = scale * probability + (beta == 0.0F ? 0.0F : beta * p[n]);
}

/// out <- in, rounded to A.
/// Grid: one block of 32 x 8 threads per 8 rows; 32 threads stride over a row. Bounds: rows past
/// the end return. 64-bit index. Per value: 4 bytes read, sizeof A written; 1 operation.
template <class A>
__global__ void __launch_bounds__(kRowThreads* kRowsPerBlock)
    round_kernel(MatrixView<const float> in, MatrixView<A> out) {
  const std::int64_t row = thread_row();
  if (row >= in.rows) return;
  for (std::int64_t j = threadIdx.x; j < in.cols; j += kRowThreads)
    element(out, row, j) = static_cast<A>(element(in, row, j));
}

template <class... Parameters, class... Args>
void launch_rows(CudaBackend& backend, const char* name, void (*kernel)(Parameters...),
                 std::int64_t rows, const Args&... args) {
  launch(name, kernel, blocks_for(rows, kRowsPerBlock), dim3(kRowThreads, kRowsPerBlock),
         backend.stream(), args...);
}

// --- products ------------------------------------------------------------------------------------

template <class A>
inline constexpr cudaDataType kDataType = CUDA_R_32F;
template <>
inline constexpr cudaDataType kDataType<__nv_bfloat16> = CUDA_R_16BF;

/// z = x W', sums in float.
template <class A>
void multiply(CudaBackend& backend, cublasComputeType_t compute, MatrixView<const A> x,
              MatrixView<const A> weight, MatrixView<float> z) {
  // Row-major is cuBLAS's transposed: z' = W x'.
  const float one = 1.0F, zero = 0.0F;
  const auto size = [](std::int64_t n) { return static_cast<int>(n); };
  KRONITE_CHECK(cublasGemmEx(backend.blas(), CUBLAS_OP_T, CUBLAS_OP_N, size(z.cols), size(z.rows),
                             size(x.cols), &one, weight.data, kDataType<A>, size(weight.ld), x.data,
                             kDataType<A>, size(x.ld), &zero, z.data, CUDA_R_32F, size(z.ld),
                             compute, CUBLAS_GEMM_DEFAULT));
}

// --- ensembles -----------------------------------------------------------------------------------

template <class A>
class WideNetworks {
 public:
  /// tf32: A is float.
  WideNetworks(CudaBackend& backend, const EnsembleView<float>& ensemble, std::int64_t inputs,
               Precision precision)
      : backend_(backend),
        ensemble_(ensemble),
        inputs_(inputs),
        compute_(precision == Precision::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F),
        width_(inputs) {
    for (const auto& member : ensemble.members)
      for (const auto& layer : member.layers) {
        width_ = std::max(width_, layer.weight.rows);
        weights_.push_back(
            std::make_unique<Scratch<A>>(backend, layer.weight.rows, padded(layer.weight.cols)));
        launch_rows(backend, "round_kernel", round_kernel<A>, layer.weight.rows, layer.weight,
                    rows_of(*weights_.back(), layer.weight.rows, layer.weight.cols));
      }
  }

  void score(MatrixView<const float> queries, MatrixView<const float> candidates, PairView pairs,
             float* p) {
    const std::int64_t n = pairs.query.size, tile = tile_pairs(n);
    const Scratch<A> differences(backend_, tile, padded(inputs_)),
        y(backend_, tile, padded(width_));
    const Scratch<float> z(backend_, tile, padded(width_));
    for (std::int64_t first = 0; first < n; first += tile) {
      const std::int64_t count = std::min(tile, n - first);
      const PairView part{{pairs.query.data + first, count, pairs.query.place},
                          {pairs.candidate.data + first, count, pairs.candidate.place}};
      const MatrixView<A> x = rows_of(differences, count, inputs_);
      launch_rows(backend_, "pair_differences_kernel", pair_differences_kernel<A>, count, queries,
                  candidates, part, x);
      run_members(x, y, z, p + first);
    }
  }

 private:
  /// Rows begin at multiples of 16 bytes, as tensor cores want them.
  static std::int64_t padded(std::int64_t cols) {
    constexpr std::int64_t kValues = 16 / sizeof(A);
    return (cols + kValues - 1) / kValues * kValues;
  }
  template <class T>
  MatrixView<T> rows_of(const Scratch<T>& s, std::int64_t rows, std::int64_t cols) const {
    return {s.data(), rows, cols, padded(cols), backend_.place()};
  }

  /// Differences, activations and sums of a tile fill three quarters of the L2 cache at most, and a
  /// half of what is left of the memory limit.
  std::int64_t tile_pairs(std::int64_t pairs) const {
    int cache = 0;
    KRONITE_CHECK(cudaDeviceGetAttribute(&cache, cudaDevAttrL2CacheSize, backend_.id()));
    const std::int64_t per_pair =
        (padded(inputs_) + padded(width_)) * static_cast<std::int64_t>(sizeof(A)) +
        padded(width_) * static_cast<std::int64_t>(sizeof(float));
    const auto left = static_cast<std::int64_t>(backend_.memory_limit() - backend_.memory_in_use());
    const std::int64_t fit = std::min(std::int64_t{cache} / 4 * 3, left / 2) / per_pair;
    constexpr std::int64_t kWhole = 128;  // rows of a product's block
    const std::int64_t tile = fit > kWhole ? fit / kWhole * kWhole : fit;
    return std::clamp<std::int64_t>(tile, 1, pairs);
  }

  void run_members(MatrixView<const A> differences, const Scratch<A>& y, const Scratch<float>& z,
                   float* p) {
    const std::int64_t count = differences.rows;
    const float share = 1.0F / static_cast<float>(ensemble_.members.size());
    auto weight = weights_.begin();
    for (const auto& member : ensemble_.members) {
      MatrixView<const A> x = differences;
      for (const auto& layer : member.layers) {
        const std::int64_t units = layer.weight.rows;
        const MatrixView<float> sums = rows_of(z, count, units);
        multiply<A>(backend_, compute_, x, rows_of(**weight++, units, layer.weight.cols), sums);
        // Not cuBLASLt's ReLU epilogue: what that makes of NaN is not documented, and a NaN that
        // becomes a zero here comes out as a score.
        if (&layer == &member.layers.back()) {
          add_bias(layer, sums, sums);  // logits are not rounded
          launch("probability_kernel", probability_kernel, blocks_for(count, 256), 256,
                 backend_.stream(), sums, share,
                 &member == &ensemble_.members.front() ? 0.0F : 1.0F, p);
        } else {
          const MatrixView<A> out = rows_of(y, count, units);
          add_bias(layer, sums, out);
          x = out;
        }
      }
    }
  }

  template <class T>
  void add_bias(const DenseLayerView<float>& layer, MatrixView<const float> z, MatrixView<T> y) {
    launch_rows(backend_, "bias_activation_kernel", bias_activation_kernel<T>, y.rows,
                layer.bias.data, layer.activation, z, y);
  }

  CudaBackend& backend_;
  const EnsembleView<float>& ensemble_;
  std::int64_t inputs_;
  cublasComputeType_t compute_;
  std::int64_t width_;
  std::vector<std::unique_ptr<Scratch<A>>> weights_;  // of all layers of all members
};

}  // namespace kronite::cuda
