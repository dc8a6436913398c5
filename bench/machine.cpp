// Measured limits of this machine.
#include "machine.hpp"

#include <omp.h>
#include <time.h>

#include <fstream>
#include <map>

#include "base/parallel.hpp"   // for parallel_tiles
#include "device/backend.hpp"  // for linalg
#include "support/matrix.hpp"  // for DeviceMatrix

#ifdef KRONITE_HAVE_LAPACK
extern "C" {
void sgemm_(const char* op_a, const char* op_b, const int* m, const int* n, const int* k,
            const float* alpha, const float* a, const int* lda, const float* b, const int* ldb,
            const float* beta, float* c, const int* ldc, std::size_t, std::size_t);
// OpenBLAS only, and so perhaps absent.
__attribute__((weak)) void openblas_set_num_threads(int threads);
}
#endif

namespace kronite::bench {
namespace {

constexpr int kRounds = 8;
constexpr int kGemmSize = 1024;
constexpr double kGemmOperations = 2.0 * kGemmSize * kGemmSize * kGemmSize;

double own_gemm(const Target& target) {
  Device device = target.open();
  const auto m = test::random_matrix<float>(1, kGemmSize, kGemmSize);
  test::DeviceMatrix<float> a(device, m), b(device, m), c(device, m);
  const double seconds = fastest_of(kRounds, target, [&] {
    linalg<float>(device).gemm(1, a.view(), Op::none, b.view(), Op::none, 0, c.view());
    device.synchronize();
  });
  return kGemmOperations / seconds;
}

double blas_gemm([[maybe_unused]] const Target& target) {
#ifdef KRONITE_HAVE_LAPACK
  if (openblas_set_num_threads) openblas_set_num_threads(target.threads);
  const auto a = test::random_matrix<float>(1, kGemmSize, kGemmSize), b = a;
  auto c = a;
  const int n = kGemmSize;
  const float one = 1, zero = 0;
  const double seconds = fastest_of(kRounds, target, [&] {
    sgemm_("N", "N", &n, &n, &n, &one, a.values.data(), &n, b.values.data(), &n, &zero,
           c.values.data(), &n, 1, 1);
  });
  return kGemmOperations / seconds;
#else
  return 0;
#endif
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

double gemm_peak(const Target& target) {
  static std::map<std::string, double> best;
  double& peak = best[target.name];
  peak = std::max(peak, own_gemm(target));
  if (target.threads > 0) peak = std::max(peak, blas_gemm(target));
  return peak;
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
