// Memory, order and status of the CUDA backend.
#include "cuda/cuda_backend.cuh"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace kronite::cuda {
namespace {

cudaDeviceProp properties(int id) {
  cudaDeviceProp p{};
  KRONITE_CHECK(cudaGetDeviceProperties(&p, id));
  return p;
}

std::string name_of(const cudaDeviceProp& p, int id) {
  return std::string(p.name) + " (cuda:" + std::to_string(id) + ")";
}

/// Refuses GPUs that this build has no code for, or that lack what the backend stands on.
void require_usable(int id) {
  const cudaDeviceProp p = properties(id);
  if (p.major < 8)
    throw Error(Errc::unavailable, name_of(p, id) + " has compute capability " +
                                       std::to_string(p.major) + "." + std::to_string(p.minor) +
                                       "; kronite's CUDA module needs 8.0 or newer");
  if (!p.memoryPoolsSupported)
    throw Error(Errc::unavailable, name_of(p, id) +
                                       " offers no memory pools here (cudaMallocAsync), which "
                                       "kronite needs");
}

cudaStream_t make_stream() {
  cudaStream_t stream = nullptr;
  KRONITE_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  return stream;
}

/// A pool of this backend alone, so that the settings of the caller's default pool stay as they
/// are. It keeps up to `keep` bytes between calls instead of giving them back at every wait.
cudaMemPool_t make_pool(int id, std::uint64_t keep) {
  cudaMemPoolProps props{};
  props.allocType = cudaMemAllocationTypePinned;
  props.handleTypes = cudaMemHandleTypeNone;
  props.location.type = cudaMemLocationTypeDevice;
  props.location.id = id;
  cudaMemPool_t pool = nullptr;
  KRONITE_CHECK(cudaMemPoolCreate(&pool, &props));
  Owned<cudaMemPool_t, cudaMemPoolDestroy> owned(pool);
  KRONITE_CHECK(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep));
  return owned.release();
}

/// An own stream may count on the GPU; beside a caller's work a quarter of it is taken at most.
std::size_t default_limit(bool own_stream) {
  std::size_t free_bytes = 0, total_bytes = 0;
  KRONITE_CHECK(cudaMemGetInfo(&free_bytes, &total_bytes));
  return own_stream ? free_bytes / 5 * 4 : free_bytes / 4;
}

/// What NVIDIA advises for cuBLAS: 32 MiB from Hopper on, 4 MiB before. Under a tight limit a
/// sixteenth of that, but never less than the 64 KiB that every routine can do with.
std::size_t blas_workspace_bytes(int id, std::size_t limit) {
  int major = 0;
  KRONITE_CHECK(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, id));
  const std::size_t advised = major >= 9 ? std::size_t{32} << 20 : std::size_t{4} << 20;
  return std::clamp<std::size_t>(limit / 16 / 256 * 256, std::size_t{64} << 10, advised);
}

/// In the words of the CPU backend.
std::string sentence_of(const Failure& failure) {
  const std::string n = std::to_string(failure.size);
  const std::string shape = n + " x " + n + " matrix";
  if (failure.operation == static_cast<int>(Failing::cholesky))
    return "Cholesky: the " + shape + " is not positive definite";
  return "eigen-decomposition: the iteration on the " + shape + " does not converge";
}

}  // namespace

CudaBackend::CudaBackend(int id, CUstream_st* stream, const DeviceOptions& options)
    : Backend(options, stream), id_(id) {
  require_usable(id_);
  const CurrentDevice current(id_);
  if (!stream_) {
    own_stream_.reset(make_stream());
    stream_ = own_stream_.get();
  }
  if (limit_ == 0) limit_ = default_limit(own_stream_ != nullptr);
  if (!allocator_.allocate) pool_.reset(make_pool(id_, limit_));
  linalg_float_ = make_linalg<float>(*this);
  linalg_double_ = make_linalg<double>(*this);
  kernels_float_ = make_kernels<float>(*this);
  kernels_double_ = make_kernels<double>(*this);
  network_ = make_network(*this);
  training_ = make_training(*this);
  select_float_ = make_select<float>(*this);
  select_double_ = make_select<double>(*this);
  sites_ = make_sites(*this);
  mixtures_ = make_mixture(*this);
  simplex_ = make_simplex(*this);
  functional_ = make_functional(*this);
  ragged_ = make_ragged(*this);
  group_ = make_group(*this);
}

CudaBackend::~CudaBackend() {
  try {
    const CurrentDevice current(id_);
    release(failure_, sizeof(Failure));
    if (!host_workspaces_.empty()) KRONITE_CHECK(cudaStreamSynchronize(stream_));
    // Before the stream that they are bound to. cuBLAS and cuSOLVER wait for the device here.
    solver_params_.reset();
    solver_.reset();
    blas_.reset();
    release(blas_workspace_, blas_workspace_bytes_);
    // What queued work still uses is kept by the driver until the work is done.
    pool_.reset();
    own_stream_.reset();
  } catch (const Error&) {
    // The GPU is lost; there is nothing left to give back to.
  }
}

