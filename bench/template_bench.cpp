// Opening a template library and the first questions to it, the file being in the page cache.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kronite/templates.hpp"
#include "materials/template_library.hpp"  // for TemplatePacker

namespace kronite {
namespace {

/// A library of `count` templates of 32 sites, the average of the Materials Project, with
/// fingerprints; removed at the end.
class SyntheticLibrary {
 public:
  explicit SyntheticLibrary(std::int64_t count)
      : path_((std::filesystem::temp_directory_path() /
               ("kronite-bench-" + std::to_string(::getpid()) + ".ktl"))
                  .string()) {
    TemplatePacker packer;
    for (std::int64_t i = 0; i < count; ++i) packer.add(crystal(i, count));
    packer.finish().write(path_);
  }
  ~SyntheticLibrary() { std::filesystem::remove(path_); }
  SyntheticLibrary(const SyntheticLibrary&) = delete;
  SyntheticLibrary& operator=(const SyntheticLibrary&) = delete;

  const std::string& path() const { return path_; }

 private:
  /// 1,000 ratios in ascending order, as a packer wants them.
  static Template crystal(std::int64_t i, std::int64_t count) {
    constexpr int kSites = 32;
    const std::int64_t ratio = 1000 + i * 1000 / count;
    Template t;
    t.structure.lattice = {{{8, 0, 0}, {0, 8, 0}, {0, 0, 8.0 + 1e-6 * static_cast<double>(i)}}};
    for (int k = 0; k < kSites; ++k) {
      t.structure.z.push_back(static_cast<std::uint8_t>(k < kSites / 2 ? 11 : 17));
      t.structure.fractional.push_back({k % 4 / 4.0, k / 4 % 4 / 4.0, k / 16 / 2.0});
    }
    t.composition = t.structure.composition().reduced();
    t.id = "mp-" + std::to_string(1000000 + i);
    t.formula = "NaCl" + std::to_string(i);
    t.ratio = std::to_string(ratio) + ":1";
    t.license = "BY-C";
    t.source = "Materials Project";
    t.space_group = 1;
    t.e_above_hull = t.formation_energy = std::nan("");
    t.fingerprint.assign(kFingerprintSize, 0.5F);
    return t;
  }

  std::string path_;
};

/// Open, find a ratio, and take one template of it: what a prediction does before it can begin.
void open_library_and_ask(benchmark::State& state) {
  const SyntheticLibrary file(state.range(0));
  for (auto _ : state) {
    const TemplateLibrary library = TemplateLibrary::open(file.path());
    const TemplateRange range = library.with_ratio("1500:1");
    benchmark::DoNotOptimize(library.info(range.begin));
    benchmark::DoNotOptimize(library.structure(range.begin));
    benchmark::DoNotOptimize(library.fingerprint(range.begin));
  }
}
BENCHMARK(open_library_and_ask)->Arg(28810)->Arg(150000)->Unit(benchmark::kMillisecond);

/// The same, and every checksum of the file.
void open_library_and_use_all(benchmark::State& state) {
  const SyntheticLibrary file(state.range(0));
  for (auto _ : state) {
    const TemplateLibrary library = TemplateLibrary::open(file.path());
    for (std::int64_t i = 0; i < library.size(); i += 100)
      benchmark::DoNotOptimize(library.structure(i));
    benchmark::DoNotOptimize(library.fingerprints());
  }
}
BENCHMARK(open_library_and_use_all)->Arg(28810)->Arg(150000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace kronite
