// Scoring of template pairs with the published network shapes, against the best matrix product, and
// the steps of its default body.
#include <benchmark/benchmark.h>

#include "cases/network_cases.hpp"  // for published_2022, published_2024
#include "device/backend.hpp"       // for network
#include "kronite/array.hpp"        // for Array
#include "kronite/csp.hpp"          // for score_pairs
#include "machine.hpp"              // for targets, gemm_peak

namespace kronite::bench {
namespace {

/// Some 0.05 s of work for one core, 0.1 s for a GPU.
test::ScoreCase sized(test::ScoreCase c, const Target& target) {
  const double operations = target.device == "cpu" ? 6e9 : 2e12;
  c.pairs = static_cast<std::int64_t>(operations / test::operations_per_pair(c));
  c.queries = 100;
  c.candidates = 3000;
  return c;
}

void score_pairs(benchmark::State& state, const test::ScoreCase& shape, const Target& target) {
  const test::ScoreCase c = sized(shape, target);
  Device device = target.open();
  const test::ScoreInputs<float> in(c);
  test::DeviceScore<float> on(device, in);
  const double peak = gemm_peak(target);

  const double seconds = fastest_iteration(state, target, [&] {
    csp::score_pairs(device, on.queries.view(), on.candidates.view(), on.pairs(),
                     on.ensemble.view(), on.p.vector());
    device.synchronize();
  });

  const double pairs_per_second = static_cast<double>(c.pairs) / seconds;
  const double rate = pairs_per_second * test::operations_per_pair(c);
  state.counters["pairs/s"] = pairs_per_second;
  state.counters["GFLOP/s"] = rate * 1e-9;
  state.counters["GEMM_GFLOP/s"] = gemm_peak(target) * 1e-9;
  state.counters["share"] = rate / std::max(peak, gemm_peak(target));
}

/// Bytes read and written by a step of the default body, per second.
void set_bandwidth(benchmark::State& state, std::int64_t values, double seconds) {
  state.counters["GB/s"] = static_cast<double>(values) * sizeof(float) / seconds * 1e-9;
}

void pair_differences(benchmark::State& state, const test::ScoreCase& c, const Target& target) {
  Device device = target.open();
  const test::ScoreInputs<float> in(c);
  test::DeviceScore<float> on(device, in);
  Array<float> out(device, c.pairs, c.inputs);
  const double seconds = fastest_iteration(state, target, [&] {
    network<float>(device).pair_differences(on.queries.view(), on.candidates.view(), on.pairs(),
                                            out.view());
    device.synchronize();
  });
  set_bandwidth(state, 3 * c.pairs * c.inputs, seconds);
}

/// The first layer of the first member.
void dense(benchmark::State& state, const test::ScoreCase& c, const Target& target) {
  Device device = target.open();
  const test::ScoreInputs<float> in(c);
  test::DeviceScore<float> on(device, in);
  const auto& layer = on.ensemble.view().members.front().layers.front();
  test::DeviceMatrix<float> x(device, test::random_matrix<float>(5, c.pairs, c.inputs));
  Array<float> out(device, c.pairs, layer.weight.rows);
  const double seconds = fastest_iteration(state, target, [&] {
    network<float>(device).dense(layer, x.view(), out.view());
    device.synchronize();
  });
  state.counters["GFLOP/s"] =
      2e-9 * static_cast<double>(c.pairs * c.inputs * layer.weight.rows) / seconds;
}

template <class F>
void add(const std::string& name, F f, const test::ScoreCase& c, const Target& target) {
  benchmark::RegisterBenchmark((name + "/" + name_of(c.name) + "/" + target.name).c_str(), f, c,
                               target)
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

[[maybe_unused]] const bool registered = [] {
  constexpr std::int64_t kPairs = 16384;
  for (const Target& target : targets()) {
    for (const auto& shape : {test::published_2022(0), test::published_2024(0)})
      add("score_pairs", score_pairs, shape, target);
    add("pair_differences", pair_differences, test::published_2022(kPairs), target);
    for (const auto& c : {test::published_2022(kPairs), test::published_2024(kPairs)})
      add("dense", dense, c, target);
  }
  return true;
}();

}  // namespace
}  // namespace kronite::bench
