// What a device is to the library: memory, order, status, and the operation groups of ops.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "device/ops.hpp"      // for the operation groups
#include "kronite/device.hpp"  // for Allocator, DeviceOptions
#include "kronite/error.hpp"   // for Errc
#include "kronite/view.hpp"    // for Place

namespace kronite {

/// One backend object serves one Device: one stream, one set of library handles, one host thread.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual Place place() const = 0;
  virtual std::string description() const = 0;

  // --- memory -----------------------------------------------------------------------------------
  /// Takes memory from the lent allocator or the device, in stream order, 256-byte aligned. Throws
  /// out_of_memory, naming the amount asked for and the limit, and then nothing is held.
  void* allocate(std::size_t bytes);
  void release(void* pointer, std::size_t bytes) noexcept;
  std::size_t memory_limit() const { return limit_; }
  std::size_t memory_in_use() const { return in_use_; }

  /// Queues a copy between host and this device, or within one. Returns when host memory that was
  /// read may be reused; data that goes to the host is there after synchronize().
  virtual void copy(void* to, Place to_place, const void* from, Place from_place,
                    std::size_t bytes) = 0;

  // --- order and status -------------------------------------------------------------------------
  /// Waits, then throws the kept failure, if any, and forgets it.
  virtual void synchronize() = 0;

  // --- operations -------------------------------------------------------------------------------
  virtual LinalgOps<float>& linalg(float) = 0;
  virtual LinalgOps<double>& linalg(double) = 0;
  virtual KernelOps<float>& kernels(float) = 0;
  virtual KernelOps<double>& kernels(double) = 0;
  /// double: for gradient checks, on the CPU only; CUDA throws unavailable.
  virtual NetworkOps<float>& network(float) = 0;
  virtual NetworkOps<double>& network(double) = 0;
  /// double: as network().
  virtual TrainOps<float>& training(float) = 0;
  virtual TrainOps<double>& training(double) = 0;
  virtual SelectOps<float>& select(float) = 0;
  virtual SelectOps<double>& select(double) = 0;
  virtual SiteOps& sites() = 0;
  virtual MixtureOps& mixtures() = 0;
  virtual SimplexOps& simplex() = 0;
  virtual FunctionalOps& functional() = 0;
  virtual RaggedOps& ragged() = 0;
  virtual GroupOps& group() = 0;

 protected:
  /// Throws invalid_argument when only one of the allocator's two functions is given.
  Backend(const DeviceOptions& options, CUstream_st* stream);

  /// The device's own memory; null when there is none left.
  virtual void* take(std::size_t bytes) = 0;
  virtual void give_back(void* pointer) noexcept = 0;

  Allocator allocator_;
  std::size_t limit_ = 0;
  std::size_t in_use_ = 0;
  CUstream_st* stream_ = nullptr;
};

/// Shorthand of algorithms: linalg<double>(device).gemm(...).
template <class T>
LinalgOps<T>& linalg(Device& d) {
  return d.backend().linalg(T{});
}
template <class T>
KernelOps<T>& kernels(Device& d) {
  return d.backend().kernels(T{});
}
template <class T>
NetworkOps<T>& network(Device& d) {
  return d.backend().network(T{});
}
template <class T>
TrainOps<T>& training(Device& d) {
  return d.backend().training(T{});
}
template <class T>
SelectOps<T>& select(Device& d) {
  return d.backend().select(T{});
}

// --- the CUDA module ----------------------------------------------------------------------------

/// What libkronite_cuda.so exports under the name kronite_cuda_module. `version` is checked first.
struct CudaModule {
  int version;
  /// Devices that can be used; 0 with a reason in `why` (a sentence, owned by the module).
  int (*device_count)(const char** why);
  /// Throws Error; the caller owns the result.
  Backend* (*make)(int id, CUstream_st* stream, const DeviceOptions& options);
};
/// Raised by one whenever Backend or an operation group changes.
inline constexpr int kCudaModuleVersion = 9;

}  // namespace kronite
