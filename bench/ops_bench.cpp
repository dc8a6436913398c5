// Linear algebra and Gram matrices: every case of the tests that is worth timing.
#include <benchmark/benchmark.h>

#include "cases/gram_cases.hpp"
#include "cases/linalg_cases.hpp"
#include "device/backend.hpp"  // for linalg, kernels
#include "machine.hpp"         // for targets, gemm_peak

namespace kronite::bench {
namespace {

constexpr double kWorthTiming = 1e6;  // operations

void rate(benchmark::State& state, double operations, double seconds) {
  state.counters["GFLOP/s"] = operations / seconds * 1e-9;
}

double operations_of(const test::GemmCase& c) {
  return 2.0 * static_cast<double>(c.n) * static_cast<double>(c.m) * static_cast<double>(c.k);
}
/// Two triangular solves.
double operations_of(const test::FactorCase& c) {
  return 2.0 * static_cast<double>(c.n) * static_cast<double>(c.n) * static_cast<double>(c.m);
}
/// Subtraction, multiplication and addition; the kernel function is not counted.
double operations_of(const test::GramCase& c) {
  return 3.0 * static_cast<double>(c.n) * static_cast<double>(c.m) * static_cast<double>(c.d);
}

void gemm_peak_of(benchmark::State& state, const Target& target) {
  double peak = 0;
  for (auto _ : state) peak = gemm_peak(target);
  state.counters["GFLOP/s"] = peak * 1e-9;
}

template <class T>
void gemm(benchmark::State& state, const test::GemmCase& c, const Target& target) {
  Device device = target.open();
  const bool ta = c.op_a == Op::transpose, tb = c.op_b == Op::transpose;
  test::DeviceMatrix<T> a(device, test::random_matrix<T>(1, ta ? c.k : c.n, ta ? c.n : c.k, c.pad));
  test::DeviceMatrix<T> b(device, test::random_matrix<T>(2, tb ? c.m : c.k, tb ? c.k : c.m, c.pad));
  test::DeviceMatrix<T> out(device, test::random_matrix<T>(3, c.n, c.m, c.pad));
  const double seconds = fastest_iteration(state, target, [&] {
    linalg<T>(device).gemm(static_cast<T>(c.alpha), a.view(), c.op_a, b.view(), c.op_b, T{0},
                           out.view());
    device.synchronize();
  });
  rate(state, operations_of(c), seconds);
}

/// A matrix that an operation overwrites, renewed before each run; the copy is part of the time.
template <class T>
class Renewed {
 public:
  Renewed(Device& device, const test::HostMatrix<T>& host)
      : device_(device),
        bytes_(host.values.size() * sizeof(T)),
        original_(device, host),
        copy_(device, host) {}

  MatrixView<T> renewed() {
    device_.backend().copy(copy_.view().data, device_.place(), original_.view().data,
                           device_.place(), bytes_);
    return copy_.view();
  }

