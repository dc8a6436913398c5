// The CUDA backend: one stream, its memory pool and library handles, and the operation groups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "cuda/launch.cuh"     // for CurrentDevice, KRONITE_CHECK
#include "device/backend.hpp"  // for Backend

namespace kronite::cuda {

/// Owns a handle of a CUDA library.
template <class Handle, auto destroy>
struct DestroyHandle {
  void operator()(Handle handle) const noexcept { static_cast<void>(destroy(handle)); }
};
template <class Handle, auto destroy>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, DestroyHandle<Handle, destroy>>;

/// Operations that can fail for numerical reasons.
enum class Failing : int { none = 0, cholesky = 1, eigh = 2 };

/// The first numerical failure since the last wait; lives on the device, written by kernels.
struct Failure {
  int operation;  ///< a Failing; an int for atomicCAS
  std::int64_t size;
};

class CudaBackend final : public Backend {
 public:
  /// Borrows `stream`, or makes a non-blocking one when it is null.
  CudaBackend(int id, CUstream_st* stream, const DeviceOptions& options);
  ~CudaBackend() override;

  Place place() const override { return {DeviceKind::cuda, id_}; }
  std::string description() const override;
  void copy(void* to, Place to_place, const void* from, Place from_place,
            std::size_t bytes) override;
  void synchronize() override;

  LinalgOps<float>& linalg(float) override { return *linalg_float_; }
  LinalgOps<double>& linalg(double) override { return *linalg_double_; }
  KernelOps<float>& kernels(float) override { return *kernels_float_; }
  KernelOps<double>& kernels(double) override { return *kernels_double_; }
  NetworkOps<float>& network(float) override { return *network_; }
  NetworkOps<double>& network(double) override;
  TrainOps<float>& training(float) override { return *training_; }
  TrainOps<double>& training(double) override;
  SelectOps<float>& select(float) override { return *select_float_; }
  SelectOps<double>& select(double) override { return *select_double_; }
  SiteOps& sites() override { return *sites_; }
  MixtureOps& mixtures() override { return *mixtures_; }
  SimplexOps& simplex() override { return *simplex_; }
  FunctionalOps& functional() override { return *functional_; }
  RaggedOps& ragged() override { return *ragged_; }
  GroupOps& group() override { return *group_; }

  // --- for the operations ---------------------------------------------------------------------
  int id() const { return id_; }
  cudaStream_t stream() const { return stream_; }
  /// Handles are made on first use, on the backend's device (which must be current), and bound to
  /// its stream. Products of floats are computed in float: TF32 is off.
  cublasHandle_t blas();
  cusolverDnHandle_t solver();
  cusolverDnParams_t solver_params();
  /// Where a kernel notes a numerical failure; synchronize() looks at it from now on.
  Failure* failure();
  /// Host memory that queued work may still use; freed by the next synchronize().
  void* host_workspace(std::size_t bytes);

 private:
  void* take(std::size_t bytes) override;
  void give_back(void* pointer) noexcept override;

  int id_;
  Owned<cudaStream_t, cudaStreamDestroy> own_stream_;
  Owned<cudaMemPool_t, cudaMemPoolDestroy> pool_;  // none where the caller lends memory
  Owned<cublasHandle_t, cublasDestroy_v2> blas_;
  Owned<cusolverDnHandle_t, cusolverDnDestroy> solver_;
  Owned<cusolverDnParams_t, cusolverDnDestroyParams> solver_params_;

  Failure* failure_ = nullptr;      // on the device
  void* blas_workspace_ = nullptr;  // on the device, as long as the handle
  std::size_t blas_workspace_bytes_ = 0;
  std::vector<std::unique_ptr<std::byte[]>> host_workspaces_;

  std::unique_ptr<LinalgOps<float>> linalg_float_;
  std::unique_ptr<LinalgOps<double>> linalg_double_;
  std::unique_ptr<KernelOps<float>> kernels_float_;
  std::unique_ptr<KernelOps<double>> kernels_double_;
  std::unique_ptr<NetworkOps<float>> network_;
  std::unique_ptr<TrainOps<float>> training_;
  std::unique_ptr<SelectOps<float>> select_float_;
  std::unique_ptr<SelectOps<double>> select_double_;
  std::unique_ptr<SiteOps> sites_;
  std::unique_ptr<MixtureOps> mixtures_;
  std::unique_ptr<SimplexOps> simplex_;
  std::unique_ptr<FunctionalOps> functional_;
  std::unique_ptr<RaggedOps> ragged_;
  std::unique_ptr<GroupOps> group_;
};

// Made in the .cu file that carries the group's name.
template <class T>
std::unique_ptr<LinalgOps<T>> make_linalg(CudaBackend& backend);
template <class T>
std::unique_ptr<KernelOps<T>> make_kernels(CudaBackend& backend);
std::unique_ptr<NetworkOps<float>> make_network(CudaBackend& backend);
std::unique_ptr<TrainOps<float>> make_training(CudaBackend& backend);
template <class T>
std::unique_ptr<SelectOps<T>> make_select(CudaBackend& backend);
std::unique_ptr<SiteOps> make_sites(CudaBackend& backend);
std::unique_ptr<MixtureOps> make_mixture(CudaBackend& backend);
std::unique_ptr<SimplexOps> make_simplex(CudaBackend& backend);
std::unique_ptr<FunctionalOps> make_functional(CudaBackend& backend);
std::unique_ptr<RaggedOps> make_ragged(CudaBackend& backend);
std::unique_ptr<GroupOps> make_group(CudaBackend& backend);

}  // namespace kronite::cuda