std::string CudaBackend::description() const { return name_of(properties(id_), id_); }

void CudaBackend::copy(void* to, Place to_place, const void* from, Place from_place,
                       std::size_t bytes) {
  if (bytes == 0) return;
  const CurrentDevice current(id_);
  if (to_place.kind == DeviceKind::cuda && from_place.kind == DeviceKind::cuda &&
      to_place.id != from_place.id)
    KRONITE_CHECK(cudaMemcpyPeerAsync(to, to_place.id, from, from_place.id, bytes, stream_));
  else
    KRONITE_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_));
  // Pinned memory is read while the copy runs, and on some systems pageable memory too; the caller
  // may change it as soon as this call returns.
  if (from_place.kind == DeviceKind::cpu) KRONITE_CHECK(cudaStreamSynchronize(stream_));
}

void CudaBackend::synchronize() {
  const CurrentDevice current(id_);
  Failure seen{};
  if (failure_) {
    KRONITE_CHECK(cudaMemcpyAsync(&seen, failure_, sizeof seen, cudaMemcpyDeviceToHost, stream_));
    KRONITE_CHECK(cudaMemsetAsync(failure_, 0, sizeof seen, stream_));
  }
  KRONITE_CHECK(cudaStreamSynchronize(stream_));
  host_workspaces_.clear();
  if (seen.operation != 0) throw Error(Errc::numerical, sentence_of(seen));
}

TrainOps<double>& CudaBackend::training(double) {
  throw Error(Errc::unavailable, "training in double precision runs on the CPU only");
}

NetworkOps<double>& CudaBackend::network(double) {
  throw Error(Errc::unavailable, "networks in double precision run on the CPU only");
}

cublasHandle_t CudaBackend::blas() {
  if (!blas_) {
    cublasHandle_t handle = nullptr;
    KRONITE_CHECK(cublasCreate(&handle));
    decltype(blas_) made(handle);  // kept only once it is bound to the stream
    KRONITE_CHECK(cublasSetStream(handle, stream_));
    KRONITE_CHECK(cublasSetMathMode(handle, CUBLAS_DEFAULT_MATH));
    // Working memory like all other: lent, counted, and the same one in a captured graph. After the
    // stream, which would take it away again.
    if (!blas_workspace_) {
      const std::size_t bytes = blas_workspace_bytes(id_, limit_);
      blas_workspace_ = allocate(bytes);
      blas_workspace_bytes_ = bytes;
    }
    KRONITE_CHECK(cublasSetWorkspace(handle, blas_workspace_, blas_workspace_bytes_));
    blas_ = std::move(made);
  }
  return blas_.get();
}

cusolverDnHandle_t CudaBackend::solver() {
  if (!solver_) {
    cusolverDnHandle_t handle = nullptr;
    KRONITE_CHECK(cusolverDnCreate(&handle));
    decltype(solver_) made(handle);
    KRONITE_CHECK(cusolverDnSetStream(handle, stream_));
    solver_ = std::move(made);
  }
  return solver_.get();
}

cusolverDnParams_t CudaBackend::solver_params() {
  if (!solver_params_) {
    cusolverDnParams_t params = nullptr;
    KRONITE_CHECK(cusolverDnCreateParams(&params));
    solver_params_.reset(params);
  }
  return solver_params_.get();
}

Failure* CudaBackend::failure() {
  if (!failure_) {
    failure_ = static_cast<Failure*>(allocate(sizeof(Failure)));
    // If this fails, the GPU is lost and no later call succeeds.
    KRONITE_CHECK(cudaMemsetAsync(failure_, 0, sizeof(Failure), stream_));
  }
  return failure_;
}

void* CudaBackend::host_workspace(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  host_workspaces_.push_back(std::make_unique<std::byte[]>(bytes));
  return host_workspaces_.back().get();
}

void* CudaBackend::take(std::size_t bytes) {
  const CurrentDevice current(id_);
  void* pointer = nullptr;
  const cudaError_t status = cudaMallocFromPoolAsync(&pointer, bytes, pool_.get(), stream_);
  if (status == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());  // null says it; the next check must not
    return nullptr;
  }
  check(status, "cudaMallocFromPoolAsync");
  return pointer;
}

void CudaBackend::give_back(void* pointer) noexcept {
  if (!pointer) return;
  try {
    const CurrentDevice current(id_);
    KRONITE_CHECK(cudaFreeAsync(pointer, stream_));
  } catch (const Error&) {
    // The GPU is lost, and its memory with it; the next call says so.
  }
}

}  // namespace kronite::cuda
