// Squared distances and Gram matrices: one kernel, shared with the CPU tests (distance_block.hpp).
#include "cuda/cuda_backend.cuh"        // for CudaBackend
#include "kernels/distance_block.hpp"   // for distance_block
#include "kernels/kernel_function.hpp"  // for KernelFunction
#include "kernels/phases.hpp"           // for GpuThreads

namespace kronite::cuda {
namespace {

/// out_ij = f(sum_k f.step(x_ik - y_jk)).
/// Grid: one block of 256 threads per 64 x 64 tile of out, tiles counted row by row. Bounds: rows,
/// columns and features past the end load as zero and are not stored. 64-bit index.
/// Per value of out: d / 32 T read (each row serves 64), 1 T written; 2 or 3 d operations and f.
template <class T, class Function>
__global__ void __launch_bounds__(kTileThreads)
    distance_kernel(MatrixView<const T> x, MatrixView<const T> y, Function function,
                    MatrixView<T> out) {
  __shared__ DistanceShared<T> shared;
  GpuThreads<TileSums<T>> threads{static_cast<int>(threadIdx.x), {}};
  distance_block(blockIdx.x, x, y, function, out, shared, threads);
}

template <class T>
class CudaKernels final : public KernelOps<T> {
 public:
  explicit CudaKernels(CudaBackend& backend) : backend_(backend) {}

  void squared_distances(MatrixView<const T> x, MatrixView<const T> y, MatrixView<T> out) override {
    run(x, y, SquaredDistance<T>{}, out);
  }

  void gram(KernelKind kind, T s, MatrixView<const T> x, MatrixView<const T> y,
            MatrixView<T> out) override {
    with_kernel(kind, [&](auto constant) { run(x, y, KernelFunction<constant(), T>(s), out); });
  }

 private:
  template <class Function>
  void run(MatrixView<const T> x, MatrixView<const T> y, Function function, MatrixView<T> out) {
    if (out.rows == 0 || out.cols == 0) return;
    const CurrentDevice current(backend_.id());
    launch("distance_kernel", distance_kernel<T, Function>,
           blocks_for(tiles_along(out.rows) * tiles_along(out.cols), 1), kTileThreads,
           backend_.stream(), x, y, function, out);
  }

  CudaBackend& backend_;
};

}  // namespace

template <class T>
std::unique_ptr<KernelOps<T>> make_kernels(CudaBackend& backend) {
  return std::make_unique<CudaKernels<T>>(backend);
}
template std::unique_ptr<KernelOps<float>> make_kernels<float>(CudaBackend&);
template std::unique_ptr<KernelOps<double>> make_kernels<double>(CudaBackend&);

}  // namespace kronite::cuda
