// Kernel mean descriptors: the operations on the cases of the tests, and 35,463 compositions there
// and back, against the time that writing the result takes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cases/mixture_cases.hpp"
#include "cases/simplex_cases.hpp"
#include "device/backend.hpp"  // for MixtureOps, SimplexOps
#include "kronite/kmd.hpp"
#include "machine.hpp"  // for targets, fastest_iteration

namespace kronite::bench {
namespace {

constexpr std::int64_t kCompositions = 35463;

/// Mixtures of the 94 elements, one to eight in each, and what becomes of them.
struct Compositions {
  kmd::Descriptor descriptor;
  kmd::Weights weights;
  std::vector<double> phi;

  Compositions() : descriptor(kmd::Components::of(ElementTable::embedded()), ten_grids()) {
    test::HostRows rows = test::mixtures({"", kCompositions, 94, 58, 10, 8});
    weights = {94, std::move(rows.first), std::move(rows.column), std::move(rows.value)};
    phi.resize(static_cast<std::size_t>(kCompositions * descriptor.width()));
    Device device = Device::cpu();
    descriptor.transform(device, weights, view());
  }
  MatrixView<double> view() { return {phi.data(), kCompositions, descriptor.width()}; }

  static kmd::Settings ten_grids() {
    kmd::Settings settings;
    settings.n_grids = 10;
    return settings;
  }
};

void transform(benchmark::State& state, const Target& target) {
  Device device = target.open();
  Compositions all;
  const double seconds = fastest_iteration(
      state, target, [&] { all.descriptor.transform(device, all.weights, all.view()); });
  const double filling =
      fastest_of(5, target, [&] { std::fill(all.phi.begin(), all.phi.end(), 1.0); });
  state.counters["ms"] = 1e3 * seconds;
  state.counters["GB/s"] = static_cast<double>(8 * all.phi.size()) / seconds * 1e-9;
  if (target.threads == 1) state.counters["fills"] = seconds / filling;
}

/// Targets off by up to `noise` per value.
void invert(benchmark::State& state, double noise, const Target& target) {
  Device device = target.open();
  Compositions all;
  for (std::size_t i = 0; i < all.phi.size(); ++i) all.phi[i] += noise * test::random_value(3, i);
  const kmd::Inverter inverter(device, all.descriptor);
  kmd::Inverted inverted;
  const double seconds =
      fastest_iteration(state, target, [&] { inverted = inverter.invert(all.view()); });
  double steps = 0;
  for (const kmd::Inverse& row : inverted.rows) steps += row.steps;
  state.counters["ms"] = 1e3 * seconds;
  state.counters["rows/s"] = static_cast<double>(kCompositions) / seconds;
  state.counters["steps"] = steps / static_cast<double>(kCompositions);
  state.counters["support"] =
      static_cast<double>(inverted.weights.weight.size()) / static_cast<double>(kCompositions);
}

void simplex(benchmark::State& state, const test::SimplexCase& c, const Target& target) {
  Device device = target.open();
  test::DeviceMatrix<double> p(device, test::simplex_matrix(c)),
      q(device, test::simplex_targets(c));
  const test::HostMatrix<double> guess = test::simplex_truth(c);
  Array<SimplexOutcome> outcome(device, c.rows, 1);
  test::DeviceMatrix<double> w(device, guess);
  const double seconds = fastest_iteration(state, target, [&] {
    device.backend().simplex().minimise_on_simplex(p.view(), q.view(), {}, w.view(),
                                                   outcome.vector());
    device.synchronize();
  });
  state.counters["rows/s"] = static_cast<double>(c.rows) / seconds;
}

[[maybe_unused]] const bool registered = [] {
  for (const Target& target : targets()) {
    benchmark::RegisterBenchmark(("kmd_transform/" + target.name).c_str(), transform, target)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
    for (const auto& [name, noise] : {std::pair{"exact", 0.0}, std::pair{"noise_1e-3", 1e-3},
                                      std::pair{"noise_0.1", 0.1}, std::pair{"noise_1", 1.0}})
      benchmark::RegisterBenchmark(("kmd_invert/" + std::string(name) + "/" + target.name).c_str(),
                                   invert, noise, target)
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
    for (const test::SimplexCase& c : test::simplex_cases())
      if (c.n >= 20)
        benchmark::RegisterBenchmark(("simplex/" + name_of(c.name) + "/" + target.name).c_str(),
                                     simplex, c, target)
            ->Unit(benchmark::kMicrosecond)
            ->UseRealTime();
  }
  return true;
}();

}  // namespace
}  // namespace kronite::bench
