// kronite krfd compare: KRFD and simpler regressions on the same splits.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>

#include "base/fail.hpp"         // for fail
#include "cli/kmd_options.hpp"   // for DeviceOption
#include "cli/krfd.hpp"          // for add_krfd_compare
#include "cli/krfd_options.hpp"  // for CurveOptions, Curves
#include "cli/row_writer.hpp"    // for RowWriter, check_row_file
#include "cli/terminal.hpp"      // for StatusLine, Table
#include "krfd/artificial.hpp"   // for dense_curves
#include "krfd/compare.hpp"      // for compare_on

namespace kronite::cli {
namespace {

struct CompareCommand {
  std::string config, out;
  DeviceOption device;

  void run() const;

 private:
  void write(const std::vector<krfd::ComparedSplit>& all) const;
};

Curves curves_of(const krfd::CompareSettings& settings) {
  if (!settings.x.empty()) return CurveOptions{settings.x, settings.y, settings.t}.read();
  auto made = krfd::dense_curves(settings.systems, settings.points, settings.data_seed);
  const std::int64_t points = std::ssize(made.t);
  return {{"artificial", {}, {}, made.systems, made.kFeatures, std::move(made.x)},
          {"artificial", {}, {}, made.systems, points, std::move(made.y)},
          {"artificial", {}, {}, points, 1, std::move(made.t)}};
}

std::string both(const std::vector<double>& values, int digits) {
  const krfd::MeanAndDeviation m = krfd::over_splits(values);
  if (std::isnan(m.mean)) return "-";
  if (std::isnan(m.deviation)) return fmt::format("{:.{}f}", m.mean, digits);
  return fmt::format("{:.{}f} ± {:.{}f}", m.mean, digits, m.deviation, digits);
}

void print(const std::vector<krfd::ComparedSplit>& all, const std::vector<std::string>& methods) {
  Table table({"method", "MAE", "RMSE", "R2", "correlation^2", "in 68 %", "in 95 %", "seconds"});
  for (const std::string& method : methods) {
    std::vector<double> mae, rmse, r2, correlation, in_68, in_95, seconds;
    for (const krfd::ComparedSplit& one : all) {
      if (one.method != method) continue;
      mae.push_back(one.errors.mae);
      rmse.push_back(one.errors.rmse);
      r2.push_back(one.errors.r2);
      correlation.push_back(one.errors.correlation2);
      in_68.push_back(one.within_68);
      in_95.push_back(one.within_95);
      seconds.push_back(one.seconds);
    }
    constexpr int kErrorDigits = 4, kShareDigits = 3;
    table.add({method, both(mae, kErrorDigits), both(rmse, kErrorDigits), both(r2, kErrorDigits),
               both(correlation, kErrorDigits), both(in_68, kShareDigits),
               both(in_95, kShareDigits), fmt::format("{:.1f}", krfd::over_splits(seconds).mean)});
  }
  table.print();
}

void CompareCommand::write(const std::vector<krfd::ComparedSplit>& all) const {
  RowWriter rows(out, {"method", "split"},
                 {"MAE", "RMSE", "R2", "correlation2", "within_68", "within_95", "seconds"});
  for (const krfd::ComparedSplit& one : all) {
    const double values[] = {
        one.errors.mae, one.errors.rmse, one.errors.r2, one.errors.correlation2,
        one.within_68,  one.within_95,   one.seconds};
    rows.add({one.method, fmt::format("{}", one.split)}, values);
  }
  rows.finish();
}

void CompareCommand::run() const {
  const krfd::CompareSettings settings = krfd::read_compare_settings(config);
  const Curves curves = curves_of(settings);
  std::vector<std::int64_t> groups;
  if (!settings.groups.empty()) groups = krfd::read_groups(settings.groups, curves.x.rows);
  Device on = device.open(fit_work(curves.x.rows, curves.t.rows) * 100);
  std::vector<krfd::ComparedSplit> all;
  std::vector<std::string> methods;
  StatusLine line;
  for (int split = 0; split < settings.splits; ++split) {
    const auto progress = [&](const std::string& where) {
      if (line.due()) {
        std::string left =
            split == 0 ? ""
                       : ", about " + duration(line.elapsed() / split * (settings.splits - split)) +
                             " left, this split included";
        line.show(fmt::format("split {} of {}: {}{}", split + 1, settings.splits, where, left));
      }
      return !interrupted();
    };
    const auto some = krfd::compare_on(on, settings, curves.x.view(), curves.t.view(),
                                       curves.y.view(), groups, split, progress);
    if (split == 0)
      for (const auto& one : some) methods.push_back(one.method);
    all.insert(all.end(), some.begin(), some.end());
  }
  line.clear();
  print(all, methods);
  fmt::print("{} splits, {:.0f} % of {} systems for testing, {} points, seed {}\n", settings.splits,
             100 * settings.test_share, curves.x.rows, curves.t.rows, settings.seed);
  if (!out.empty()) write(all);
}

}  // namespace

void add_krfd_compare(CLI::App& krfd) {
  CLI::App* app =
      krfd.add_subcommand("compare",
                          "KRFD, kernel ridge regression at each point (KRRs) and the functional "
                          "linear model (FLM) on\n"
                          "the same random splits: mean and standard deviation of their errors");
  const auto command = std::make_shared<CompareCommand>();
  app->add_option("--config", command->config, "Data and settings, as configs/krfd_artificial.toml")
      ->required()
      ->check(CLI::ExistingFile.description(""))
      ->type_name("FILE");
  app->add_option("--out", command->out, "Every split: FILE.csv, FILE.npy, or -")
      ->check(check_row_file)
      ->type_name("FILE");
  command->device.add(*app);
  app->footer("Example:  kronite krfd compare --config configs/krfd_artificial.toml");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
