// Comparison of crystals on one core: reductions and pairs per second.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "cases/crystals.hpp"  // for halite, perovskite, triclinic, supercell
#include "kronite/matcher.hpp"
#include "math/random.hpp"  // for Random

namespace kronite {
namespace {

/// Every site displaced at random, by `size` Å on average in each direction or so.
Structure displaced(Structure cell, double size, std::uint64_t seed) {
  math::Random random(seed);
  const Vector3 length = lengths(cell.lattice);
  for (Vector3& x : cell.fractional)
    for (int k = 0; k < 3; ++k) x[k] += size * random.normal() / length[k];
  return cell;
}

/// 40 sites, 24 of them of one element, without any symmetry left.
Structure large() { return displaced(test::supercell(test::perovskite(), 2, 2, 2), 0.5, 1); }

void reduce(benchmark::State& state, const Structure& structure) {
  for (auto _ : state) benchmark::DoNotOptimize(MatchCell(structure));
  state.SetItemsProcessed(state.iterations());
}

/// With the default tolerances, or with those that generative models are judged by.
void match_pair(benchmark::State& state, const Structure& a, const Structure& b) {
  const MatchCell first(a), second(b);
  const MatchOptions options = state.range(0) == 0 ? MatchOptions{} : MatchOptions{0.3, 0.5, 10};
  for (auto _ : state) benchmark::DoNotOptimize(match(first, second, options));
  state.SetItemsProcessed(state.iterations());
}

Structure zincblende() {
  Structure cell = test::halite();
  cell.fractional[1] = {0.25, 0.25, 0.25};
  return cell;
}

BENCHMARK_CAPTURE(reduce, rocksalt, test::halite());
BENCHMARK_CAPTURE(reduce, supercell, test::supercell(test::perovskite(), 2, 2, 2));
BENCHMARK_CAPTURE(reduce, large, large());

#define KRONITE_PAIR(name, a, b) \
  BENCHMARK_CAPTURE(match_pair, name, a, b)->ArgName("wide")->Arg(0)->Arg(1)
KRONITE_PAIR(same, test::perovskite(), displaced(test::perovskite(), 0.1, 2));
KRONITE_PAIR(other_structure, test::halite(), zincblende());
KRONITE_PAIR(large_same, large(), displaced(large(), 0.1, 3));
KRONITE_PAIR(large_other, large(), displaced(large(), 1, 4));

}  // namespace
}  // namespace kronite
