// Regression of functions: sums over a row are one block (row_block.hpp), all else one thread per
// value.
#include <cstdint>

#include "cuda/cuda_backend.cuh"  // for CudaBackend
#include "kernels/element.hpp"    // for element
#include "kernels/phases.hpp"     // for GpuThreads
#include "kernels/row_block.hpp"  // for row_block, length_scale_block
#include "kernels/smoothing.hpp"  // for scaled, smoothing_omega, band_value

namespace kronite::cuda {
namespace {

// --- kernels -------------------------------------------------------------------------------------

constexpr int kThreads = 256;

/// out_ij = alpha row_i x_ij column_j + beta out_ij.
/// Grid: one thread per value, 256 per block. Bounds: threads past the last value return. 64-bit
/// index. Per value: 8 or 16 bytes read, 8 written (the vectors come from the caches); 3 to 5
/// operations.
__global__ void __launch_bounds__(kThreads)
    scale_rows_columns_kernel(double alpha, VectorView<const double> row,
                              MatrixView<const double> x, VectorView<const double> column,
                              double beta, MatrixView<double> out) {
  const std::int64_t n = global_thread();
  if (n >= x.rows * x.cols) return;
  const std::int64_t i = n / x.cols, j = n % x.cols;
  const double factor = row.size == 0 ? alpha : alpha * row.data[i];
  double& value = element(out, i, j);
  value = scaled(factor, element(x, i, j), column, j, beta, value);
}

/// out_i = x_ii.
/// Grid: one thread per row, 256 per block. Bounds: threads past the last row return. 64-bit index.
/// Per row: 8 bytes read, 8 written; no operation.
__global__ void __launch_bounds__(kThreads)
    diagonal_kernel(MatrixView<const double> x, double* out) {
  const std::int64_t i = global_thread();
  if (i < x.rows) out[i] = element(x, i, i);
}

/// x_ii <- x_ii + alpha + v_i.
/// Grid: one thread per row, 256 per block. Bounds: threads past the last row return. 64-bit index.
/// Per row: 16 bytes read, 8 written; 2 operations.
__global__ void __launch_bounds__(kThreads)
    add_to_diagonal_kernel(double alpha, const double* v, MatrixView<double> x) {
  const std::int64_t i = global_thread();
  if (i < x.rows) element(x, i, i) += alpha + (v ? v[i] : 0.0);
}

/// Sums over the columns of each row.
/// Grid: one block of 128 threads per row. Bounds: columns past the end are not read. 64-bit index.
/// Per value of dots: 16 bytes read, 2 operations; of components: 8 bytes read, a logarithm, three
/// divisions and some 20 operations. 7 barriers per row.
template <class Sums>
__global__ void __launch_bounds__(kRowSumThreads) row_sums_kernel(Sums what) {
  __shared__ RowShared<Sums::kKinds> shared;
  GpuThreads<RowRegisters> threads{static_cast<int>(threadIdx.x), {}};
  row_block(static_cast<std::int64_t>(blockIdx.x), what, shared, threads);
}

/// out_ij = omega_ij y_ij.
/// Grid: one thread per value, 256 per block. Bounds: threads past the last value return. 64-bit
/// index. Per value: 8 bytes read, 8 written; two divisions and 4 operations.
__global__ void __launch_bounds__(kThreads)
    smoothing_residual_kernel(Smoothing smoothing, MatrixView<const double> y,
                              MatrixView<double> out) {
  const std::int64_t n = global_thread();
  if (n >= y.rows * y.cols) return;
  const std::int64_t i = n / y.cols, j = n % y.cols;
  element(out, i, j) = smoothing_omega(smoothing, i, j) * element(y, i, j);
}

/// Standard deviations, as BandView says.
/// Grid: one thread per value, 256 per block. Bounds: threads past the last value return. 64-bit
/// index. Per value: 8 bytes written (the vectors come from the caches); a root, 10 operations.
__global__ void __launch_bounds__(kThreads) band_kernel(BandView band, MatrixView<double> out) {
  const std::int64_t n = global_thread();
  if (n >= out.rows * out.cols) return;
  const std::int64_t i = n / out.cols, j = n % out.cols;
  element(out, i, j) = band_value(band, i, j);
}

/// Sums of derivatives by length scales.
/// Grid: one block of 128 threads per row of x. Bounds: rows and features past the end are neither
/// read nor written. 64-bit index. Per pair of rows: 16 p bytes read, which come from the caches
/// (one row of the two stays), 8 bytes of the weight; an exponential and 6 p operations.
template <KernelKind kind>
__global__ void __launch_bounds__(kRowSumThreads)
    length_scale_kernel(MatrixView<const double> x, MatrixView<const double> weight,
                        MatrixView<double> out) {
  __shared__ LengthScaleShared shared;
  GpuThreads<RowRegisters> threads{static_cast<int>(threadIdx.x), {}};
  length_scale_block<kind>(static_cast<std::int64_t>(blockIdx.x), x, weight, out, shared, threads);
}

// --- the group -----------------------------------------------------------------------------------
class CudaFunctional final : public FunctionalOps {
 public:
  explicit CudaFunctional(CudaBackend& backend) : backend_(backend) {}

