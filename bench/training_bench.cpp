// Training of a network: one epoch of the published size, against the best matrix product, and the
// step between the products that draws random bits.
#include <benchmark/benchmark.h>

#include "cases/training_cases.hpp"  // for published_hidden
#include "device/backend.hpp"        // for training
#include "kronite/learn.hpp"         // for fit
#include "machine.hpp"               // for targets, gemm_peak

namespace kronite::bench {
namespace {

/// A split of the protocol of 2024 on the stable crystals of the Materials Project.
constexpr std::int64_t kRows = 28810, kInputs = 290, kTraining = 58774, kValidation = 6441;

learn::LabelledPairs random_pairs(std::uint64_t seed, std::int64_t count) {
  learn::LabelledPairs pairs{
      test::random_indices(seed, count, kRows), test::random_indices(seed + 1, count, kRows), {}};
  for (const std::int32_t i : test::random_indices(seed + 2, count, 2))
    pairs.alike.push_back(static_cast<std::uint8_t>(i));
  return pairs;
}

/// Of the products: each layer forwards, and twice back but for the inputs of the first; forwards
/// for validation.
double operations_per_epoch(const learn::NetworkShape& shape) {
  double all = 0;
  std::int64_t inputs = kInputs;
  for (const std::int64_t units : shape.hidden) {
    all += 2.0 * static_cast<double>(inputs * units);
    inputs = units;
  }
  all += 2.0 * static_cast<double>(inputs * 2);
  const double of_inputs = 2.0 * static_cast<double>(kInputs * shape.hidden.front());
  return kTraining * (3 * all - of_inputs) + kValidation * all;
}

/// The whole call for one epoch: descriptors to the device, first weights, training, validation.
void train_epoch(benchmark::State& state, const learn::NetworkShape& shape, const Target& target) {
  Device device = target.open();
  const auto rows = test::random_matrix<float>(1, kRows, kInputs);
  const auto training = random_pairs(2, kTraining), validation = random_pairs(5, kValidation);
  learn::FitOptions options;
  options.max_epochs = 1;
  const double peak = gemm_peak(target);

  const double seconds = fastest_iteration(state, target, [&] {
    learn::fit(device, shape, options, rows.view(), training, validation);
    device.synchronize();
  });

  const double rate = operations_per_epoch(shape) / seconds;
  state.counters["seconds"] = seconds;
  state.counters["GFLOP/s"] = rate * 1e-9;
  state.counters["GEMM_GFLOP/s"] = gemm_peak(target) * 1e-9;
  state.counters["share"] = rate / std::max(peak, gemm_peak(target));
}

void hidden_forward(benchmark::State& state, const test::HiddenCase& c, const Target& target) {
  Device device = target.open();
  const test::HiddenInputs<float> in(c);
  test::DeviceHidden<float> on(device, c, in);
  const double seconds = fastest_iteration(state, target, [&] {
    training<float>(device).hidden_forward(on.view, on.z.view(), on.mean.vector(),
                                           on.variance.vector(), on.y.view());
    device.synchronize();
  });
  state.counters["ns/value"] = 1e9 * seconds / static_cast<double>(c.rows * c.units);
}

[[maybe_unused]] const bool registered = [] {
  learn::NetworkShape of_2022;
  of_2022.hidden = {50, 50, 50};
  of_2022.batch_norm = false;
  for (const Target& target : targets()) {
    const auto add = [&](const std::string& name, auto f, auto argument) {
      benchmark::RegisterBenchmark((name + "/" + target.name).c_str(), f, argument, target)
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
    };
    add("train_epoch/2024", train_epoch, learn::NetworkShape{});
    add("train_epoch/2022", train_epoch, of_2022);
    add("hidden_forward", hidden_forward, test::published_hidden());
  }
  return true;
}();

}  // namespace
}  // namespace kronite::bench
