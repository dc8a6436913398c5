/* 09: device pointers, a stream and a memory pool handed over from C99.
 *   build/cuda/bin/example_09_cuda_c_api           exits with 77 where there is no GPU */
#include <cuda_runtime_api.h>
#include <kronite/kronite.h>
#include <stdio.h>
#include <stdlib.h>

static size_t lent, given_back;

static void* lend(void* pool, size_t bytes, void* stream) {
  void* memory = NULL;
  if (cudaMallocFromPoolAsync(&memory, bytes, pool, stream) != cudaSuccess) return NULL;
  lent += bytes;
  return memory;
}
static void take_back(void* pool, void* memory, size_t bytes, void* stream) {
  (void)pool;
  given_back += bytes;
  cudaFreeAsync(memory, stream);
}

static void check(int code, const char* why) {
  if (code == 0) return;
  fprintf(stderr, "%s\n", why);
  exit(1);
}
#define CUDA(call) check(call, #call)
#define KRONITE(call) check(call, kronite_last_error())

int main(void) {
  enum { N = 1500, K = 1100 }; /* so long a list is sorted, which takes memory */
  kronite_device_options options = {sizeof options, 0, lend, take_back, NULL, 0, 0};
  const struct cudaMemPoolProps props = {
      cudaMemAllocationTypePinned, cudaMemHandleTypeNone, {cudaMemLocationTypeDevice, 0}};
  const kronite_place gpu = {KRONITE_CUDA, 0};
  kronite_device* device = NULL;
  cudaStream_t stream = NULL;
  float scores[N], *on_gpu = NULL;
  int32_t *index = NULL, best[K];
  char why[512];
  int i, right = 0;

  KRONITE(kronite_cuda_unavailable_reason(why, sizeof why, NULL));
  if (why[0]) return printf("no CUDA device: %s\n", why), 77;
  for (i = 0; i < N; ++i) scores[i] = (float)(i * 7 % N); /* each once */
  CUDA(cudaMemPoolCreate((cudaMemPool_t*)&options.allocator_context, &props));
  CUDA(cudaStreamCreate(&stream));
  CUDA(cudaMalloc((void**)&on_gpu, (N + K) * sizeof *on_gpu)); /* scores, then their best */
  CUDA(cudaMalloc((void**)&index, sizeof best));
  CUDA(cudaMemcpyAsync(on_gpu, scores, sizeof scores, cudaMemcpyHostToDevice, stream));
  KRONITE(kronite_device_open_cuda(0, stream, &options, &device));
  KRONITE(kronite_top_k_rows_f32(device, gpu, on_gpu, 1, N, K, on_gpu + N, index));
  CUDA(cudaMemcpyAsync(best, index, sizeof best, cudaMemcpyDeviceToHost, stream));
  CUDA(cudaStreamSynchronize(stream)); /* all of the above is in the order of the stream */
  kronite_device_close(device);
  for (i = 0; i < K; ++i) right += scores[best[i]] == (float)(N - 1 - i);
  printf("%d of %d places right, %lu bytes lent, %s given back\n", right, K, (unsigned long)lent,
         lent == given_back ? "all" : "not all");
  return right != K || lent == 0 || lent != given_back;
}
