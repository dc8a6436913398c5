// Scoring of template pairs with the published network shapes, against the best matrix product, and
// the steps of its default body.
#include <benchmark/benchmark.h>

#include <cmath>
#include <utility>

#include "cases/network_cases.hpp"  // for published_2022, published_2024
#include "device/backend.hpp"       // for network
#include "device/pair_walk.hpp"     // for PairWalk
#include "kronite/array.hpp"        // for Array
#include "kronite/csp.hpp"          // for score_pairs, score_top_k
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

/// `peak`: of the matrix product, measured before.
void set_rates(benchmark::State& state, const Target& target, double pairs_per_second,
               double operations_per_pair, double peak) {
  const double rate = pairs_per_second * operations_per_pair;
  state.counters["pairs/s"] = pairs_per_second;
  state.counters["GFLOP/s"] = rate * 1e-9;
  peak = std::max(peak, gemm_peak(target));
  state.counters["GEMM_GFLOP/s"] = peak * 1e-9;
  state.counters["share"] = rate / peak;
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

  set_rates(state, target, static_cast<double>(c.pairs) / seconds, test::operations_per_pair(c),
            peak);
}

/// Templates per composition ratio, nearly as in mp_stable: (how many ratios, templates of each).
/// 28,645 templates, 11.06 million unordered pairs.
constexpr std::pair<int, int> kRatioGroups[] = {
    {1, 3179}, {1, 1938}, {1, 1306}, {1, 919}, {1, 848}, {1, 837}, {1, 832},
    {1, 800},  {1, 757},  {1, 672},  {1, 579}, {1, 513}, {6, 276}, {12, 185},
    {30, 103}, {60, 46},  {130, 16}, {250, 7}, {445, 2}, {1019, 1}};

/// The groups one after the other, each against itself; of its rows the first ones only where
/// `share` is below 1.
std::vector<ScoreBlock> library_blocks(double share) {
  std::vector<ScoreBlock> blocks;
  std::int32_t begin = 0;
  for (const auto& [count, size] : kRatioGroups)
    for (int i = 0; i < count; ++i, begin += size)
      blocks.push_back(
          {begin, begin + static_cast<std::int32_t>(std::ceil(share * size)), begin, begin + size});
  return blocks;
}

/// A library against itself, the ten best of each template kept. On a CPU some seconds' worth.
void score_library(benchmark::State& state, const test::ScoreCase& shape, Precision precision,
                   const Target& target) {
  test::ScoreCase c = shape;
  c.candidates = library_blocks(1).back().candidate_end;
  const double operations = target.device == "cpu" ? 2e11 * target.threads : 1e300;
  const auto pairs = [](double share) {
    return static_cast<double>(PairWalk(library_blocks(share), true).size());
  };
  double share = 1;
  while (pairs(share) * test::operations_per_pair(c) > operations) share *= 0.9;

  Device device = target.open();
  if (!network<float>(device).refuses(precision).empty())
    return state.SkipWithError(network<float>(device).refuses(precision).c_str());
  const test::ScoreInputs<float> in(c);
  test::DeviceScore<float> on(device, in);
  Array<float> p(device, c.candidates, 10);
  Array<std::int32_t> index(device, c.candidates, 10);
  const auto blocks = library_blocks(share);
  const double peak = gemm_peak(target);

  const double seconds = fastest_iteration(state, target, [&] {
    csp::score_top_k(device, on.candidates.view(), on.candidates.view(), blocks, on.ensemble.view(),
                     p.view(), index.view(), {true, precision});
    device.synchronize();
  });

  set_rates(state, target, pairs(share) / seconds, test::operations_per_pair(c), peak);
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

void score_library_fp32(benchmark::State& state, const test::ScoreCase& c, const Target& target) {
  score_library(state, c, Precision::fp32, target);
}
void score_library_bf16(benchmark::State& state, const test::ScoreCase& c, const Target& target) {
  score_library(state, c, Precision::bf16, target);
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
    for (const auto& shape : {test::published_2022(0), test::published_2024(0)}) {
      add("score_pairs", score_pairs, shape, target);
      add("score_library", score_library_fp32, shape, target);
      add("score_library_bf16", score_library_bf16, shape, target);
    }
    add("pair_differences", pair_differences, test::published_2022(kPairs), target);
    for (const auto& c : {test::published_2022(kPairs), test::published_2024(kPairs)})
      add("dense", dense, c, target);
  }
  return true;
}();

}  // namespace
}  // namespace kronite::bench