  void scale(double alpha, VectorView<const double> row, MatrixView<const double> x,
             VectorView<const double> column, double beta, MatrixView<double> out) override {
    for_each(x.rows * x.cols, "scale_rows_columns_kernel", scale_rows_columns_kernel, alpha, row, x,
             column, beta, out);
  }

  void diagonal(MatrixView<const double> x, VectorView<double> out) override {
    for_each(x.rows, "diagonal_kernel", diagonal_kernel, x, out.data);
  }

  void add_to_diagonal(double alpha, VectorView<const double> v, MatrixView<double> x) override {
    for_each(x.rows, "add_to_diagonal_kernel", add_to_diagonal_kernel, alpha,
             v.size == 0 ? nullptr : v.data, x);
  }

  void row_dots(MatrixView<const double> x, MatrixView<const double> y,
                VectorView<double> out) override {
    for_each_row(x.rows, "row_sums_kernel", row_sums_kernel<DotSums>, DotSums{x, y, out.data});
  }

  void smoothing_sums(const Smoothing& smoothing, VectorView<const double> v,
                      MatrixView<const double> y, MatrixView<double> out) override {
    for_each_row(smoothing.s.size, "row_sums_kernel", row_sums_kernel<ComponentSums>,
                 ComponentSums{smoothing, v.data, y, out});
  }

  void smoothing_residual(const Smoothing& smoothing, MatrixView<const double> y,
                          MatrixView<double> out) override {
    for_each(y.rows * y.cols, "smoothing_residual_kernel", smoothing_residual_kernel, smoothing, y,
             out);
  }

  void band(const BandView& band, MatrixView<double> out) override {
    for_each(out.rows * out.cols, "band_kernel", band_kernel, band, out);
  }

  void length_scale_sums(KernelKind kind, MatrixView<const double> x,
                         MatrixView<const double> weight, MatrixView<double> out) override {
    with_kernel(kind, [&](auto constant) {
      for_each_row(x.rows, "length_scale_kernel", length_scale_kernel<constant()>, x, weight, out);
    });
  }

 private:
  /// Queues a kernel of one thread per item.
  template <class... Parameters, class... Args>
  void for_each(std::int64_t items, const char* name, void (*kernel)(Parameters...),
                const Args&... args) {
    if (items == 0) return;
    const CurrentDevice current(backend_.id());
    launch(name, kernel, blocks_for(items, kThreads), kThreads, backend_.stream(), args...);
  }

  /// Queues a kernel of one block per row.
  template <class... Parameters, class... Args>
  void for_each_row(std::int64_t rows, const char* name, void (*kernel)(Parameters...),
                    const Args&... args) {
    if (rows == 0) return;
    const CurrentDevice current(backend_.id());
    launch(name, kernel, blocks_for(rows, 1), kRowSumThreads, backend_.stream(), args...);
  }

  CudaBackend& backend_;
};

}  // namespace

std::unique_ptr<FunctionalOps> make_functional(CudaBackend& backend) {
  return std::make_unique<CudaFunctional>(backend);
}

}  // namespace kronite::cuda
