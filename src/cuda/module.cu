// The one entry of libkronite_cuda.so: what GPUs there are, and a backend for one of them.
#include <string>

#include "cuda/cuda_backend.cuh"  // for CudaBackend

namespace kronite::cuda {
namespace {

/// CUDA's 13020 as "13.2".
std::string version(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

/// Why `status` means that no GPU can be used, as a sentence for a person.
std::string reason_for(cudaError_t status) {
  int driver = 0;
  static_cast<void>(cudaDriverGetVersion(&driver));
  if (driver == 0) return "no NVIDIA driver is installed (libcuda.so.1 was not found)";
  if (status == cudaErrorInsufficientDriver)
    return "the NVIDIA driver supports CUDA " + version(driver) +
           ", and kronite was built with CUDA " + version(CUDART_VERSION) + ": update the driver";
  if (status == cudaErrorNoDevice || status == cudaSuccess)
    return "the NVIDIA driver sees no GPU (CUDA_VISIBLE_DEVICES may hide it)";
  return std::string("the NVIDIA driver answers: ") + cudaGetErrorString(status);
}

int device_count(const char** why) {
  // Kept because the caller only borrows the sentence.
  static std::string reason;
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count > 0) return count;
  static_cast<void>(cudaGetLastError());
  reason = reason_for(status);
  *why = reason.c_str();
  return 0;
}

Backend* make(int id, CUstream_st* stream, const DeviceOptions& options) {
  return new CudaBackend(id, stream, options);
}

constexpr CudaModule kModule{kCudaModuleVersion, device_count, make};

}  // namespace
}  // namespace kronite::cuda

extern "C" __attribute__((visibility("default"))) const kronite::CudaModule* kronite_cuda_module();
const kronite::CudaModule* kronite_cuda_module() { return &kronite::cuda::kModule; }
