// A caller's CUDA memory pool and stream, for tests on a GPU: what is lent, and what the pool says.
#pragma once

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "kronite/device.hpp"  // for Device, Allocator

namespace kronite::test {

inline void check(cudaError_t status) {
  if (status != cudaSuccess) throw std::runtime_error(cudaGetErrorString(status));
}

/// A pool of GPU 0. It keeps what was given back, so that its high-water mark means something.
class CudaPool {
 public:
  CudaPool() {
    cudaMemPoolProps props{};
    props.allocType = cudaMemAllocationTypePinned;
    props.location.type = cudaMemLocationTypeDevice;
    check(cudaMemPoolCreate(&pool_, &props));
    std::uint64_t keep = UINT64_MAX;
    check(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &keep));
  }
  CudaPool(const CudaPool&) = delete;
  CudaPool& operator=(const CudaPool&) = delete;
  ~CudaPool() { static_cast<void>(cudaMemPoolDestroy(pool_)); }

  Allocator allocator() { return {allocate, release, this}; }
  std::uint64_t used() const { return attribute(cudaMemPoolAttrUsedMemCurrent); }
  std::uint64_t most_used() const { return attribute(cudaMemPoolAttrUsedMemHigh); }
  std::uint64_t reserved() const { return attribute(cudaMemPoolAttrReservedMemCurrent); }

  std::int64_t requests = 0;
  std::uint64_t out = 0;      ///< bytes asked for and not given back
  std::int64_t refused = -1;  ///< this request gets nothing

 private:
  std::uint64_t attribute(cudaMemPoolAttr name) const {
    std::uint64_t value = 0;
    check(cudaMemPoolGetAttribute(pool_, name, &value));
    return value;
  }
  static void* allocate(void* self, std::size_t bytes, CUstream_st* stream) {
    auto& pool = *static_cast<CudaPool*>(self);
    void* memory = nullptr;
    if (pool.requests++ == pool.refused) return nullptr;
    if (cudaMallocFromPoolAsync(&memory, bytes, pool.pool_, stream) != cudaSuccess) {
      static_cast<void>(cudaGetLastError());
      return nullptr;
    }
    pool.out += bytes;
    return memory;
  }
  static void release(void* self, void* memory, std::size_t bytes, CUstream_st* stream) {
    static_cast<CudaPool*>(self)->out -= bytes;
    EXPECT_EQ(cudaFreeAsync(memory, stream), cudaSuccess);
  }

  cudaMemPool_t pool_ = nullptr;
};

/// A stream that the caller owns and lends.
class CudaStream {
 public:
  CudaStream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;
  ~CudaStream() { static_cast<void>(cudaStreamDestroy(stream_)); }

  operator cudaStream_t() const { return stream_; }
  void wait() const { check(cudaStreamSynchronize(stream_)); }

 private:
  cudaStream_t stream_ = nullptr;
};

/// GPU 0 with a stream and a pool of ours. Tests are skipped, with the reason, where there is none.
class OnGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string why = Device::cuda_unavailable_reason();
    if (!why.empty()) GTEST_SKIP() << why;
    stream_.emplace();
    pool_.emplace();
  }

  CudaStream& stream() { return *stream_; }
  CudaPool& pool() { return *pool_; }

 private:
  std::optional<CudaStream> stream_;
  std::optional<CudaPool> pool_;
};

}  // namespace kronite::test
