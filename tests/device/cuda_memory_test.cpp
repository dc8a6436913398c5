// Memory of the GPU: lent by a caller's pool for every byte, given back, not growing, and survived
// when it runs out. What every operation does when a piece is refused: tests/ops/lent_memory_test.
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <string>

#include "cases/linalg_cases.hpp"
#include "cases/network_cases.hpp"
#include "cases/select_cases.hpp"
#include "cuda_pool.hpp"
#include "device/backend.hpp"  // for linalg
#include "kronite/csp.hpp"     // for score_pairs, top_k_rows

namespace kronite::test {
namespace {

class CudaMemory : public OnGpu {
 protected:
  Device lent(std::size_t limit = 0) {
    DeviceOptions options;
    options.memory_limit = limit;
    options.allocator = pool().allocator();
    return Device::cuda(0, stream(), options);
  }

  std::size_t free_bytes() {
    stream().wait();
    std::size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total));
    return free;
  }
};

/// Scores, lists and a factorisation: fused kernels, cuBLAS, CUB's sorts and cuSOLVER.
struct Work {
  explicit Work(Device& on)
      : device(on),
        scores(device, ScoreInputs<float>(published_2024(300))),
        long_lists(device, top_k_scores<float>({"", 8, 3000, 1100})),
        values(device, 8, 1100),
        indices(device, 8, 1100),
        matrix(device, 120, 120),
        positive(device, positive_definite<double>(120)) {}

  void run() {
    csp::score_pairs(device, scores.queries.view(), scores.candidates.view(), scores.pairs(),
                     scores.ensemble.view(), scores.p.vector());
    csp::top_k_rows(device, long_lists.view(), values.view(), indices.view());
    device.backend().copy(matrix.view().data, device.place(), positive.view().data, device.place(),
                          120 * 120 * sizeof(double));
    linalg<double>(device).cholesky(matrix.view());
  }

  Device& device;
  DeviceScore<float> scores;
  DeviceMatrix<float> long_lists;
  Array<float> values;
  Array<std::int32_t> indices;
  Array<double> matrix;
  DeviceMatrix<double> positive;
};

TEST_F(CudaMemory, IsLentForEveryByteAndGivenBack) {
  {
    Device device = lent();
    Work work(device);
    work.run();
    device.synchronize();
    EXPECT_GT(pool().requests, 10);
    EXPECT_EQ(pool().out, device.backend().memory_in_use());
  }
  stream().wait();
  EXPECT_EQ(pool().out, 0U);
  EXPECT_EQ(pool().used(), 0U) << "the pool still counts bytes as used";
}

TEST_F(CudaMemory, DoesNotGrowOverAThousandCalls) {
  Device device = lent();
  Work work(device);
  for (int call = 0; call < 10; ++call) work.run();
  device.synchronize();
  const std::size_t free_before = free_bytes(), in_use = device.backend().memory_in_use();
  const std::uint64_t reserved = pool().reserved(), most = pool().most_used(), used = pool().used();

  for (int call = 0; call < 1000; ++call) work.run();
  device.synchronize();

  EXPECT_EQ(device.backend().memory_in_use(), in_use);
  EXPECT_EQ(pool().used(), used);
  EXPECT_EQ(pool().most_used(), most);
  EXPECT_EQ(pool().reserved(), reserved);
  EXPECT_GE(free_bytes(), free_before) << "less of the GPU is free (another process can do that)";
}

TEST_F(CudaMemory, OfItsOwnDoesNotGrowOverAThousandCalls) {
  Device device = Device::cuda(0, stream());
  Work work(device);
  for (int call = 0; call < 10; ++call) work.run();
  device.synchronize();
  const std::size_t free_before = free_bytes();

  for (int call = 0; call < 1000; ++call) work.run();
  device.synchronize();

  EXPECT_GE(free_bytes(), free_before) << "less of the GPU is free (another process can do that)";
}

/// One clear sentence, and then the same device does the work.
TEST_F(CudaMemory, ThatRunsOutAtTheLimitIsOneErrorAndLeavesADeviceThatWorks) {
  Device device = lent(std::size_t{64} << 20);
  Work work(device);
  work.run();
  device.synchronize();
  const std::size_t in_use = device.backend().memory_in_use();
  try {
    Array<double>(device, 1 << 20, 16);
    ADD_FAILURE() << "128 MiB were given under a limit of 64";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::out_of_memory);
    EXPECT_NE(std::string(error.what()).find("limit of 64 MiB"), std::string::npos) << error.what();
  }
  EXPECT_EQ(device.backend().memory_in_use(), in_use);
  EXPECT_NO_THROW(work.run());
  EXPECT_NO_THROW(device.synchronize());
}

TEST_F(CudaMemory, OfTheWholeGpuUsedUpIsOneErrorAndLeavesADeviceThatWorks) {
  std::size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total));
  DeviceOptions options;
  options.memory_limit = 4 * total;  // so that the GPU refuses, and not the limit
  Device device = Device::cuda(0, stream(), options);
  Work work(device);
  try {
    Array<char>(device, static_cast<std::int64_t>(2 * total), 1);
    ADD_FAILURE() << "twice the memory of the GPU was given";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::out_of_memory) << error.what();
  }
  EXPECT_NO_THROW(work.run());
  EXPECT_NO_THROW(device.synchronize());
}

TEST_F(CudaMemory, ThatTheLenderRefusesIsOneErrorAndLeavesADeviceThatWorks) {
  Device device = lent();
  Work work(device);
  const std::int64_t before = pool().requests;
  work.run();
  device.synchronize();
  const std::int64_t made_once = pool().requests - before;
  work.run();
  device.synchronize();
  const std::int64_t pieces = pool().requests - before - made_once;
  const std::uint64_t out = pool().out;
  ASSERT_GT(pieces, 5);
  for (std::int64_t piece = 0; piece < pieces; ++piece) {
    SCOPED_TRACE(piece);
    pool().refused = pool().requests + piece;
    try {
      work.run();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::out_of_memory) << error.what();
    }
    EXPECT_EQ(pool().out, out);
    EXPECT_NO_THROW(work.run());
    EXPECT_NO_THROW(device.synchronize());
  }
}

}  // namespace
}  // namespace kronite::test
