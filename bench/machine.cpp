// Measured limits of this machine.
#include "machine.hpp"

#include <omp.h>
#include <time.h>

#include <cmath>
#include <cstddef>
#include <fstream>
#include <map>
#include <type_traits>

#include "base/parallel.hpp"   // for parallel_tiles
#include "device/backend.hpp"  // for linalg
#include "support/matrix.hpp"  // for DeviceMatrix

#ifdef KRONITE_HAVE_LAPACK
extern "C" {
void sgemm_(const char* op_a, const char* op_b, const int* m, const int* n, const int* k,
            const float* alpha, const float* a, const int* lda, const float* b, const int* ldb,
            const float* beta, float* c, const int* ldc, std::size_t, std::size_t);
void dgemm_(const char* op_a, const char* op_b, const int* m, const int* n, const int* k,
            const double* alpha, const double* a, const int* lda, const double* b, const int* ldb,
            const double* beta, double* c, const int* ldc, std::size_t, std::size_t);
// OpenBLAS only, and so perhaps absent.
__attribute__((weak)) void openblas_set_num_threads(int threads);
}
#endif

namespace kronite::bench {
namespace {

constexpr int kRounds = 8;
/// Rows of the square matrices: enough to keep all of a GPU busy.
int gemm_size(const Target& target) { return target.threads > 0 ? 1024 : 8192; }
double gemm_operations(const Target& target) { return 2 * std::pow(gemm_size(target), 3); }
constexpr std::int64_t kCopied = std::int64_t{1} << 28;  // bytes

template <class T>
double own_gemm(const Target& target) {
  Device device = target.open();
  const int n = gemm_size(target);
  const auto m = test::random_matrix<T>(1, n, n);
  test::DeviceMatrix<T> a(device, m), b(device, m), c(device, m);
  const double seconds = fastest_of(kRounds, target, [&] {
    linalg<T>(device).gemm(1, a.view(), Op::none, b.view(), Op::none, 0, c.view());
    device.synchronize();
  });
  return gemm_operations(target) / seconds;
}

template <class T>
double blas_gemm([[maybe_unused]] const Target& target) {
#ifdef KRONITE_HAVE_LAPACK
  if (openblas_set_num_threads) openblas_set_num_threads(target.threads);
  const int n = gemm_size(target);
  const auto a = test::random_matrix<T>(1, n, n), b = a;
  auto c = a;
  const T one = 1, zero = 0;
  const double seconds = fastest_of(kRounds, target, [&] {
    const auto multiply = [&](auto gemm) {
      gemm("N", "N", &n, &n, &n, &one, a.values.data(), &n, b.values.data(), &n, &zero,
           c.values.data(), &n, 1, 1);
    };
    if constexpr (std::is_same_v<T, float>)
      multiply(sgemm_);
    else
      multiply(dgemm_);
  });
  return gemm_operations(target) / seconds;
#else
  return 0;
#endif
}

template <class T>
double best_gemm(const Target& target) {
  static std::map<std::string, double> best;
  double& peak = best[target.name];
  peak = std::max(peak, own_gemm<T>(target));
  if (target.threads > 0) peak = std::max(peak, blas_gemm<T>(target));
  return peak;
}

}  // namespace

Device Target::open() const {
  DeviceOptions options;
  options.threads = threads;
  return Device::parse(device, 1e300, options);
}

std::vector<Target> targets() {
  const int all = omp_get_max_threads();
  std::vector<Target> found{{"cpu_1_thread", "cpu", 1}};
  if (all > 1) found.push_back({"cpu_" + std::to_string(all) + "_threads", "cpu", all});
  for (const std::string& device : Device::available())
    if (device != "cpu") {
      std::string name = device;
      std::replace(name.begin(), name.end(), ':', '_');
      found.push_back({name, device, 0});
    }
  return found;
}

double now(const Target& target) {
  timespec time{};
  clock_gettime(target.threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double gemm_peak(const Target& target) { return best_gemm<float>(target); }
double double_gemm_peak(const Target& target) { return best_gemm<double>(target); }

double copy_rate(const Target& target) {
  static std::map<std::string, double> best;
  Device device = target.open();
  Array<std::byte> from(device, kCopied, 1), to(device, kCopied, 1);
  std::byte *const source = from.view().data, *const sink = to.view().data;
  const std::int64_t part = target.threads > 0 ? kCopied / target.threads : kCopied;
  const double seconds = fastest_of(kRounds, target, [&] {
    parallel_tiles(std::max(1, target.threads), tiles_of(kCopied, part), [&](std::int64_t i, int) {
      device.backend().copy(sink + i * part, device.place(), source + i * part, device.place(),
                            static_cast<std::size_t>(std::min(part, kCopied - i * part)));
    });
    device.synchronize();
  });
  double& rate = best[target.name];
  rate = std::max(rate, 2.0 * static_cast<double>(kCopied) / seconds);
  return rate;
}

double read_seconds(const Target& target, const float* values, std::int64_t count) {
  constexpr std::int64_t tile = 1 << 16;
  std::vector<float> sums(static_cast<std::size_t>(tiles_of(count, tile)));
  const double seconds = fastest_of(kRounds, target, [&] {
    parallel_tiles(target.threads, tiles_of(count, tile), [&](std::int64_t i, int) {
      const float* from = values + i * tile;
      const std::int64_t size = std::min(tile, count - i * tile);
      float lanes[64] = {};
      for (std::int64_t j = 0; j + 64 <= size; j += 64)
        for (int l = 0; l < 64; ++l) lanes[l] += from[j + l];
      sums[static_cast<std::size_t>(i)] = *std::max_element(lanes, lanes + 64);
    });
  });
  benchmark::DoNotOptimize(sums.data());
  return seconds;
}

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(": ") + 2);
  return "unknown";
}

}  // namespace kronite::bench
