// Size sweeps of the hot paths: kronite_sweep CONFIG.toml [--device NAME]... [--out FILE.json]
// (scripts/bench). A file of settings names hot paths and sizes; each is timed on each device and
// compared with its floor, the larger of its operations at the peak of matrix products and its
// bytes at the rate of a copy, both measured in the same run.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>

#include "base/fail.hpp"      // for fail
#include "commit.hpp"         // for kCommit
#include "io/toml_table.hpp"  // for TomlTable
#include "machine.hpp"        // for targets, gemm_peak, copy_rate
#include "sweep_jobs.hpp"     // for hot_paths

namespace kronite::bench {
namespace {

struct Sized {
  std::string name;  // "krfd_fit_cholesky/systems:4000/points:200"
  Job job;
};

/// All combinations of the sizes of one [[sweep]].
void add_sizes(const HotPath& path, const std::vector<std::vector<std::int64_t>>& lists,
               std::vector<std::int64_t>& chosen, std::vector<Sized>& out) {
  if (chosen.size() < lists.size()) {
    for (const std::int64_t size : lists[chosen.size()]) {
      chosen.push_back(size);
      add_sizes(path, lists, chosen, out);
      chosen.pop_back();
    }
    return;
  }
  std::string name = path.name;
  for (std::size_t i = 0; i < chosen.size(); ++i)
    name += fmt::format("/{}:{}", path.sizes[i], chosen[i]);
  out.push_back({std::move(name), path.at(chosen)});
}

struct Settings {
  double seconds = 0.5;  // of each measurement, at least
  std::vector<Sized> jobs;
};

Settings read_settings(const std::string& file) {
  std::vector<std::string> names;
  for (const HotPath& path : hot_paths()) names.push_back(path.name);
  io::TomlTable table = io::TomlTable::open(file);
  Settings settings;
  std::string title;
  table.read("title", title);
  table.read("seconds", settings.seconds, {0, 600});
  for (io::TomlTable& sweep : table.tables("sweep")) {
    std::size_t which = names.size();
    sweep.read("hot_path", which, names);
    if (which == names.size())
      fail(Errc::parse, "{}: a sweep has no hot_path, which is one of {}", sweep.where("hot_path"),
           fmt::join(names, ", "));
    const HotPath& path = hot_paths()[which];
    std::vector<std::vector<std::int64_t>> lists;
    for (const std::string& size : path.sizes) {
      std::vector<std::int64_t>& list = lists.emplace_back();
      sweep.read(size, list, {2, 1e10}, 1, 100);
      if (list.empty())
        fail(Errc::parse, "{}: {} needs sizes of {}, such as {} = [1000, 10000]",
             sweep.where("hot_path"), path.name, size, size);
    }
    sweep.finish();
    std::vector<std::int64_t> chosen;
    add_sizes(path, lists, chosen, settings.jobs);
  }
  table.finish();
  if (settings.jobs.empty()) fail(Errc::parse, "{} has no [[sweep]]", file);
  return settings;
}

constexpr double kGiB = 1024.0 * 1024 * 1024;

void run(benchmark::State& state, const Job& job, const Target& target) {
  Device device = target.open();
  const double limit = static_cast<double>(device.memory_limit());
  if (job.memory > limit)
    return state.SkipWithError(
        fmt::format("needs {:.1f} GiB, the device may hold {:.1f}", job.memory / kGiB, limit / kGiB)
            .c_str());
  try {
    const std::function<void()> work = job.prepare(device);
    work();  // what is made on first use is not timed
    const double seconds = fastest_iteration(state, target, work);
    const double peak = job.in_double ? double_gemm_peak(target) : gemm_peak(target);
    const double rate = copy_rate(target);
    const double floor = std::max(job.operations / peak, job.bytes / rate);
    state.counters["seconds"] = seconds;
    state.counters[job.item + "/s"] = job.items / seconds;
    state.counters["GFLOP/s"] = job.operations / seconds * 1e-9;
    state.counters["GB/s"] = job.bytes / seconds * 1e-9;
    state.counters["peak_GFLOP/s"] = peak * 1e-9;
    state.counters["copy_GB/s"] = rate * 1e-9;
    state.counters["share"] = floor / seconds;  // 1: as fast as the machine allows
  } catch (const std::exception& error) {
    state.SkipWithError(error.what());
  }
}

/// The devices that were named, with all threads of a CPU unless the name is "cpu_1_thread";
/// without names all there are.
std::vector<Target> chosen_targets(const std::vector<std::string>& names) {
  std::vector<Target> all = targets(), chosen;
  for (const std::string& name : names) {
    const auto found = std::find_if(all.rbegin(), all.rend(), [&](const Target& target) {
      return target.device == name || target.name == name ||
             (name == "cuda" && target.device == "cuda:0");
    });
    if (found == all.rend()) {
      Device::parse(name);  // which knows why not
      fail(Errc::invalid_argument, "there is no device {} to time", name);
    }
    chosen.push_back(*found);
  }
  return names.empty() ? all : chosen;
}

void sweep(const Settings& settings, const std::vector<Target>& devices, const std::string& out,
           const char* program) {
  std::vector<std::string> words{program, fmt::format("--benchmark_min_time={}", settings.seconds),
                                 "--benchmark_counters_tabular=true"};
  if (!out.empty()) {
    words.push_back("--benchmark_out=" + out);
    words.push_back("--benchmark_out_format=json");
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  int argc = static_cast<int>(argv.size());
  benchmark::Initialize(&argc, argv.data());
  benchmark::AddCustomContext("commit", kCommit);
  benchmark::AddCustomContext("processor", processor());
  for (const Target& target : devices) {
    benchmark::AddCustomContext(target.name, target.open().description());
    for (const Sized& sized : settings.jobs)
      benchmark::RegisterBenchmark((sized.name + "/" + target.name).c_str(), run, sized.job, target)
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}

}  // namespace

const std::vector<HotPath>& hot_paths() {
  static const std::vector<HotPath> all = [] {
    std::vector<HotPath> paths = csp_paths();
    for (const auto& family : {kmd_paths(), krfd_paths()})
      paths.insert(paths.end(), family.begin(), family.end());
    return paths;
  }();
  return all;
}

}  // namespace kronite::bench

int main(int argc, char** argv) try {
  using namespace kronite::bench;
  CLI::App app("Times the hot paths of kronite at the sizes of a file, on each device");
  std::string config, out;
  std::vector<std::string> devices;
  app.add_option("config", config, "Settings, such as configs/bench_small.toml")
      ->required()
      ->type_name("CONFIG.toml");
  app.add_option("--device", devices,
                 "cpu, cpu_1_thread, cuda or cuda:N; may be repeated; default: all")
      ->type_name("NAME");
  app.add_option("--out", out, "All figures as JSON, for bench/compare.py")->type_name("FILE.json");
  CLI11_PARSE(app, argc, argv);
  sweep(read_settings(config), chosen_targets(devices), out, argv[0]);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "kronite_sweep: %s\n", error.what());
  return 1;
}
