// Training of a network: one epoch of the published size, against the best matrix product, and the
// step between the products that draws random bits.
#include <benchmark/benchmark.h>

#include "cases/training_cases.hpp"  // for published_hidden
#include "device/backend.hpp"        // for training
#include "kronite/learn.hpp"         // for fit
#include "kronite/regression.hpp"    // for fit_rows
#include "machine.hpp"               // for targets, gemm_peak
#include "training_work.hpp"         // for operations_per_epoch, random_pairs

namespace kronite::bench {
namespace {

/// A split of the protocol of 2024 on the stable crystals of the Materials Project.
constexpr std::int64_t kRows = 28810, kInputs = 290, kTraining = 58774, kValidation = 6441;

/// Four fifths of 35,463 compositions, as kernel mean descriptors.
constexpr std::int64_t kDescribed = 35463, kDescribedTraining = 28370, kDescribedInputs = 580;

void report(benchmark::State& state, const Target& target, double operations, double seconds,
            double peak) {
  const double rate = operations / seconds;
  state.counters["seconds"] = seconds;
  state.counters["GFLOP/s"] = rate * 1e-9;
  state.counters["GEMM_GFLOP/s"] = gemm_peak(target) * 1e-9;
  state.counters["share"] = rate / std::max(peak, gemm_peak(target));
}

/// The whole call for one epoch: descriptors to the device, first weights, training, validation.
void train_epoch(benchmark::State& state, const learn::NetworkShape& shape, const Target& target) {
  Device device = target.open();
  const auto rows = test::random_matrix<float>(1, kRows, kInputs);
  const auto training = random_pairs(2, kTraining, kRows),
             validation = random_pairs(5, kValidation, kRows);
  learn::FitOptions options;
  options.max_epochs = 1;
  const double peak = gemm_peak(target);

  const double seconds = fastest_iteration(state, target, [&] {
    learn::fit(device, shape, options, rows.view(), training, validation);
    device.synchronize();
  });

  report(state, target, operations_per_epoch(shape, kInputs, 2, kTraining, kValidation), seconds,
         peak);
}

/// One epoch on rows, without the standardisation before it: five epochs less one.
void train_rows_epoch(benchmark::State& state, const Target& target) {
  Device device = target.open();
  const auto x = test::random_matrix<float>(1, kDescribed, kDescribedInputs);
  const auto y = test::random_matrix<double>(2, kDescribed, 1);
  const learn::RowParts parts = learn::split_rows(kDescribed, {0.8, 0.1, 0.1}, 0);
  learn::RowFitOptions options;
  options.shape.hidden = {256, 256, 256};
  options.fit.batch = 512;
  const double peak = gemm_peak(target);
  const auto seconds_of = [&](int epochs) {
    options.fit.max_epochs = epochs;
    return fastest_of(1, target, [&] {
      learn::fit_rows(device, options, x.view(), y.view(), parts);
      device.synchronize();
    });
  };

  double least = std::numeric_limits<double>::infinity();
  for (auto _ : state) least = std::min(least, (seconds_of(5) - seconds_of(1)) / 4);

  report(state, target,
         operations_per_epoch(options.shape, kDescribedInputs, 1, kDescribedTraining,
                              static_cast<std::int64_t>(parts.validation.size())),
         least, peak);
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
    benchmark::RegisterBenchmark(("train_rows_epoch/" + target.name).c_str(), train_rows_epoch,
                                 target)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
    add("hidden_forward", hidden_forward, test::published_hidden());
  }
  return true;
}();

}  // namespace
}  // namespace kronite::bench
