// 08: kronite works in a CUDA program's own memory pool, on its stream and in its order (C++17).
//   build/cuda/bin/example_08_cuda_pool            exits with 77 where there is no GPU
#include <cuda_runtime.h>

#include <cstdio>
#include <kronite/kronite.hpp>
#include <vector>

static cudaMemPool_t pool;
static std::size_t lent, given_back;

static void* lend(void*, std::size_t bytes, cudaStream_t stream) {
  void* memory = nullptr;
  if (cudaMallocFromPoolAsync(&memory, bytes, pool, stream) != cudaSuccess) return nullptr;
  lent += bytes;
  return memory;
}
static void take_back(void*, void* memory, std::size_t bytes, cudaStream_t stream) {
  given_back += bytes;
  cudaFreeAsync(memory, stream);
}

/// Two queries, three candidates, all pairs; 128 units: logit = 4 relu(1 - |d1| - |d2|) - 2.
static std::vector<int> nearest(cudaStream_t stream) {
  kronite::DeviceOptions options;
  options.allocator = {lend, take_back, nullptr};
  auto device = kronite::Device::cuda(0, stream, options);
  const auto on = [&](const std::vector<float>& v, int rows, int cols) {
    return kronite::Array<float>(device, v, rows, cols);  // in the pool; 05 passes own pointers
  };
  const auto queries = on({0, 0, 1, 1}, 2, 2),
             candidates = on({0.9F, 1, 0.1F, 0, 0.5F, 0.4F}, 3, 2), bias = on({-2}, 1, 1),
             wide = on(std::vector<float>(256, -1), 128, 2),
             one = on(std::vector<float>(128, 1), 128, 1),
             sum = on(std::vector<float>(128, 1 / 32.F), 1, 128);
  kronite::Array<int> from(device, {0, 0, 0, 1, 1, 1}, 6, 1), to(device, {0, 1, 2, 0, 1, 2}, 6, 1),
      index(device, 2, 1);
  kronite::Array<float> p(device, 2, 3), best(device, 2, 1);
  kronite::EnsembleView<float> ensemble;
  ensemble.members.push_back({{{wide.view(), one.vector(), kronite::Activation::relu},
                               {sum.view(), bias.vector(), kronite::Activation::none}}});
  kronite::csp::score_pairs(device, queries.view(), candidates.view(), {from.vector(), to.vector()},
                            ensemble, p.vector());
  kronite::csp::top_k_rows(device, p.view(), best.view(), index.view());
  return index.to_host();  // waits
}

int main() try {
  const auto why = kronite::Device::cuda_unavailable_reason();
  if (!why.empty()) return std::printf("no CUDA device: %s\n", why.c_str()), 77;
  const cudaMemPoolProps props{cudaMemAllocationTypePinned, {}, {cudaMemLocationTypeDevice, 0}};
  cudaStream_t stream = nullptr;
  if (cudaMemPoolCreate(&pool, &props) || cudaStreamCreate(&stream)) return 1;
  const std::vector<int> found = nearest(stream);
  std::printf("nearest candidates %d and %d\n", found[0], found[1]);
  const bool all = lent > 0 && lent == given_back;
  return std::printf("%zu bytes lent, %s given back\n", lent, all ? "all" : "not all"), all ? 0 : 1;
} catch (const std::exception& e) {
  return std::fprintf(stderr, "%s\n", e.what()), 1;
}
