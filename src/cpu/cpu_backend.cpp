// Memory, status and description of the CPU backend.
#include "cpu/cpu_backend.hpp"

#include <omp.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

#include "base/fail.hpp"  // for fail
#include "cpu/simd.hpp"   // for kInstructionSet

namespace kronite {
namespace {

constexpr std::size_t kAlignment = 256;
/// Pages that Linux gives to those who ask: matrices take fewer faults and fewer look-ups.
constexpr std::size_t kLargePage = std::size_t{2} << 20;

/// Half of the memory that Linux says can be had without swapping; 0 (no limit) if it does not say.
std::size_t default_memory_limit() {
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  std::size_t kib = 0;
  while (file >> name >> kib && std::getline(file, unit))
    if (name == "MemAvailable:") return kib * 1024 / 2;
  return 0;
}

/// An instruction that the processor does not know would end the process without a word. Called
/// before anything else of the backend runs.
void check_processor() {
#if defined(__AVX512F__)
  const bool fits = __builtin_cpu_supports("avx512f");
#elif defined(__AVX2__)
  const bool fits = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  const bool fits = true;
#endif
  if (!fits)
    fail(Errc::unavailable,
         "this build of kronite is for processors with {}, and this one has none: configure with "
         "-DKRONITE_ARCH=x86-64-v3, or with an empty KRONITE_ARCH",
         kInstructionSet);
}

}  // namespace

CpuBackend::CpuBackend(const DeviceOptions& options)
    : Backend(options, nullptr),
      threads_(options.threads > 0 ? options.threads : omp_get_max_threads()),
      linalg_float_(make_cpu_linalg<float>(*this, best_factoriser())),
      linalg_double_(make_cpu_linalg<double>(*this, best_factoriser())),
      kernels_float_(make_cpu_kernels<float>(*this)),
      kernels_double_(make_cpu_kernels<double>(*this)),
      network_float_(make_cpu_network<float>(*this)),
      network_double_(make_cpu_network<double>(*this)),
      training_float_(make_cpu_training<float>(*this)),
      training_double_(make_cpu_training<double>(*this)),
      select_float_(make_cpu_select<float>(*this)),
      select_double_(make_cpu_select<double>(*this)),
      sites_(make_cpu_sites(*this)),
      mixtures_(make_cpu_mixture(*this)),
      simplex_(make_cpu_simplex(*this)),
      functional_(make_cpu_functional(*this)),
      ragged_(make_cpu_ragged(*this)),
      group_(make_cpu_group(*this)) {
  if (limit_ == 0) limit_ = default_memory_limit();
}

CpuBackend::~CpuBackend() = default;

std::string CpuBackend::description() const {
  return fmt::format("CPU, {} thread{}, {}", threads_, threads_ == 1 ? "" : "s", kInstructionSet);
}

void CpuBackend::copy(void* to, Place to_place, const void* from, Place from_place,
                      std::size_t bytes) {
  if (to_place != Place{} || from_place != Place{})
    fail(Errc::invalid_argument, "the CPU cannot copy from or to the memory of another device");
  if (bytes != 0) std::memcpy(to, from, bytes);
}

void CpuBackend::synchronize() {
  if (!failure_.empty()) throw Error(Errc::numerical, std::exchange(failure_, {}));
}

void CpuBackend::keep_failure(const std::string& sentence) {
  if (failure_.empty()) failure_ = sentence;
}

void* CpuBackend::take(std::size_t bytes) {
  if (bytes > SIZE_MAX - kLargePage) return nullptr;
  const std::size_t alignment = bytes < 2 * kLargePage ? kAlignment : kLargePage;
  const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, rounded) != 0) return nullptr;
  // Whole pages alone, so that no more memory is taken; that it is refused changes nothing else.
  if (alignment == kLargePage) madvise(memory, rounded / kLargePage * kLargePage, MADV_HUGEPAGE);
  return memory;
}

void CpuBackend::give_back(void* pointer) noexcept { std::free(pointer); }

std::unique_ptr<Backend> make_cpu_backend(const DeviceOptions& options) {
  check_processor();
  return std::make_unique<CpuBackend>(options);
}

}  // namespace kronite
