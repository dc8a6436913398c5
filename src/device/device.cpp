// Device handles: the CPU backend, or the CUDA module opened on first use.
#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "base/fail.hpp"        // for fail
#include "base/module.hpp"      // for open_module
#include "cpu/cpu_backend.hpp"  // for make_cpu_backend
#include "device/attachments.hpp"
#include "device/backend.hpp"  // for Backend, CudaModule
#include "kronite/array.hpp"   // for detail::allocate

#ifdef KRONITE_CUDA_STATIC
extern "C" const kronite::CudaModule* kronite_cuda_module();
#endif

namespace kronite {
namespace {

struct Opened {
  const CudaModule* module = nullptr;
  int devices = 0;
  std::string why;  // a sentence when devices == 0
};

#ifndef KRONITE_CUDA_STATIC
constexpr const char* kModuleName = "libkronite_cuda.so";

/// Sets module or why.
void load_module(Opened& opened) {
  const OpenedModule file = open_module(kModuleName, "KRONITE_CUDA_MODULE", "kronite_cuda_module");
  if (file.path.empty()) {
    opened.why = fmt::format("this installation of kronite has no CUDA module ({})", kModuleName);
    return;
  }
  if (!file.why.empty()) {
    // Mostly a CUDA library that is not installed; the loader names it.
    opened.why = fmt::format("the CUDA module cannot be loaded ({})", file.why);
    return;
  }
  using Entry = const CudaModule* (*)();
  const auto entry = reinterpret_cast<Entry>(file.entry);
  const CudaModule* module = entry ? entry() : nullptr;
  if (!module || module->version != kCudaModuleVersion) {
    opened.why = fmt::format("{} belongs to another version of kronite", file.path);
    return;
  }
  opened.module = module;
}
#endif

Opened open_module() {
  Opened opened;
#ifdef KRONITE_CUDA_STATIC
  opened.module = kronite_cuda_module();
#else
  load_module(opened);
  if (!opened.module) return opened;
#endif
  const char* why = "";
  opened.devices = opened.module->device_count(&why);
  if (opened.devices == 0) opened.why = why;
  return opened;
}

/// Opened once per process, on first use.
const Opened& cuda_module() {
  static const Opened opened = open_module();
  return opened;
}

}  // namespace

Device::Device(std::unique_ptr<Backend> backend)
    : backend_(std::move(backend)), attachments_(std::make_unique<Attachments>()) {}
Device::Device(Device&&) noexcept = default;
Device& Device::operator=(Device&& other) noexcept {
  attachments_ = std::move(other.attachments_);  // first: the old ones need the old backend
  backend_ = std::move(other.backend_);
  return *this;
}
Device::~Device() = default;

Device Device::cpu(const DeviceOptions& options) { return Device(make_cpu_backend(options)); }

Device Device::cuda(int id, CUstream_st* stream, const DeviceOptions& options) {
  const Opened& opened = cuda_module();
  if (opened.devices == 0) fail(Errc::unavailable, "there is no CUDA device: {}", opened.why);
  if (id < 0 || id >= opened.devices)
    fail(Errc::unavailable, "there is no CUDA device {}; this machine has {}, numbered from 0", id,
         opened.devices);
  return Device(std::unique_ptr<Backend>(opened.module->make(id, stream, options)));
}

double Device::auto_threshold() {
  // Opening the module and creating a context takes about half a second, in which a CPU core does
  // some 2e10 operations.
  return 1e11;
}

Device Device::parse(const std::string& name, double work, const DeviceOptions& options) {
  if (name == "cpu") return cpu(options);
  if (name == "auto")
    return work >= auto_threshold() && cuda_module().devices > 0 ? cuda(0, nullptr, options)
                                                                 : cpu(options);
  if (name == "cuda") return cuda(0, nullptr, options);
  int id = -1;
  const char* end = name.data() + name.size();
  if (name.rfind("cuda:", 0) == 0 && name.size() > 5 &&
      std::from_chars(name.data() + 5, end, id).ptr == end && id >= 0)
    return cuda(id, nullptr, options);
  fail(Errc::invalid_argument, "there is no device '{}': give auto, cpu, cuda or cuda:N", name);
}

std::vector<std::string> Device::available() {
  std::vector<std::string> names{"cpu"};
  for (int id = 0; id < cuda_module().devices; ++id) names.push_back(fmt::format("cuda:{}", id));
  return names;
}

std::string Device::cuda_unavailable_reason() {
  return cuda_module().devices > 0 ? "" : cuda_module().why;
}

Place Device::place() const { return backend_->place(); }
std::string Device::description() const { return backend_->description(); }
std::size_t Device::memory_limit() const { return backend_->memory_limit(); }
void Device::synchronize() { backend_->synchronize(); }

namespace detail {

void* allocate(Backend& backend, std::size_t bytes) { return backend.allocate(bytes); }
void release(Backend& backend, void* pointer, std::size_t bytes) noexcept {
  backend.release(pointer, bytes);
}
void copy(Backend& backend, void* to, Place to_place, const void* from, Place from_place,
          std::size_t bytes) {
  backend.copy(to, to_place, from, from_place, bytes);
}
void synchronize(Backend& backend) { backend.synchronize(); }

}  // namespace detail
}  // namespace kronite
