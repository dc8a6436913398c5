// Where work runs: one backend, one stream, its library handles. One Device per host thread.
// Calls that take a vector of Devices share their work among them, whatever number there is, with
// the results of one; each then has a thread until the call returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kronite/view.hpp"  // for Place

struct CUstream_st;  // cudaStream_t is a pointer to this; no CUDA header is needed to pass one

namespace kronite {

class Attachments;
class Backend;

/// Memory lent by the caller, so that its pool serves kronite too. Both functions are needed.
/// `stream` is the device's stream (null on the CPU); allocate returns null when it has none left.
struct Allocator {
  void* (*allocate)(void* context, std::size_t bytes, CUstream_st* stream) = nullptr;
  void (*release)(void* context, void* pointer, std::size_t bytes, CUstream_st* stream) = nullptr;
  void* context = nullptr;
};

struct DeviceOptions {
  /// Scratch memory in bytes that one Device may hold at a time. 0: half of the free host memory;
  /// on CUDA 80 % of the free memory with an own stream, 25 % with a borrowed one.
  std::size_t memory_limit = 0;
  Allocator allocator{};
  /// Threads of the CPU backend; 0: what OpenMP gives.
  int threads = 0;
};

/// Movable, not copyable. Calls on a CUDA device queue on its stream and return; a call that reads
/// host memory returns when that memory may be reused; one that returns host data waits.
/// Numerical failures (a matrix not positive definite) are kept and thrown by the next waiting
/// call.
class Device {
 public:
  static Device cpu(const DeviceOptions& options = {});

  /// CUDA device `id`. A given stream is borrowed: it must outlive the Device, is never destroyed,
  /// and never waited for unasked.
  /// @throws Error unavailable, naming what is missing: module, driver or GPU.
  static Device cuda(int id = 0, CUstream_st* stream = nullptr, const DeviceOptions& options = {});

  /// "auto", "cpu", "cuda" or "cuda:1". `work` is the job's estimated floating-point operations:
  /// below auto_threshold(), "auto" stays on the CPU and never opens the CUDA module.
  static Device parse(const std::string& name, double work = 1e300,
                      const DeviceOptions& options = {});
  static double auto_threshold();

  /// Several devices for one job, which takes each on a thread of its own: names as parse() takes
  /// them, separated by commas, and "cuda:all" for every GPU of the machine. "auto" is one device
  /// and stands alone. A device may be named more than once: what are one GPU's streams, or parts
  /// of the CPU, share its memory limit in equal parts unless the options give one, which is then
  /// of each. Threads are shared among all that are the CPU, at least one each. A lent allocator
  /// is called from the threads of all of them.
  /// @throws Error invalid_argument for an unknown or empty name, naming its place; unavailable.
  static std::vector<Device> parse_all(const std::string& names, double work = 1e300,
                                       const DeviceOptions& options = {});

  /// Names that parse() accepts on this machine with this build, "cpu" first.
  static std::vector<std::string> available();
  /// Why there is no CUDA device, in one sentence; empty when there is one.
  static std::string cuda_unavailable_reason();

  Device(Device&&) noexcept;
  Device& operator=(Device&&) noexcept;
  ~Device();

  Place place() const;
  /// For people: "CPU, 2 threads" or "NVIDIA H100 80GB HBM3 (cuda:0)".
  std::string description() const;
  std::size_t memory_limit() const;

  /// Waits for all queued work and throws the failure kept since the last waiting call, if any.
  void synchronize();

  /// The device layer behind this handle (src/device/backend.hpp); not part of the stable API.
  Backend& backend() const { return *backend_; }
  /// What others keep on this device (src/device/attachments.hpp); not part of the stable API.
  Attachments& attachments() const { return *attachments_; }

 private:
  explicit Device(std::unique_ptr<Backend> backend);
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Attachments> attachments_;  // behind the backend, whose memory they hold
};

}  // namespace kronite
