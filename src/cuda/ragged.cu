// Least squares on curves of different lengths: the arithmetic of the CPU (kernels/ragged.hpp), one
// thread a value.
#include "cuda/cuda_backend.cuh"  // for CudaBackend
#include "device/scratch.hpp"     // for Scratch
#include "kernels/ragged.hpp"     // for ragged_value, ragged_transpose_value

namespace kronite::cuda {
namespace {

constexpr int kThreads = 256;

/// out_ns = sum_k basis_nk z_{i, sK + k}, i the curve of row n.
/// Grid: one thread per value of out, row by row, 256 per block. Bounds: threads past the last
/// value return. 64-bit index. Per value: 16 K bytes read, of which a row of the basis serves all
/// systems; 2 K operations.
__global__ void __launch_bounds__(kThreads)
    ragged_product_kernel(const std::int64_t* curve, MatrixView<const double> basis,
                          MatrixView<const double> z, MatrixView<double> out) {
  const std::int64_t i = global_thread();
  if (i >= out.rows * out.cols) return;
  const std::int64_t n = i / out.cols, s = i % out.cols;
  out.data[n * out.ld + s] = ragged_value(basis, n, z, curve[n], s);
}

/// out_{i, sK + k} = sum of basis_nk r_ns over the rows n of curve i.
/// Grid: one thread per value of out, row by row, 256 per block, so that neighbours read
/// neighbouring columns of the basis. Bounds: threads past the last value return. 64-bit index. Per
/// value: 16 bytes read and 2 operations for each row of the curve.
__global__ void __launch_bounds__(kThreads)
    ragged_transpose_kernel(const std::int64_t* first, MatrixView<const double> basis,
                            MatrixView<const double> r, MatrixView<double> out) {
  const std::int64_t i = global_thread();
  if (i >= out.rows * out.cols) return;
  const std::int64_t curve = i / out.cols, column = i % out.cols;
  out.data[curve * out.ld + column] = ragged_transpose_value(
      basis, column % basis.cols, r, column / basis.cols, first[curve], first[curve + 1]);
}

/// part_{c, s}: the sum of a_ij b_ij over block s of the rows of chunk c.
/// Grid: one block of 256 threads per chunk of kDotChunk rows and system, systems side by side.
/// Threads stride over the values of the chunk and end in a tree. Bounds: rows past the last one
/// are not read. 64-bit index. Per value: 16 bytes read, 2 operations.
__global__ void __launch_bounds__(kThreads)
    block_dots_kernel(MatrixView<const double> a, MatrixView<const double> b, std::int64_t systems,
                      double* parts) {
  __shared__ double sums[kThreads];
  const std::int64_t chunk = blockIdx.x / systems, s = blockIdx.x % systems;
  const std::int64_t width = a.cols / systems, begin = chunk * kDotChunk;
  const std::int64_t left = a.rows - begin;
  const std::int64_t values = (left < kDotChunk ? left : kDotChunk) * width;
  double sum = 0;
  for (std::int64_t v = threadIdx.x; v < values; v += kThreads) {
    const std::int64_t i = begin + v / width, j = s * width + v % width;
    sum += a.data[i * a.ld + j] * b.data[i * b.ld + j];
  }
  sums[threadIdx.x] = sum;
  for (int half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
  }
  if (threadIdx.x == 0) parts[blockIdx.x] = sums[0];
}

/// sums_s = sum of the parts of system s, chunk by chunk.
/// Grid: one thread per system, 256 per block. Bounds: threads past the last system return. 64-bit
/// index. Per system: 8 bytes read and 1 operation for each chunk, 8 bytes written.
__global__ void __launch_bounds__(kThreads)
    sum_parts_kernel(const double* parts, std::int64_t chunks, VectorView<double> sums) {
  const std::int64_t s = global_thread();
  if (s >= sums.size) return;
  double sum = 0;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) sum += parts[chunk * sums.size + s];
  sums.data[s] = sum;
}

/// y <- alpha_s x + beta_s y in block s.
/// Grid: one thread per value of y, 256 per block. Bounds: threads past the last value return.
/// 64-bit index. Per value: 16 bytes read, 8 written, 3 operations.
__global__ void __launch_bounds__(kThreads)
    combine_kernel(VectorView<const double> alpha, MatrixView<const double> x, const double* beta,
                   MatrixView<double> y) {
  const std::int64_t n = global_thread();
  if (n >= y.rows * y.cols) return;
  const std::int64_t i = n / y.cols, j = n % y.cols, s = j / (y.cols / alpha.size);
  const double ax = alpha.data[s] * x.data[i * x.ld + j];
  double& value = y.data[i * y.ld + j];
  value = beta[s] == 0 ? ax : ax + beta[s] * value;
}

/// x_{i, sK + k} <- x_{i, sK + k} / (w_i d_k + lambda).
/// Grid: one thread per value of x, 256 per block. Bounds: threads past the last value return.
/// 64-bit index. Per value: 8 bytes read and written, the spectra from the cache; 3 operations.
__global__ void __launch_bounds__(kThreads)
    divide_kernel(const double* w, VectorView<const double> d, double lambda,
                  MatrixView<double> x) {
  const std::int64_t n = global_thread();
  if (n >= x.rows * x.cols) return;
  const std::int64_t i = n / x.cols, j = n % x.cols;
  x.data[i * x.ld + j] /= w[i] * d.data[j % d.size] + lambda;
}

/// b_nm <- b_nm c_ij with i = row_n, j = column_m.
/// Grid: one thread per value of b, 256 per block. Bounds: threads past the last value return.
/// 64-bit index. Per value: 8 bytes read and written, its factor mostly from the cache; 1
/// operation.
__global__ void __launch_bounds__(kThreads)
    multiply_kernel(const std::int64_t* row, const std::int64_t* column, MatrixView<const double> c,
                    MatrixView<double> b) {
  const std::int64_t i = global_thread();
  if (i >= b.rows * b.cols) return;
  const std::int64_t n = i / b.cols, m = i % b.cols;
  b.data[n * b.ld + m] *= c.data[row[n] * c.ld + column[m]];
}

class CudaRagged final : public RaggedOps {
 public:
  explicit CudaRagged(CudaBackend& backend) : backend_(backend) {}

