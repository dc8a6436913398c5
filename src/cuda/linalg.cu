// Dense linear algebra by cuBLAS and cuSOLVER. Both are column-major: a row-major matrix is handed
// over as its transpose, so operands swap places and "lower" is called "upper".
#include <algorithm>
#include <type_traits>

#include "cuda/cuda_backend.cuh"  // for CudaBackend
#include "device/scratch.hpp"     // for Scratch
#include "kernels/element.hpp"    // for element

namespace kronite::cuda {
namespace {

// --- one name for both precisions ----------------------------------------------------------------
cublasStatus_t gemm(cublasHandle_t h, cublasOperation_t op_a, cublasOperation_t op_b,
                    std::int64_t m, std::int64_t n, std::int64_t k, const float* alpha,
                    const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
                    const float* beta, float* c, std::int64_t ldc) {
  return cublasSgemm_64(h, op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
cublasStatus_t gemm(cublasHandle_t h, cublasOperation_t op_a, cublasOperation_t op_b,
                    std::int64_t m, std::int64_t n, std::int64_t k, const double* alpha,
                    const double* a, std::int64_t lda, const double* b, std::int64_t ldb,
                    const double* beta, double* c, std::int64_t ldc) {
  return cublasDgemm_64(h, op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
cublasStatus_t trsm(cublasHandle_t h, cublasSideMode_t side, cublasOperation_t op, std::int64_t m,
                    std::int64_t n, const float* alpha, const float* u, std::int64_t ldu, float* b,
                    std::int64_t ldb) {
  return cublasStrsm_64(h, side, CUBLAS_FILL_MODE_UPPER, op, CUBLAS_DIAG_NON_UNIT, m, n, alpha, u,
                        ldu, b, ldb);
}
cublasStatus_t trsm(cublasHandle_t h, cublasSideMode_t side, cublasOperation_t op, std::int64_t m,
                    std::int64_t n, const double* alpha, const double* u, std::int64_t ldu,
                    double* b, std::int64_t ldb) {
  return cublasDtrsm_64(h, side, CUBLAS_FILL_MODE_UPPER, op, CUBLAS_DIAG_NON_UNIT, m, n, alpha, u,
                        ldu, b, ldb);
}

template <class T>
constexpr cudaDataType kType = std::is_same_v<T, float> ? CUDA_R_32F : CUDA_R_64F;

cublasOperation_t blas_op(Op op) { return op == Op::none ? CUBLAS_OP_N : CUBLAS_OP_T; }

// --- kernels -------------------------------------------------------------------------------------

/// c <- beta c (0 where beta is 0): gemm with an empty inner dimension.
/// Grid: one thread per value, 256 per block. Bounds: threads past the last value return. 64-bit
/// index. Per value: 2 T moved, 1 operation.
template <class T>
__global__ void __launch_bounds__(256) scale_kernel(T beta, MatrixView<T> c) {
  const std::int64_t n = global_thread();
  if (n >= c.rows * c.cols) return;
  T& value = element(c, n / c.cols, n % c.cols);
  value = beta == T{0} ? T{0} : beta * value;
}

constexpr int kTransposeTile = 32;
constexpr int kTransposeRows = 8;

/// out <- in', n x n. Reads and writes both run along rows, through a tile in shared memory.
/// Grid: one block of 32 x 8 threads per 32 x 32 tile. Bounds: checked per value. 64-bit index.
/// Per value: 2 T moved, no operation.
template <class T>
__global__ void __launch_bounds__(kTransposeTile* kTransposeRows)
    transpose_kernel(MatrixView<const T> in, MatrixView<T> out) {
  __shared__ T tile[kTransposeTile][kTransposeTile + 1];  // one more: no bank conflicts
  const std::int64_t tiles = (in.cols + kTransposeTile - 1) / kTransposeTile;
  const std::int64_t first_row = blockIdx.x / tiles * kTransposeTile;
  const std::int64_t first_col = blockIdx.x % tiles * kTransposeTile;
  for (int r = threadIdx.y; r < kTransposeTile; r += kTransposeRows) {
    const std::int64_t i = first_row + r, j = first_col + threadIdx.x;
    if (i < in.rows && j < in.cols) tile[r][threadIdx.x] = element(in, i, j);
  }
  __syncthreads();
  for (int r = threadIdx.y; r < kTransposeTile; r += kTransposeRows) {
    const std::int64_t i = first_col + r, j = first_row + threadIdx.x;
    if (i < out.rows && j < out.cols) element(out, i, j) = tile[threadIdx.x][r];
  }
}

/// Keeps the first failure.
__device__ void note(Failure* failure, Failing operation, std::int64_t size) {
  if (atomicCAS(&failure->operation, static_cast<int>(Failing::none),
                static_cast<int>(operation)) == static_cast<int>(Failing::none))
    failure->size = size;
}

/// A failure of `operation` is noted when the solver reported one, or when one of the n values that
/// it made (`stride` apart) is not finite, or not positive where it has to be: what solvers say
/// about NaN differs.
/// Grid: one thread per value, 256 per block. Bounds: threads past the last value return. 64-bit
/// index. Per value: 1 T read, 3 comparisons.
template <class T>
__global__ void __launch_bounds__(256)
    check_kernel(Failing operation, bool positive, const int* info, const T* values, std::int64_t n,
                 std::int64_t stride, Failure* failure) {
  const std::int64_t i = global_thread();
  if (i >= n) return;
  const T value = values[i * stride];
  const bool good = isfinite(value) && (!positive || value > T{0});
  if (!good || *info != 0) note(failure, operation, n);
}

/// out <- the lower triangle of `in`, zeros above, n x n. A value that is not finite is noted as a
/// failure and becomes zero: an iteration on NaN need not end.
/// Grid: one thread per value, 256 per block. Bounds: threads past the last value return. 64-bit
/// index. Per value: 2 T moved, 2 comparisons.
template <class T>
__global__ void __launch_bounds__(256)
    copy_lower_kernel(MatrixView<const T> in, MatrixView<T> out, Failure* failure) {
  const std::int64_t n = global_thread();
  if (n >= in.rows * in.cols) return;
  const std::int64_t i = n / in.cols, j = n % in.cols;
  T value = j <= i ? element(in, i, j) : T{0};
  if (!isfinite(value)) {
    note(failure, Failing::eigh, in.rows);
    value = T{0};
  }
  element(out, i, j) = value;
}

// --- the group -----------------------------------------------------------------------------------
template <class T>
class CudaLinalg final : public LinalgOps<T> {
 public:
  explicit CudaLinalg(CudaBackend& backend) : backend_(backend) {}

  void gemm(T alpha, MatrixView<const T> a, Op op_a, MatrixView<const T> b, Op op_b, T beta,
            MatrixView<T> c) override;
  void cholesky(MatrixView<T> a) override;
  void triangular_solve(Side side, Op op, MatrixView<const T> l, MatrixView<T> b) override;
  void eigh(MatrixView<T> a, VectorView<T> w) override;

 private:
  void check(Failing operation, bool positive, const int* info, const T* values, std::int64_t n,
             std::int64_t stride) {
    launch("check_kernel", check_kernel<T>, blocks_for(n, 256), 256, backend_.stream(), operation,
           positive, info, values, n, stride, backend_.failure());
  }

  CudaBackend& backend_;
};

template <class T>
void CudaLinalg<T>::gemm(T alpha, MatrixView<const T> a, Op op_a, MatrixView<const T> b, Op op_b,
                         T beta, MatrixView<T> c) {
  if (c.rows == 0 || c.cols == 0) return;
  const CurrentDevice current(backend_.id());
  const std::int64_t inner = op_a == Op::none ? a.cols : a.rows;
  if (inner == 0) {
    launch("scale_kernel", scale_kernel<T>, blocks_for(c.rows * c.cols, 256), 256,
           backend_.stream(), beta, c);
    return;
  }
  // C' = op(B)' op(A)', and the memory of a row-major matrix is its transpose, column-major.
  KRONITE_CHECK(cuda::gemm(backend_.blas(), blas_op(op_b), blas_op(op_a), c.cols, c.rows, inner,
                           &alpha, b.data, b.ld, a.data, a.ld, &beta, c.data, c.ld));
}

template <class T>
void CudaLinalg<T>::cholesky(MatrixView<T> a) {
  const std::int64_t n = a.rows;
  if (n == 0) return;
  const CurrentDevice current(backend_.id());
  const cusolverDnHandle_t solver = backend_.solver();
  const cusolverDnParams_t params = backend_.solver_params();
  std::size_t device_bytes = 0, host_bytes = 0;
  KRONITE_CHECK(cusolverDnXpotrf_bufferSize(solver, params, CUBLAS_FILL_MODE_UPPER, n, kType<T>,
                                            a.data, a.ld, kType<T>, &device_bytes, &host_bytes));
  const Scratch<std::byte> workspace(backend_, static_cast<std::int64_t>(device_bytes));
  const Scratch<int> info(backend_, 1);
  KRONITE_CHECK(cusolverDnXpotrf(solver, params, CUBLAS_FILL_MODE_UPPER, n, kType<T>, a.data, a.ld,
                                 kType<T>, workspace.data(), device_bytes,
                                 backend_.host_workspace(host_bytes), host_bytes, info.data()));
  check(Failing::cholesky, true, info.data(), a.data, n, a.ld + 1);
}

template <class T>
void CudaLinalg<T>::triangular_solve(Side side, Op op, MatrixView<const T> l, MatrixView<T> b) {
  if (b.rows == 0 || b.cols == 0) return;
  const CurrentDevice current(backend_.id());
  // In column-major terms L is U = L' and b is B', so the side is the other one: the transpose of
  // op(L)^-1 B is B' op(U)^-1.
  const T one{1};
  const cublasSideMode_t where = side == Side::left ? CUBLAS_SIDE_RIGHT : CUBLAS_SIDE_LEFT;
  KRONITE_CHECK(
      trsm(backend_.blas(), where, blas_op(op), b.cols, b.rows, &one, l.data, l.ld, b.data, b.ld));
}

template <class T>
void CudaLinalg<T>::eigh(MatrixView<T> a, VectorView<T> w) {
  const std::int64_t n = a.rows;
  if (n == 0) return;
  const CurrentDevice current(backend_.id());
  const cusolverDnHandle_t solver = backend_.solver();
  const cusolverDnParams_t params = backend_.solver_params();
  // cuSOLVER leaves one eigenvector per row of the row-major matrix; the contract wants columns.
  const Scratch<T> vectors(backend_, n, n);
  launch("copy_lower_kernel", copy_lower_kernel<T>, blocks_for(n * n, 256), 256, backend_.stream(),
         a, vectors.matrix(), backend_.failure());
  std::size_t device_bytes = 0, host_bytes = 0;
  KRONITE_CHECK(cusolverDnXsyevd_bufferSize(
      solver, params, CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_UPPER, n, kType<T>, vectors.data(),
      n, kType<T>, w.data, kType<T>, &device_bytes, &host_bytes));
  const Scratch<std::byte> workspace(backend_, static_cast<std::int64_t>(device_bytes));
  const Scratch<int> info(backend_, 1);
  KRONITE_CHECK(cusolverDnXsyevd(solver, params, CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_UPPER,
                                 n, kType<T>, vectors.data(), n, kType<T>, w.data, kType<T>,
                                 workspace.data(), device_bytes,
                                 backend_.host_workspace(host_bytes), host_bytes, info.data()));
  check(Failing::eigh, false, info.data(), w.data, n, 1);
  const std::int64_t tiles = (n + kTransposeTile - 1) / kTransposeTile;
  launch("transpose_kernel", transpose_kernel<T>, blocks_for(tiles * tiles, 1),
         dim3(kTransposeTile, kTransposeRows), backend_.stream(),
         MatrixView<const T>(vectors.matrix()), a);
}

}  // namespace

template <class T>
std::unique_ptr<LinalgOps<T>> make_linalg(CudaBackend& backend) {
  return std::make_unique<CudaLinalg<T>>(backend);
}
template std::unique_ptr<LinalgOps<float>> make_linalg<float>(CudaBackend&);
template std::unique_ptr<LinalgOps<double>> make_linalg<double>(CudaBackend&);

}  // namespace kronite::cuda
