// Devices behind the C interface.
#include <memory>

#include "capi/guard.hpp"    // for guarded, options_of, put_text
#include "capi/handles.hpp"  // for kronite_device

using kronite::Device;
using kronite::DeviceOptions;
using kronite::Errc;
using kronite::fail;
using namespace kronite::capi;

namespace {

void* lent_allocate(void* context, std::size_t bytes, CUstream_st* stream) {
  const auto& lent = *static_cast<const kronite_device_options*>(context);
  return lent.allocate(lent.allocator_context, bytes, stream);
}

void lent_release(void* context, void* pointer, std::size_t bytes, CUstream_st* stream) {
  const auto& lent = *static_cast<const kronite_device_options*>(context);
  lent.release(lent.allocator_context, pointer, bytes, stream);
}

/// A handle without its device, and the options to open that with.
std::unique_ptr<kronite_device> new_handle(const kronite_device_options* options,
                                           DeviceOptions& cpp) {
  auto handle = std::make_unique<kronite_device>();
  handle->options = options_of(options, "kronite_device_options");
  const kronite_device_options& c = handle->options;
  if (!c.allocate != !c.release)
    fail(Errc::invalid_argument, "a lent allocator needs both functions, allocate and release");
  cpp.memory_limit = c.memory_limit;
  cpp.threads = c.threads;
  if (c.allocate) cpp.allocator = {lent_allocate, lent_release, &handle->options};
  return handle;
}

}  // namespace

int kronite_device_open(const char* name, const kronite_device_options* options,
                        kronite_device** device) {
  return guarded([&] {
    given(name, "name");
    given(device, "device");
    DeviceOptions cpp;
    auto handle = new_handle(options, cpp);
    const double work = handle->options.work > 0 ? handle->options.work : 1e300;
    handle->device.emplace(Device::parse(name, work, cpp));
    *device = handle.release();
  });
}

int kronite_device_open_cuda(int id, void* stream, const kronite_device_options* options,
                             kronite_device** device) {
  return guarded([&] {
    given(device, "device");
    DeviceOptions cpp;
    auto handle = new_handle(options, cpp);
    handle->device.emplace(Device::cuda(id, static_cast<CUstream_st*>(stream), cpp));
    *device = handle.release();
  });
}

void kronite_device_close(kronite_device* device) { delete device; }

int kronite_device_synchronize(kronite_device* device) {
  return guarded([&] { given(device, "device").device->synchronize(); });
}

int kronite_device_description(const kronite_device* device, char* text, size_t capacity,
                               size_t* needed) {
  return guarded(
      [&] { put_text(given(device, "device").device->description(), text, capacity, needed); });
}

int kronite_device_count(size_t* count) {
  return guarded([&] { given(count, "count") = Device::available().size(); });
}

int kronite_device_name(size_t index, char* text, size_t capacity, size_t* needed) {
  return guarded([&] {
    const auto names = Device::available();
    if (index >= names.size())
      fail(Errc::invalid_argument, "there is no device number {}; this machine has {}", index,
           names.size());
    put_text(names[index], text, capacity, needed);
  });
}

int kronite_cuda_unavailable_reason(char* text, size_t capacity, size_t* needed) {
  return guarded([&] { put_text(Device::cuda_unavailable_reason(), text, capacity, needed); });
}

int kronite_device_place(const kronite_device* device, kronite_place* place) {
  return guarded([&] {
    const kronite::Place is = given(device, "device").device->place();
    given(place, "place") = {static_cast<std::int32_t>(is.kind), is.id};
  });
}