  void ragged_product(const RaggedRows& rows, MatrixView<const double> basis,
                      MatrixView<const double> z, MatrixView<double> out) override {
    per_value("ragged_product_kernel", ragged_product_kernel, out.rows * out.cols, rows.curve.data,
              basis, z, out);
  }

  void ragged_transpose_product(const RaggedRows& rows, MatrixView<const double> basis,
                                MatrixView<const double> r, MatrixView<double> out) override {
    per_value("ragged_transpose_kernel", ragged_transpose_kernel, out.rows * out.cols,
              rows.first.data, basis, r, out);
  }

  void block_dots(MatrixView<const double> a, MatrixView<const double> b,
                  VectorView<double> sums) override {
    if (sums.size == 0) return;
    const CurrentDevice current(backend_.id());
    const std::int64_t chunks = (a.rows + kDotChunk - 1) / kDotChunk;
    const Scratch<double> parts(backend_, chunks, sums.size);
    if (chunks > 0)
      launch("block_dots_kernel", block_dots_kernel, blocks_for(chunks * sums.size, 1), kThreads,
             backend_.stream(), a, b, sums.size, parts.data());
    launch("sum_parts_kernel", sum_parts_kernel, blocks_for(sums.size, kThreads), kThreads,
           backend_.stream(), parts.data(), chunks, sums);
  }

  void combine_blocks(VectorView<const double> alpha, MatrixView<const double> x,
                      VectorView<const double> beta, MatrixView<double> y) override {
    per_value("combine_kernel", combine_kernel, y.rows * y.cols, alpha, x, beta.data, y);
  }

  void divide_by_spectrum(VectorView<const double> w, VectorView<const double> d, double lambda,
                          MatrixView<double> x) override {
    per_value("divide_kernel", divide_kernel, x.rows * x.cols, w.data, d, lambda, x);
  }

  void multiply_by_curves(VectorView<const std::int64_t> row, VectorView<const std::int64_t> column,
                          MatrixView<const double> c, MatrixView<double> b) override {
    per_value("multiply_kernel", multiply_kernel, b.rows * b.cols, row.data, column.data, c, b);
  }

 private:
  template <class... Parameters, class... Args>
  void per_value(const char* name, void (*kernel)(Parameters...), std::int64_t values,
                 const Args&... args) {
    if (values == 0) return;
    const CurrentDevice current(backend_.id());
    launch(name, kernel, blocks_for(values, kThreads), kThreads, backend_.stream(), args...);
  }

  CudaBackend& backend_;
};

}  // namespace

std::unique_ptr<RaggedOps> make_ragged(CudaBackend& backend) {
  return std::make_unique<CudaRagged>(backend);
}

}  // namespace kronite::cuda