 private:
  Device& device_;
  std::size_t bytes_;
  test::DeviceMatrix<T> original_, copy_;
};

template <class T>
void cholesky(benchmark::State& state, std::int64_t n, const Target& target) {
  Device device = target.open();
  Renewed<T> a(device, test::positive_definite<T>(n));
  const double seconds = fastest_iteration(state, target, [&] {
    linalg<T>(device).cholesky(a.renewed());
    device.synchronize();
  });
  rate(state, static_cast<double>(n * n * n) / 3, seconds);
}

template <class T>
void cholesky_solve(benchmark::State& state, const test::FactorCase& c, const Target& target) {
  Device device = target.open();
  test::DeviceMatrix<T> l(device, test::positive_definite<T>(c.n));
  linalg<T>(device).cholesky(l.view());
  Renewed<T> b(device, test::random_matrix<T>(1, c.n, c.m));
  const double seconds = fastest_iteration(state, target, [&] {
    linalg<T>(device).cholesky_solve(Side::left, l.view(), b.renewed());
    device.synchronize();
  });
  rate(state, operations_of(c), seconds);
}

template <class T>
void eigh(benchmark::State& state, std::int64_t n, const Target& target) {
  Device device = target.open();
  Renewed<T> a(device, test::positive_definite<T>(n));
  Array<T> w(device, n, 1);
  fastest_iteration(state, target, [&] {
    linalg<T>(device).eigh(a.renewed(), w.vector());
    device.synchronize();
  });
}

template <class T>
void gram(benchmark::State& state, KernelKind kind, const test::GramCase& c, const Target& target) {
  Device device = target.open();
  test::DeviceMatrix<T> x(device, test::random_matrix<T>(1, c.n, c.d, c.pad));
  test::DeviceMatrix<T> y(device, test::random_matrix<T>(2, c.m, c.d, c.pad));
  test::DeviceMatrix<T> out(device, test::HostMatrix<T>(c.n, c.m, c.pad));
  const double seconds = fastest_iteration(state, target, [&] {
    kernels<T>(device).gram(kind, T{2}, x.view(), y.view(), out.view());
    device.synchronize();
  });
  rate(state, operations_of(c), seconds);
  state.counters["values/s"] = static_cast<double>(c.n * c.m) / seconds;
}

template <class T>
void squared_distances(benchmark::State& state, const test::GramCase& c, const Target& target) {
  Device device = target.open();
  test::DeviceMatrix<T> x(device, test::random_matrix<T>(1, c.n, c.d, c.pad));
  test::DeviceMatrix<T> y(device, test::random_matrix<T>(2, c.m, c.d, c.pad));
  test::DeviceMatrix<T> out(device, test::HostMatrix<T>(c.n, c.m, c.pad));
  const double seconds = fastest_iteration(state, target, [&] {
    kernels<T>(device).squared_distances(x.view(), y.view(), out.view());
    device.synchronize();
  });
  rate(state, operations_of(c), seconds);
}

template <class F, class... Args>
void add(const std::string& name, const Target& target, F f, Args... args) {
  benchmark::RegisterBenchmark((name_of(name) + "/" + target.name).c_str(), f, args..., target)
      ->Unit(benchmark::kMicrosecond)
      ->UseRealTime();
}

[[maybe_unused]] const bool registered = [] {
  auto gram_cases = test::gram_cases();
  gram_cases.push_back({"a training set", 1000, 1000, 290});
  for (const Target& target : targets()) {
    benchmark::RegisterBenchmark(("gemm_peak/" + target.name).c_str(), gemm_peak_of, target)
        ->Iterations(3);
    for (const auto& c : test::gemm_cases())
      if (operations_of(c) >= kWorthTiming) {
        add("gemm<float>/" + c.name, target, gemm<float>, c);
        add("gemm<double>/" + c.name, target, gemm<double>, c);
      }
    for (const std::int64_t n : {150, 1000}) {
      add("cholesky<double>/" + std::to_string(n), target, cholesky<double>, n);
      add("eigh<double>/" + std::to_string(n), target, eigh<double>, n);
    }
    auto factor_cases = test::factor_cases();
    factor_cases.push_back({"a thousand rows", 1000, 200});
    for (const auto& c : factor_cases)
      if (operations_of(c) >= kWorthTiming / 5)
        add("cholesky_solve<double>/" + c.name, target, cholesky_solve<double>, c);
    for (const auto& c : gram_cases)
      if (operations_of(c) >= kWorthTiming / 2)
        add("squared_distances<double>/" + c.name, target, squared_distances<double>, c);
    for (const auto& kernel : test::kernel_kinds())
      for (const auto& c : gram_cases)
        if (operations_of(c) >= kWorthTiming / 2)
          add("gram<double>/" + std::string(kernel.name) + "/" + c.name, target, gram<double>,
              kernel.kind, c);
  }
  return true;
}();

}  // namespace
}  // namespace kronite::bench
