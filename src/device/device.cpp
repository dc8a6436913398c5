// Device handles: the CPU backend, or the CUDA module opened on first use.
#include <omp.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/ascii.hpp"       // for trimmed
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

/// The number in "cuda:N", 0 of "cuda"; -1 of anything else.
int cuda_id(const std::string& name) {
  if (name == "cuda") return 0;
  int id = -1;
  const char* end = name.data() + name.size();
  const bool good = name.rfind("cuda:", 0) == 0 && name.size() > 5 &&
                    std::from_chars(name.data() + 5, end, id).ptr == end;
  return good && id >= 0 ? id : -1;
}

/// "cuda:all,cpu" is {"cuda:0", "cuda:1", "cpu"} on a machine with two GPUs.
std::vector<std::string> names_of_all(const std::string& names) {
  std::vector<std::string> list;
  const bool several = names.find(',') != std::string::npos;
  for (std::size_t begin = 0, place = 1; begin <= names.size(); ++place) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    const std::string name(trimmed(std::string_view(names).substr(begin, end - begin)));
    begin = end + 1;
    if (several && name.empty())
      fail(Errc::invalid_argument, "the list of devices '{}' has no name in place {}", names,
           place);
    if (several && name == "auto")
      fail(Errc::invalid_argument,
           "the list of devices '{}' has 'auto' in place {}, which chooses one device and stands "
           "alone",
           names, place);
    if (name == "cuda:all") {
      const Opened& opened = cuda_module();
      if (opened.devices == 0) fail(Errc::unavailable, "there is no CUDA device: {}", opened.why);
      for (int id = 0; id < opened.devices; ++id) list.push_back(fmt::format("cuda:{}", id));
    } else if (name == "auto" || name == "cpu" || cuda_id(name) >= 0) {
      list.push_back(name == "cuda" ? "cuda:0" : name);
    } else {
      fail(Errc::invalid_argument,
           "there is no device '{}'{}: give auto, cpu, cuda, cuda:N, cuda:all, or several with "
           "commas between them",
           name, several ? fmt::format(", in place {} of '{}'", place, names) : "");
    }
  }
  return list;
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
  if (const int id = cuda_id(name); id >= 0) return cuda(id, nullptr, options);
  if (name == "cuda:all" || name.find(',') != std::string::npos)
    fail(Errc::invalid_argument,
         "'{}' names several devices, and this works on one: give auto, cpu, cuda or cuda:N", name);
  fail(Errc::invalid_argument, "there is no device '{}': give auto, cpu, cuda or cuda:N", name);
}

std::vector<Device> Device::parse_all(const std::string& names, double work,
                                      const DeviceOptions& options) {
  const std::vector<std::string> list = names_of_all(names);
  std::map<std::string, int> shares;
  for (const std::string& name : list) ++shares[name];
  std::map<std::string, DeviceOptions> own;
  for (const auto& [name, count] : shares) {
    own[name] = options;
    if (count > 1 && options.memory_limit == 0)
      own[name].memory_limit = parse(name, work, options).memory_limit() / count;
  }
  int cpu_threads = options.threads > 0 ? options.threads : omp_get_max_threads();
  int cpus = shares["cpu"];
  std::vector<Device> devices;
  for (const std::string& name : list) {
    if (name == "cpu" && shares["cpu"] > 1) {
      own[name].threads = std::max(1, (cpu_threads + cpus - 1) / cpus);
      cpu_threads -= own[name].threads;
      --cpus;
    }
    devices.push_back(parse(name, work, own[name]));
  }
  return devices;
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
