// Reading structure files on one core: structures per second. The files are made here, in the page
// cache; each holds the same crystal many times.
#include <benchmark/benchmark.h>

#include <string>

#include "io/csv.hpp"  // for append_csv_cell
#include "kronite/structure.hpp"
#include "support/crystals.hpp"
#include "support/temporary_folder.hpp"

namespace kronite {
namespace {

constexpr int kStructures = 200;

void read(benchmark::State& state, const std::string& path) {
  std::int64_t records = 0;
  for (auto _ : state)
    read_structures(path,
                    [&](StructureRecord&& record) {
                      benchmark::DoNotOptimize(record.structure.size());
                      ++records;
                      return true;
                    },
                    {});
  state.SetItemsProcessed(records);
}

std::string repeated(const std::string& text) {
  std::string all;
  for (int i = 0; i < kStructures; ++i) all += text;
  return all;
}

/// 12 sites, the median of databases of inorganic crystals, without symmetry as MP-20 has them.
Structure twelve_sites() { return test::supercell(test::triclinic(), 1, 1, 3); }

void read_cif_in_p1(benchmark::State& state) {
  const test::TemporaryFolder folder;
  read(state, folder.write("a.cif", repeated(to_cif(twelve_sites(), "x", false))));
}
BENCHMARK(read_cif_in_p1);

void read_cif_of_192_operations(benchmark::State& state) {
  const test::TemporaryFolder folder;
  read(state, folder.write("a.cif", repeated(to_cif(test::halite(), "x"))));
}
BENCHMARK(read_cif_of_192_operations);

void read_cif_column_of_csv(benchmark::State& state) {
  std::string row = "mp-1,0.0,";
  io::append_csv_cell(row, to_cif(twelve_sites(), "x", false));
  const test::TemporaryFolder folder;
  read(state, folder.write("a.csv", "material_id,e_above_hull,cif\n" + repeated(row + "\n")));
}
BENCHMARK(read_cif_column_of_csv);

void read_folder_of_cifs(benchmark::State& state) {
  const test::TemporaryFolder folder;
  const std::string text = to_cif(twelve_sites(), "x", false);
  for (int i = 0; i < kStructures; ++i) folder.write(std::to_string(i) + ".cif", text);
  read(state, folder.path());
}
BENCHMARK(read_folder_of_cifs);

void read_extxyz(benchmark::State& state) {
  const test::TemporaryFolder folder;
  read(state, folder.write("a.extxyz", repeated(to_extxyz(twelve_sites()))));
}
BENCHMARK(read_extxyz);

}  // namespace
}  // namespace kronite
