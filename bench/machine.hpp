// What this machine can do at most, measured in the same run as the benchmarks that are compared
// with it, and what they share.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "kronite/device.hpp"  // for Device

namespace kronite::bench {

/// A device as a benchmark's name shows it: "cpu_1_thread", "cpu_16_threads", "cuda_0".
struct Target {
  std::string name;
  std::string device;
  int threads = 0;  ///< 0: not a CPU

  Device open() const;
};

/// The CPU with one thread and with all of them, and every GPU.
std::vector<Target> targets();

/// Operations per second of the fastest single-precision matrix product at hand: the BLAS of this
/// build or our own on the CPU, the backend's on a GPU. Measured now; the best so far is returned.
double gemm_peak(const Target& target);

/// The same in double precision.
double double_gemm_peak(const Target& target);

/// Bytes read and written per second by a copy within the target's memory, far larger than its
/// caches. Measured now; the best so far is returned.
double copy_rate(const Target& target);

/// Seconds to read `count` floats once, with the target's threads (CPU only).
double read_seconds(const Target& target, const float* values, std::int64_t count);

/// Seconds on the clock that suits a target: the CPU time of this thread where it works alone,
/// which other programs on the machine do not advance; else the time on the wall.
double now(const Target& target);

/// Seconds of the fastest of `rounds` calls.
template <class F>
double fastest_of(int rounds, const Target& target, const F& f) {
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < rounds; ++i) {
    const double begin = now(target);
    f();
    best = std::min(best, now(target) - begin);
  }
  return best;
}

/// Runs the benchmark loop; seconds of the fastest iteration. Shared machines disturb single
/// iterations, and the fastest one shows what the code can do.
template <class F>
double fastest_iteration(benchmark::State& state, const Target& target, const F& f) {
  double best = std::numeric_limits<double>::infinity();
  for (auto _ : state) best = std::min(best, fastest_of(1, target, f));
  return best;
}

/// "one value" -> "one_value", for names that a filter can match.
inline std::string name_of(std::string text) {
  std::replace(text.begin(), text.end(), ' ', '_');
  return text;
}

/// The processor's name, as /proc/cpuinfo has it.
std::string processor();

}  // namespace kronite::bench
