// Distances and Gram matrices: one kernel, shared with the CPU tests (distance_block.hpp).
#include "cuda/cuda_backend.cuh"        // for CudaBackend
#include "kernels/distance_block.hpp"   // for distance_block
#include "kernels/element.hpp"          // for element
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

/// out_ij = f(distances_ij).
/// Grid: one thread per value, 256 per block. Bounds: threads past the last value return. 64-bit
/// index. Per value: one T read, one written; an exponential and 1 to 5 operations.
template <class T, class Function>
__global__ void __launch_bounds__(kTileThreads)
    gram_of_distances_kernel(MatrixView<const T> distances, Function function, MatrixView<T> out) {
  const std::int64_t n = global_thread();
  if (n >= out.rows * out.cols) return;
  const std::int64_t i = n / out.cols, j = n % out.cols;
  element(out, i, j) = function(element(distances, i, j));
}

/// The distance of a kernel function, without the function.
template <class T, class Function>
struct DistanceOf {
  template <class V>
  KRONITE_HD static V step(V difference) {
    return Function::step(difference);
  }
  KRONITE_HD T operator()(T distance) const { return distance; }
};

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

  void kernel_distances(KernelKind kind, MatrixView<const T> x, MatrixView<const T> y,
                        MatrixView<T> out) override {
    with_kernel(kind, [&](auto constant) {
      run(x, y, DistanceOf<T, KernelFunction<constant(), T>>{}, out);
    });
  }

  void gram_of_distances(KernelKind kind, T s, MatrixView<const T> distances,
                         MatrixView<T> out) override {
    if (out.rows == 0 || out.cols == 0) return;
    const CurrentDevice current(backend_.id());
    with_kernel(kind, [&](auto constant) {
      using Function = KernelFunction<constant(), T>;
      launch("gram_of_distances_kernel", gram_of_distances_kernel<T, Function>,
             blocks_for(out.rows * out.cols, kTileThreads), kTileThreads, backend_.stream(),
             distances, Function(s), out);
    });
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
