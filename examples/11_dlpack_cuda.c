/* 11: DLPack tensors on a GPU, from C99: another library's scores go in, results come out as
 * tensors that a library can take; nothing is copied. build/cuda/bin/example_11_dlpack_cuda exits
 * with 77 where there is no GPU */
#include <cuda_runtime_api.h>
#include <dlpack/dlpack.h>
#include <kronite/kronite.h>
#include <stdio.h>
#include <stdlib.h>

static void check(int code, const char* why) {
  if (code == 0) return;
  fprintf(stderr, "%s\n", why);
  exit(1);
}
#define CUDA(call) check(call, #call)
#define KRONITE(call) check(call, kronite_last_error())

/* As PyTorch or CuPy would describe a 2 x 4 matrix of theirs. */
static void theirs_is_done(DLManagedTensor* tensor) { CUDA(cudaFree(tensor->dl_tensor.data)); }

int main(void) {
  const float scores[8] = {1, 9, 3, 7, 4, 5, 8, 2};
  int64_t shape[2] = {2, 4};
  DLManagedTensor theirs = {{0}, NULL, theirs_is_done}, *values = NULL, *places = NULL;
  kronite_device* device = NULL;
  kronite_array in, best, index;
  int32_t found[4] = {-1, -1, -1, -1};
  char why[512];

  KRONITE(kronite_cuda_unavailable_reason(why, sizeof why, NULL));
  if (why[0]) return printf("no CUDA device: %s\n", why), 77;
  theirs.dl_tensor.device.device_type = kDLCUDA;
  theirs.dl_tensor.dtype.code = kDLFloat;
  theirs.dl_tensor.dtype.bits = 32;
  theirs.dl_tensor.dtype.lanes = 1;
  theirs.dl_tensor.ndim = 2;
  theirs.dl_tensor.shape = shape;
  CUDA(cudaMalloc(&theirs.dl_tensor.data, sizeof scores));
  CUDA(cudaMemcpy(theirs.dl_tensor.data, scores, sizeof scores, cudaMemcpyHostToDevice));

  KRONITE(kronite_device_open("cuda", NULL, &device));
  KRONITE(kronite_array_of_dlpack(&theirs, &in));
  KRONITE(kronite_dlpack_new(device, KRONITE_F32, in.rows, 2, &values, &best));
  KRONITE(kronite_dlpack_new(device, KRONITE_I32, in.rows, 2, &places, &index));
  KRONITE(kronite_top_k_rows_f32(device, in.place, in.data, in.rows, in.cols, 2, best.data,
                                 index.data));
  KRONITE(kronite_device_synchronize(device)); /* before another stream reads them */

  CUDA(cudaMemcpy(found, places->dl_tensor.data, sizeof found, cudaMemcpyDeviceToHost));
  printf("the two best of each row: %d %d and %d %d, in a tensor of %d x %d on device type %d\n",
         (int)found[0], (int)found[1], (int)found[2], (int)found[3],
         (int)places->dl_tensor.shape[0], (int)places->dl_tensor.shape[1],
         (int)places->dl_tensor.device.device_type);
  theirs.deleter(&theirs);
  values->deleter(values);
  places->deleter(places);
  kronite_device_close(device);
  return !(found[0] == 1 && found[1] == 3 && found[2] == 2 && found[3] == 1);
}
