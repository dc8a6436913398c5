// Scoring of template pairs with the published network shapes, against the best matrix product.
#include <benchmark/benchmark.h>

#include "cases/network_cases.hpp"  // for published_2022, published_2024
#include "device/backend.hpp"       // for network
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

[[maybe_unused]] const bool registered = [] {
  for (const Target& target : targets())
    for (const auto& shape : {test::published_2022(0), test::published_2024(0)})
      benchmark::RegisterBenchmark(
          ("score_pairs/" + name_of(shape.name) + "/" + target.name).c_str(), score_pairs, shape,
          target)
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
  return true;
}();

}  // namespace
}  // namespace kronite::bench
