// Local-order fingerprints on one core: sites per second, over crystals of different kinds.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "cases/crystals.hpp"  // for copper, halite, perovskite, triclinic, supercell
#include "kronite/fingerprint.hpp"

namespace kronite {
namespace {

/// 32 sites without symmetry, each with surroundings of its own.
Structure disturbed() {
  Structure structure = test::supercell(test::triclinic(), 2, 2, 2);
  for (std::size_t i = 0; i < structure.size(); ++i)
    for (std::size_t k = 0; k < 3; ++k)
      structure.fractional[i][k] += 0.01 * static_cast<double>((7 * i + 3 * k) % 11) / 11;
  return structure;
}

void site_fingerprints(benchmark::State& state, const Structure& structure) {
  for (auto _ : state) benchmark::DoNotOptimize(kronite::site_fingerprints(structure));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(structure.size()));
}
BENCHMARK_CAPTURE(site_fingerprints, fcc, test::copper());
BENCHMARK_CAPTURE(site_fingerprints, rocksalt, test::halite());
BENCHMARK_CAPTURE(site_fingerprints, perovskite, test::perovskite());
BENCHMARK_CAPTURE(site_fingerprints, triclinic, test::triclinic());
BENCHMARK_CAPTURE(site_fingerprints, disturbed, disturbed());

}  // namespace
}  // namespace kronite
