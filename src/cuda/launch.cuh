// Launching kernels: sizes are 64-bit, every launch is checked.
#pragma once

#include <cstdint>
#include <limits>

#include "cuda/check.cuh"  // for check

namespace kronite::cuda {

/// Makes device `id` current for a scope and then restores the caller's.
class CurrentDevice {
 public:
  explicit CurrentDevice(int id) : id_(id) {
    KRONITE_CHECK(cudaGetDevice(&before_));
    if (before_ != id_) KRONITE_CHECK(cudaSetDevice(id_));
  }
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;
  ~CurrentDevice() {
    if (before_ != id_) static_cast<void>(cudaSetDevice(before_));
  }

 private:
  int id_;
  int before_ = 0;
};

/// Blocks that cover `items` with `per_block` each. A one-dimensional grid takes 2^31 - 1, more
/// than the items of any array that fits a GPU need.
inline unsigned blocks_for(std::int64_t items, std::int64_t per_block) {
  const std::int64_t blocks = (items + per_block - 1) / per_block;
  if (blocks > std::numeric_limits<std::int32_t>::max())
    throw Error(Errc::invalid_argument,
                std::to_string(items) + " items are more than one CUDA launch can take");
  return static_cast<unsigned>(blocks);
}

/// Queues kernel<<<blocks, threads>>>(args...) on `stream`; `name` is for the error message.
template <class... Parameters, class... Args>
void launch(const char* name, void (*kernel)(Parameters...), dim3 blocks, dim3 threads,
            cudaStream_t stream, Args&&... args) {
  cudaLaunchConfig_t config{};
  config.gridDim = blocks;
  config.blockDim = threads;
  config.stream = stream;
  // This form returns the launch's own error, not one that the caller's code left behind.
  check(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(args)...), name);
}

/// Index of the calling thread in a one-dimensional grid.
__device__ inline std::int64_t global_thread() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

}  // namespace kronite::cuda
