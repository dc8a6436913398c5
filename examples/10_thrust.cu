// 10: kronite between two Thrust algorithms on one stream: scores in a thrust::device_vector, their
// best in another (C++17).
//   build/cuda/bin/example_10_thrust               exits with 77 where there is no GPU
#include <cuda_runtime.h>
#include <thrust/device_vector.h>
#include <thrust/execution_policy.h>
#include <thrust/functional.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/transform.h>
#include <thrust/transform_reduce.h>

#include <cstdio>
#include <kronite/kronite.hpp>

constexpr int kRows = 1000, kColumns = 5000, kBest = 10;

/// Of every row the columns with the largest numbers are column, column - 1, and so on.
struct Score {
  __host__ __device__ static int peak(int row) { return kBest + 37 * row % (kColumns - kBest); }
  __host__ __device__ float operator()(int i) const {
    const int behind = peak(i / kColumns) - i % kColumns;
    return behind < 0 ? -1.F : 1.F / static_cast<float>(1 + behind);
  }
};

/// 1 where entry i of the lists names the column that it has to.
struct Right {
  const int* index;
  __device__ int operator()(int i) const {
    return index[i] == Score::peak(i / kBest) - i % kBest ? 1 : 0;
  }
};

int main() try {
  const auto why = kronite::Device::cuda_unavailable_reason();
  if (!why.empty()) return std::printf("no CUDA device: %s\n", why.c_str()), 77;
  cudaStream_t stream = nullptr;
  if (cudaStreamCreate(&stream) != cudaSuccess) return 1;
  auto device = kronite::Device::cuda(0, stream);
  const kronite::Place gpu = device.place();
  const auto in_order = thrust::cuda::par_nosync.on(stream);  // queues, as kronite does

  thrust::device_vector<float> scores(kRows * kColumns), values(kRows * kBest);
  thrust::device_vector<int> index(kRows * kBest);
  const thrust::counting_iterator<int> first(0);
  thrust::transform(in_order, first, first + kRows * kColumns, scores.begin(), Score{});
  kronite::csp::top_k_rows(device, {scores.data().get(), kRows, kColumns, gpu},
                           {values.data().get(), kRows, kBest, gpu},
                           {index.data().get(), kRows, kBest, gpu});
  const int right = thrust::transform_reduce(in_order, first, first + kRows * kBest,
                                             Right{index.data().get()}, 0, thrust::plus<int>());
  std::printf("%d of %d places right\n", right, kRows * kBest);
  return right == kRows * kBest ? 0 : 1;
} catch (const std::exception& e) {
  return std::fprintf(stderr, "%s\n", e.what()), 1;
}
