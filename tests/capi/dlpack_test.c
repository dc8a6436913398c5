/* Arrays of other libraries: what a tensor must be like, and results that a tensor takes away. */
#include <dlpack/dlpack.h>
#include <kronite/kronite.h>
#include <stdint.h>

#include "expect.h"

/* A 3 x 4 matrix of float32 on the CPU, as a library would describe it. */
static DLManagedTensor matrix_of(float* values, int64_t* shape, int64_t* strides) {
  DLManagedTensor tensor;
  memset(&tensor, 0, sizeof tensor);
  tensor.dl_tensor.data = values;
  tensor.dl_tensor.device.device_type = kDLCPU;
  tensor.dl_tensor.ndim = 2;
  tensor.dl_tensor.dtype.code = kDLFloat;
  tensor.dl_tensor.dtype.bits = 32;
  tensor.dl_tensor.dtype.lanes = 1;
  tensor.dl_tensor.shape = shape;
  tensor.dl_tensor.strides = strides;
  return tensor;
}

static void test_in(void) {
  float values[24] = {0};
  int64_t shape[2] = {3, 4}, strides[2] = {4, 1};
  DLManagedTensor tensor = matrix_of(values, shape, strides);
  kronite_array array;

  EXPECT_OK(kronite_array_of_dlpack(&tensor, &array));
  EXPECT(array.data == values && array.rows == 3 && array.cols == 4 && array.type == KRONITE_F32);
  EXPECT(array.place.kind == KRONITE_CPU && array.place.id == 0);
  tensor.dl_tensor.strides = NULL; /* the same, by DLPack's rule */
  tensor.dl_tensor.byte_offset = 8;
  EXPECT_OK(kronite_array_of_dlpack(&tensor, &array));
  EXPECT(array.data == values + 2);

  /* A dimension of one may have any stride. */
  shape[0] = 1;
  strides[0] = 77;
  tensor.dl_tensor.strides = strides;
  EXPECT_OK(kronite_array_of_dlpack(&tensor, &array));
  shape[0] = 3;

  tensor.dl_tensor.ndim = 1;
  strides[0] = 1;
  tensor.dl_tensor.dtype.code = kDLInt;
  tensor.dl_tensor.dtype.bits = 64;
  tensor.dl_tensor.device.device_type = kDLCUDA;
  tensor.dl_tensor.device.device_id = 2;
  EXPECT_OK(kronite_array_of_dlpack(&tensor, &array));
  EXPECT(array.rows == 3 && array.cols == 1 && array.type == KRONITE_I64);
  EXPECT(array.place.kind == KRONITE_CUDA && array.place.id == 2);

  /* Nothing in it: no data, whatever the strides. */
  shape[0] = 0;
  tensor.dl_tensor.data = NULL;
  EXPECT_OK(kronite_array_of_dlpack(&tensor, &array));
  EXPECT(array.rows == 0 && array.data == NULL);
}

static void test_refused(void) {
  float values[24] = {0};
  int64_t shape[2] = {3, 4}, strides[2] = {8, 1};
  DLManagedTensor tensor = matrix_of(values, shape, strides);
  kronite_array array;
  memset(&array, 0, sizeof array);
  array.rows = 77;

  EXPECT_ERROR(kronite_array_of_dlpack(&tensor, &array), KRONITE_INVALID_ARGUMENT, "stride of 8");
  strides[0] = 1; /* column-major */
  strides[1] = 3;
  EXPECT_ERROR(kronite_array_of_dlpack(&tensor, &array), KRONITE_INVALID_ARGUMENT, "stride of 3");
  tensor.dl_tensor.strides = NULL;
  tensor.dl_tensor.ndim = 3;
  EXPECT_ERROR(kronite_array_of_dlpack(&tensor, &array), KRONITE_INVALID_ARGUMENT, "3 dimensions");
  tensor.dl_tensor.ndim = 0;
  EXPECT_ERROR(kronite_array_of_dlpack(&tensor, &array), KRONITE_INVALID_ARGUMENT, "0 dimensions");
  tensor.dl_tensor.ndim = 2;
  tensor.dl_tensor.dtype.bits = 16;
  EXPECT_ERROR(kronite_array_of_dlpack(&tensor, &array), KRONITE_INVALID_ARGUMENT, "16 bits");
  tensor.dl_tensor.dtype.bits = 32;
  tensor.dl_tensor.dtype.lanes = 2;
  EXPECT_ERROR(kronite_array_of_dlpack(&tensor, &array), KRONITE_INVALID_ARGUMENT, "2 lanes");
  tensor.dl_tensor.dtype.lanes = 1;
  tensor.dl_tensor.device.device_type = kDLMetal;
  EXPECT_ERROR(kronite_array_of_dlpack(&tensor, &array), KRONITE_INVALID_ARGUMENT, "CPU or CUDA");
  tensor.dl_tensor.device.device_type = kDLCPU;
  shape[0] = -1;
  EXPECT_ERROR(kronite_array_of_dlpack(&tensor, &array), KRONITE_INVALID_ARGUMENT, "-1 x 4");
  shape[0] = 3;
  tensor.dl_tensor.data = NULL;
  EXPECT_ERROR(kronite_array_of_dlpack(&tensor, &array), KRONITE_INVALID_ARGUMENT, "data is null");
  tensor.dl_tensor.shape = NULL;
  EXPECT_ERROR(kronite_array_of_dlpack(&tensor, &array), KRONITE_INVALID_ARGUMENT, "shape is null");
  EXPECT_ERROR(kronite_array_of_dlpack(NULL, &array), KRONITE_INVALID_ARGUMENT, "tensor is null");
  EXPECT_ERROR(kronite_array_of_dlpack(&tensor, NULL), KRONITE_INVALID_ARGUMENT, "array is null");
  EXPECT(array.rows == 77); /* left as it was */
}

