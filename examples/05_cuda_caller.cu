// 05: a CUDA program that hands its own stream and device pointers to kronite (C++17).
//   build/cuda/bin/example_05_cuda_caller          exits with 77 where there is no GPU
#include <cuda_runtime.h>

#include <cstdio>
#include <kronite/kronite.hpp>
#include <vector>

static void check(cudaError_t code) {
  if (code != cudaSuccess) throw std::runtime_error(cudaGetErrorString(code));
}

template <class T>
static T* on_gpu(const std::vector<T>& values) {
  T* data = nullptr;
  check(cudaMalloc(&data, values.size() * sizeof(T)));
  check(cudaMemcpy(data, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice));
  return data;
}

int main() try {
  const auto why = kronite::Device::cuda_unavailable_reason();
  if (!why.empty()) {
    std::printf("no CUDA device: %s\n", why.c_str());
    return 77;
  }
  cudaStream_t stream = nullptr;
  check(cudaStreamCreate(&stream));
  auto device = kronite::Device::cuda(0, stream);  // borrowed: kronite works on it in order
  const kronite::Place gpu = device.place();

  // Two queries, three candidates, all pairs; one layer: P = 1 / (1 + exp(-(2 - 3 |d1| - 3 |d2|))).
  const float *queries = on_gpu<float>({0, 0, 1, 1}), *weight = on_gpu<float>({-3, -3}),
              *candidates = on_gpu<float>({0.9F, 1, 0.1F, 0, 0.5F, 0.4F}),
              *bias = on_gpu<float>({2});
  const int *query_of = on_gpu<int>({0, 0, 0, 1, 1, 1}),
            *candidate_of = on_gpu<int>({0, 1, 2, 0, 1, 2});
  float *p = on_gpu<float>(std::vector<float>(6)), *best = on_gpu<float>(std::vector<float>(2));
  int* index = on_gpu<int>(std::vector<int>(2));

  kronite::EnsembleView<float> ensemble;
  ensemble.members.push_back({{{{weight, 1, 2, gpu}, {bias, 1, gpu}, kronite::Activation::none}}});
  kronite::csp::score_pairs(device, {queries, 2, 2, gpu}, {candidates, 3, 2, gpu},
                            {{query_of, 6, gpu}, {candidate_of, 6, gpu}}, ensemble, {p, 6, gpu});
  kronite::csp::top_k_rows(device, {p, 2, 3, gpu}, {best, 2, 1, gpu}, {index, 2, 1, gpu});

  int nearest[2] = {-1, -1};
  check(cudaMemcpyAsync(nearest, index, sizeof nearest, cudaMemcpyDeviceToHost, stream));
  check(cudaStreamSynchronize(stream));
  std::printf("%s: nearest candidates %d and %d\n", device.description().c_str(), nearest[0],
              nearest[1]);
  return nearest[0] == 1 && nearest[1] == 0 ? 0 : 1;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
