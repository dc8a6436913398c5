// Arrays of other libraries behind the C interface, as DLPack describes them.
#include <dlpack/dlpack.h>

#include <limits>
#include <memory>

#include "capi/guard.hpp"    // for guarded, given
#include "capi/handles.hpp"  // for kronite_device
#include "device/backend.hpp"

using kronite::Errc;
using kronite::fail;
using namespace kronite::capi;

namespace {

struct Type {
  std::int32_t number;
  std::uint8_t code, bits;
};
constexpr Type kTypes[] = {{KRONITE_F32, kDLFloat, 32},
                           {KRONITE_F64, kDLFloat, 64},
                           {KRONITE_I32, kDLInt, 32},
                           {KRONITE_I64, kDLInt, 64}};

std::int32_t type_of(DLDataType type) {
  for (const Type& known : kTypes)
    if (type.code == known.code && type.bits == known.bits && type.lanes == 1) return known.number;
  fail(Errc::invalid_argument,
       "the tensor has values of DLPack's type {} with {} bits and {} lanes, expected float32, "
       "float64, int32 or int64",
       type.code, type.bits, type.lanes);
}

kronite_place place_of(DLDevice device) {
  switch (static_cast<int>(device.device_type)) {
    case kDLCPU:
    case kDLCUDAHost:
      return {KRONITE_CPU, 0};
    case kDLCUDA:
    case kDLCUDAManaged:
      return {KRONITE_CUDA, device.device_id};
    default:
      fail(Errc::invalid_argument, "the tensor lies on DLPack's device {}, expected CPU or CUDA",
           static_cast<int>(device.device_type));
  }
}

/// Rows one behind the other, without gaps. Strides count values, and those of a dimension of one
/// mean nothing.
void require_contiguous(const DLTensor& t) {
  if (!t.strides) return;
  std::int64_t expected = 1;
  for (int k = t.ndim - 1; k >= 0; --k) {
    if (t.shape[k] > 1 && t.strides[k] != expected)
      fail(Errc::invalid_argument,
           "dimension {} of the tensor has a stride of {}, expected {}: a row-major array without "
           "gaps",
           k, t.strides[k], expected);
    expected *= t.shape[k];
  }
}

/// What a tensor of this interface owns.
struct Owned {
  kronite::Backend* backend;
  std::size_t bytes;
  std::int64_t shape[2];
  DLManagedTensor tensor;
};

void release(DLManagedTensor* tensor) {
  const std::unique_ptr<Owned> owned(static_cast<Owned*>(tensor->manager_ctx));
  owned->backend->release(owned->tensor.dl_tensor.data, owned->bytes);
}

}  // namespace

int kronite_array_of_dlpack(const DLManagedTensor* tensor, kronite_array* array) {
  return guarded([&] {
    const DLTensor& t = given(tensor, "tensor").dl_tensor;
    kronite_array& out = given(array, "array");
    if (t.ndim != 1 && t.ndim != 2)
      fail(Errc::invalid_argument, "the tensor has {} dimensions, expected 1 or 2", t.ndim);
    given(t.shape, "tensor->shape");
    kronite_array seen{};
    seen.rows = t.shape[0];
    seen.cols = t.ndim == 2 ? t.shape[1] : 1;
    if (seen.rows < 0 || seen.cols < 0)
      fail(Errc::invalid_argument, "the tensor cannot be {} x {}", seen.rows, seen.cols);
    seen.place = place_of(t.device);
    seen.type = type_of(t.dtype);
    const bool empty = seen.rows == 0 || seen.cols == 0;
    if (!empty) require_contiguous(t);
    if (given_array(t.data, empty, "tensor->data"))
      seen.data = static_cast<char*>(t.data) + t.byte_offset;
    out = seen;
  });
}

int kronite_dlpack_new(kronite_device* device, std::int32_t type, std::int64_t rows,
                       std::int64_t cols, DLManagedTensor** tensor, kronite_array* array) {
  return guarded([&] {
    kronite::Backend& backend = given(device, "device").device->backend();
    given(tensor, "tensor");
    const Type* known = nullptr;
    for (const Type& t : kTypes)
      if (t.number == type) known = &t;
    if (!known) fail(Errc::invalid_argument, "there is no type {} of values", type);
    const std::int64_t most = std::numeric_limits<std::int64_t>::max() / (known->bits / 8);
    if (rows < 0 || cols < 0 || (cols > 0 && rows > most / cols))
      fail(Errc::invalid_argument, "a matrix cannot be {} x {}", rows, cols);

    auto owned = std::make_unique<Owned>();
    const kronite::Place place = device->device->place();
    owned->backend = &backend;
    owned->bytes = static_cast<std::size_t>(rows * cols) * (known->bits / 8);
    owned->shape[0] = rows;
    owned->shape[1] = cols;
    DLTensor& t = owned->tensor.dl_tensor;
    t.device = {place.kind == kronite::DeviceKind::cuda ? kDLCUDA : kDLCPU, place.id};
    t.ndim = 2;
    t.dtype = {known->code, known->bits, 1};
    t.shape = owned->shape;
    owned->tensor.manager_ctx = owned.get();
    owned->tensor.deleter = release;
    t.data = backend.allocate(owned->bytes);

    if (array)
      *array = {t.data, rows, cols, {static_cast<std::int32_t>(place.kind), place.id}, type};
    *tensor = &owned.release()->tensor;
  });
}