/* Scores of somebody's tensor, into tensors that somebody else takes. */
static void test_out(void) {
  float scores[12] = {1, 9, 3, 7, 4, 4, 8, 2, 0, -1, -2, -3};
  int64_t shape[2] = {3, 4};
  DLManagedTensor tensor = matrix_of(scores, shape, NULL);
  kronite_device* device = open_cpu();
  kronite_array in, values, index;
  DLManagedTensor *best = NULL, *places = NULL, *nothing = NULL;

  EXPECT_OK(kronite_array_of_dlpack(&tensor, &in));
  EXPECT_OK(kronite_dlpack_new(device, KRONITE_F32, in.rows, 2, &best, &values));
  EXPECT_OK(kronite_dlpack_new(device, KRONITE_I32, in.rows, 2, &places, &index));
  EXPECT_OK(kronite_top_k_rows_f32(device, in.place, in.data, in.rows, in.cols, 2, values.data,
                                   index.data));
  EXPECT_OK(kronite_device_synchronize(device));

  EXPECT(best->dl_tensor.ndim == 2 && best->dl_tensor.shape[0] == 3);
  EXPECT(best->dl_tensor.shape[1] == 2 && best->dl_tensor.strides == NULL);
  EXPECT(best->dl_tensor.device.device_type == kDLCPU && best->dl_tensor.byte_offset == 0);
  EXPECT(best->dl_tensor.dtype.code == kDLFloat && best->dl_tensor.dtype.bits == 32);
  EXPECT(places->dl_tensor.dtype.code == kDLInt && places->dl_tensor.dtype.lanes == 1);
  EXPECT(((float*)best->dl_tensor.data)[0] == 9 && ((float*)best->dl_tensor.data)[3] == 4);
  EXPECT(((int32_t*)places->dl_tensor.data)[0] == 1 && ((int32_t*)places->dl_tensor.data)[5] == 1);

  EXPECT_OK(kronite_dlpack_new(device, KRONITE_F64, 0, 5, &nothing, NULL));
  nothing->deleter(nothing);
  nothing = NULL;
  EXPECT_ERROR(kronite_dlpack_new(device, 9, 1, 1, &nothing, NULL), KRONITE_INVALID_ARGUMENT,
               "type 9");
  EXPECT_ERROR(kronite_dlpack_new(device, KRONITE_F32, INT64_MAX, 2, &nothing, NULL),
               KRONITE_INVALID_ARGUMENT, "cannot be");
  EXPECT_ERROR(kronite_dlpack_new(device, KRONITE_F32, 1, -1, &nothing, NULL),
               KRONITE_INVALID_ARGUMENT, "cannot be");
  EXPECT_ERROR(kronite_dlpack_new(NULL, KRONITE_F32, 1, 1, &nothing, NULL),
               KRONITE_INVALID_ARGUMENT, "device is null");
  EXPECT_ERROR(kronite_dlpack_new(device, KRONITE_F32, 1, 1, NULL, NULL), KRONITE_INVALID_ARGUMENT,
               "tensor is null");
  EXPECT(nothing == NULL);

  best->deleter(best);
  places->deleter(places);
  kronite_device_close(device);
}

/* More than the device may hold is one error, and nothing is kept. */
static void test_memory(void) {
  kronite_device_options options;
  kronite_device* device = NULL;
  DLManagedTensor *tensor = NULL, *second = NULL;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.memory_limit = 1 << 20;
  EXPECT_OK(kronite_device_open("cpu", &options, &device));
  EXPECT_OK(kronite_dlpack_new(device, KRONITE_F64, 1 << 16, 1, &tensor, NULL));
  EXPECT_ERROR(kronite_dlpack_new(device, KRONITE_F64, 1 << 17, 1, &second, NULL),
               KRONITE_OUT_OF_MEMORY, "");
  EXPECT(second == NULL);
  tensor->deleter(tensor);
  EXPECT_OK(kronite_dlpack_new(device, KRONITE_F64, 1 << 16, 1, &second, NULL));
  second->deleter(second);
  kronite_device_close(device);
}

int main(void) {
  test_in();
  test_refused();
  test_out();
  test_memory();
  return 0;
}
