// Kernel means of mixtures: kernels on the grids of features, sparse weights times H, and how far a
// target is from its mixture.
#include "cuda/cuda_backend.cuh"        // for CudaBackend
#include "kernels/element.hpp"          // for element
#include "kernels/kernel_function.hpp"  // for KernelFunction

namespace kronite::cuda {
namespace {

constexpr int kMixThreads = 128;
constexpr int kWarp = 32;
constexpr int kWarpsPerBlock = 4;

/// out_{i, f g + j} = k(|x_if - grid_fj|).
/// Grid: one thread per value, 256 per block. Bounds: threads past the last value return. 64-bit
/// index. Per value: 24 bytes read from the caches, 8 written; one exponential, 2 to 8 operations.
template <KernelKind kind>
__global__ void __launch_bounds__(256)
    grid_kernel(MatrixView<const double> x, MatrixView<const double> grid, const double* s,
                MatrixView<double> out) {
  const std::int64_t i = global_thread() / out.cols, column = global_thread() % out.cols;
  if (i >= out.rows) return;
  const std::int64_t f = column / grid.cols;
  const KernelFunction<kind, double> k(s[f]);
  element(out, i, column) = k(
      KernelFunction<kind, double>::step(element(x, i, f) - element(grid, f, column % grid.cols)));
}

/// out = W H.
/// Grid: one block of 128 threads per row; threads stride over the columns. Bounds: column <
/// out.cols. 64-bit index. Per value: 8 bytes per component of the row read from the L2 cache,
/// where H stays, and 8 written; 2 operations per component.
__global__ void __launch_bounds__(kMixThreads)
    mix_kernel(SparseRows w, MatrixView<const double> h, MatrixView<double> out) {
  const std::int64_t i = blockIdx.x;
  const std::int64_t begin = w.first.data[i] - w.first.data[0];
  const std::int64_t end = w.first.data[i + 1] - w.first.data[0];
  for (std::int64_t column = threadIdx.x; column < out.cols; column += kMixThreads) {
    double sum = 0;
    for (std::int64_t e = begin; e < end; ++e)
      sum += w.value.data[e] * element(h, w.column.data[e], column);
    element(out, i, column) = sum;
  }
}

__device__ double sum_of_warp(double value) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2)
    value += __shfl_xor_sync(0xFFFFFFFFU, value, offset);
  return value;
}

/// distance_i = |phi_i - (W H)_i|, length_i = |phi_i|.
/// Grid: one warp per row, four to a block; lanes stride over the columns. Bounds: warps past the
/// last row return whole. 64-bit index. Components without a weight are passed over by the whole
/// warp. Per value of phi: 8 bytes of it read, 8 of each weight and of each component that has one
/// from the caches; 2 operations per component and 5.
__global__ void __launch_bounds__(kWarp* kWarpsPerBlock)
    distance_kernel(MatrixView<const double> w, MatrixView<const double> h,
                    MatrixView<const double> phi, double* distance, double* length) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kWarpsPerBlock + threadIdx.y;
  if (i >= phi.rows) return;
  double apart = 0, size = 0;
  for (std::int64_t column = threadIdx.x; column < phi.cols; column += kWarp) {
    const double target = element(phi, i, column);
    double mean = 0;
    for (std::int64_t j = 0; j < w.cols; ++j) {
      const double weight = element(w, i, j);
      if (weight != 0) mean += weight * element(h, j, column);
    }
    apart += (target - mean) * (target - mean);
    size += target * target;
  }
  apart = sum_of_warp(apart);
  size = sum_of_warp(size);
  if (threadIdx.x != 0) return;
  distance[i] = sqrt(apart);
  length[i] = sqrt(size);
}

class CudaMixture final : public MixtureOps {
 public:
  explicit CudaMixture(CudaBackend& backend) : backend_(backend) {}

  void grid_kernels(KernelKind kind, MatrixView<const double> x, MatrixView<const double> grid,
                    VectorView<const double> s, MatrixView<double> out) override {
    if (out.rows == 0 || out.cols == 0) return;
    const CurrentDevice current(backend_.id());
    with_kernel(kind, [&](auto constant) {
      launch("grid_kernel", grid_kernel<constant()>, blocks_for(out.rows * out.cols, 256), 256,
             backend_.stream(), x, grid, s.data, out);
    });
  }

  void mix_rows(const SparseRows& w, MatrixView<const double> h, MatrixView<double> out) override {
    if (out.rows == 0 || out.cols == 0) return;
    const CurrentDevice current(backend_.id());
    launch("mix_kernel", mix_kernel, blocks_for(out.rows, 1), kMixThreads, backend_.stream(), w, h,
           out);
  }

  void mixture_distances(MatrixView<const double> w, MatrixView<const double> h,
                         MatrixView<const double> phi, VectorView<double> distance,
                         VectorView<double> length) override {
    if (phi.rows == 0) return;
    const CurrentDevice current(backend_.id());
    launch("distance_kernel", distance_kernel, blocks_for(phi.rows, kWarpsPerBlock),
           dim3(kWarp, kWarpsPerBlock), backend_.stream(), w, h, phi, distance.data, length.data);
  }

 private:
  CudaBackend& backend_;
};

}  // namespace

std::unique_ptr<MixtureOps> make_mixture(CudaBackend& backend) {
  return std::make_unique<CudaMixture>(backend);
}

}  // namespace kronite::cuda
