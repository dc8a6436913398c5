// Formulas and composition descriptors, each on one core: items per second.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kronite/composition.hpp"

namespace kronite {
namespace {

/// Formulas as databases write them: two to six elements, a third with brackets.
constexpr std::array<std::string_view, 12> kFormulas = {
    "Zn2B2PbO6", "Tm2Pt",        "CsRb2MoF6", "Li3Fe2(PO4)3", "K2Mg3(SiO3)4", "LiFePO4",
    "Ca5P3HO13", "BaSr2(TiO3)3", "NaCl",      "HfZrTaTiNb",   "CoH18(N2Cl)3", "La1.85Sr0.15CuO4"};

void parse(benchmark::State& state) {
  std::size_t i = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(Composition::parse(kFormulas[i++ % kFormulas.size()]));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(parse);

void parse_reduce_and_label(benchmark::State& state) {
  std::size_t i = 0;
  for (auto _ : state) {
    const Composition composition = Composition::parse(kFormulas[i++ % kFormulas.size()]);
    benchmark::DoNotOptimize(composition.reduced_formula());
    benchmark::DoNotOptimize(composition.ratio_label());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(parse_reduce_and_label);

void describe_batch(benchmark::State& state) {
  const ElementTable& table = ElementTable::embedded();
  const auto columns = static_cast<std::int64_t>(descriptor_names(table).size());
  std::vector<Composition> compositions;
  for (std::int64_t i = 0; i < state.range(0); ++i)
    compositions.push_back(Composition::parse(kFormulas[i % kFormulas.size()]).reduced());
  std::vector<double> values(static_cast<std::size_t>(state.range(0) * columns));
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  for (auto _ : state) {
    describe(compositions, table, {values.data(), state.range(0), columns});
    benchmark::ClobberMemory();
  }
  omp_set_num_threads(threads);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(describe_batch)->Arg(1)->Arg(4096);

}  // namespace
}  // namespace kronite
