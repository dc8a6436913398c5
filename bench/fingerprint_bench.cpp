// Local-order fingerprints on one core: sites per second, over crystals of different kinds, whole
// and by stage.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cases/crystals.hpp"            // for copper, halite, perovskite, triclinic, disturbed
#include "kernels/site_fingerprint.hpp"  // for SiteWorkspace, find_cell, look_around
#include "kronite/fingerprint.hpp"

namespace kronite {
namespace {

void site_fingerprints(benchmark::State& state, const Structure& structure) {
  for (auto _ : state) benchmark::DoNotOptimize(kronite::site_fingerprints(structure));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(structure.size()));
}

constexpr SiteCapacity kCapacity{4096, 1024, 4096};

/// A crystal as the kernels see it, with memory for each of its sites.
class Sites {
 public:
  explicit Sites(const Structure& structure) : fractional_(structure.fractional) {
    for (std::size_t k = 0; k < 3; ++k) {
      const Vector3& row = structure.lattice[k];
      crystal_.lattice[k] = {row[0], row[1], row[2]};
    }
    crystal_.fractional = fractional_.front().data();
    crystal_.sites = static_cast<std::int64_t>(fractional_.size());
    const std::size_t bytes = SiteWorkspace::bytes(kCapacity);
    memory_.resize(bytes * fractional_.size());
    for (std::size_t i = 0; i < fractional_.size(); ++i)
      work_.emplace_back(kCapacity, memory_.data() + i * bytes);
  }

  void find_cells() {
    for (std::int64_t i = 0; i < crystal_.sites; ++i) {
      site::find_cell(crystal_, i, work_[i]);
      weigh_neighbours(work_[i].cell, work_[i].neighbours);
    }
  }
  void measure_motifs() {
    std::array<double, kLargestMotif> values{};
    for (SiteWorkspace& work : work_) {
      look_around(work.neighbours, *work.surroundings);
      for_each_coordination(work.neighbours, [&](int n, double) {
        if (n <= kLargestMotif) order_parameters(*work.surroundings, n, values.data());
        benchmark::DoNotOptimize(values);
      });
    }
  }

 private:
  std::vector<Vector3> fractional_;
  CrystalView crystal_{};
  std::vector<std::byte> memory_;
  std::vector<SiteWorkspace> work_;
};

/// Neighbours with their weights, from the Voronoi cells.
void voronoi_cells(benchmark::State& state, const Structure& structure) {
  Sites sites(structure);
  for (auto _ : state) sites.find_cells();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(structure.size()));
}

/// All motifs of all coordination numbers that are possible there.
void motifs(benchmark::State& state, const Structure& structure) {
  Sites sites(structure);
  sites.find_cells();
  for (auto _ : state) sites.measure_motifs();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(structure.size()));
}

#define KRONITE_CRYSTALS(function)                             \
  BENCHMARK_CAPTURE(function, fcc, test::copper());            \
  BENCHMARK_CAPTURE(function, rocksalt, test::halite());       \
  BENCHMARK_CAPTURE(function, perovskite, test::perovskite()); \
  BENCHMARK_CAPTURE(function, triclinic, test::triclinic());   \
  BENCHMARK_CAPTURE(function, disturbed, test::disturbed())
KRONITE_CRYSTALS(site_fingerprints);
KRONITE_CRYSTALS(voronoi_cells);
KRONITE_CRYSTALS(motifs);

}  // namespace
}  // namespace kronite
