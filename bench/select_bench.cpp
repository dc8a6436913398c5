// Top-k per row against the time to read the scores once, and grouping by key.
#include <benchmark/benchmark.h>

#include "cases/select_cases.hpp"
#include "device/backend.hpp"  // for select
#include "machine.hpp"         // for targets, read_seconds

namespace kronite::bench {
namespace {

void top_k(benchmark::State& state, const test::TopKCase& c, const Target& target) {
  Device device = target.open();
  const auto scores = test::top_k_scores<float>(c);
  test::DeviceMatrix<float> on(device, scores), values(device, test::HostMatrix<float>(c.n, c.k));
  test::DeviceMatrix<std::int32_t> indices(device, test::HostMatrix<std::int32_t>(c.n, c.k));

  const double seconds = fastest_iteration(state, target, [&] {
    select<float>(device).top_k_rows(on.view(), c.largest, values.view(), indices.view());
    device.synchronize();
  });

  const double bytes = static_cast<double>(scores.values.size() * sizeof(float));
  state.counters["GB/s"] = bytes / seconds * 1e-9;
  if (target.threads > 0)
    state.counters["share_of_reading"] = read_seconds(target, on.view().data, c.n * c.m) / seconds;
}

void group(benchmark::State& state, const test::GroupCase& c, const Target& target) {
  Device device = target.open();
  const auto n = static_cast<std::int64_t>(c.keys.size());
  Array<std::int64_t> keys(device, c.keys, n, 1), begin(device, n + 1, 1);
  Array<std::int32_t> order(device, n, 1);
  const double seconds = fastest_iteration(state, target, [&] {
    device.backend().group().group_by_key(keys.vector(), order.vector(), begin.vector());
  });
  state.counters["keys/s"] = static_cast<double>(n) / seconds;
}

/// A case of the tests is worth timing from some 100,000 values on.
constexpr std::int64_t kWorthTiming = 100000;

[[maybe_unused]] const bool registered = [] {
  auto cases = test::top_k_cases();
  cases.push_back({"a batch of queries", 1000, 30000, 10});
  for (const Target& target : targets()) {
    for (const auto& c : cases)
      if (c.n * c.m >= kWorthTiming)
        benchmark::RegisterBenchmark(("top_k_rows/" + name_of(c.name) + "/" + target.name).c_str(),
                                     top_k, c, target)
            ->Unit(benchmark::kMicrosecond)
            ->UseRealTime();
    for (const auto& c : test::group_cases())
      if (static_cast<std::int64_t>(c.keys.size()) >= kWorthTiming)
        benchmark::RegisterBenchmark(
            ("group_by_key/" + name_of(c.name) + "/" + target.name).c_str(), group, c, target)
            ->Unit(benchmark::kMicrosecond)
            ->UseRealTime();
  }
  return true;
}();

}  // namespace
}  // namespace kronite::bench
