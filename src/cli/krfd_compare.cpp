// kronite krfd compare: KRFD and simpler regressions on the same splits.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>

#include "base/fail.hpp"               // for fail
#include "cli/kmd_options.hpp"         // for DeviceOption
#include "cli/krfd.hpp"                // for add_krfd_compare
#include "cli/krfd_options.hpp"        // for CurveOptions, Curves
#include "cli/row_writer.hpp"          // for RowWriter, check_row_file
#include "cli/terminal.hpp"            // for StatusLine, Table
#include "krfd/artificial.hpp"         // for dense_curves
#include "krfd/compare.hpp"            // for compare_on
#include "krfd/compare_irregular.hpp"  // for compare_irregular

namespace kronite::cli {
namespace {

struct CompareCommand {
  std::string config, out;
  DeviceOption device;

  void run() const;

 private:
  void run_irregular() const;
  void write(const std::vector<krfd::ComparedSplit>& all) const;
};

Curves curves_of(const krfd::CompareSettings& settings) {
  if (!settings.x.empty()) return CurveOptions{settings.x, settings.y, settings.t, {}}.read();
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

/// Where a comparison stands, and how long it will take.
class SplitProgress {
 public:
  explicit SplitProgress(int splits) : splits_(splits) {}

  bool operator()(int split, const std::string& where) {
    if (line_.due()) {
      std::string left = split == 0
                             ? ""
                             : ", about " + duration(line_.elapsed() / split * (splits_ - split)) +
                                   " left, this split included";
      line_.show(fmt::format("split {} of {}: {}{}", split + 1, splits_, where, left));
    }
    return !interrupted();
  }
  void clear() { line_.clear(); }

 private:
  int splits_;
  StatusLine line_;
};

std::vector<std::string> methods_of(const std::vector<krfd::ComparedSplit>& all) {
  std::vector<std::string> methods;
  for (const auto& one : all)
    if (one.split == 1) methods.push_back(one.method);
  return methods;
}

krfd::LongCurves irregular_curves_of(const krfd::IrregularCompareSettings& settings) {
  if (!settings.x.empty()) return krfd::read_long_curves(settings.x, settings.path, settings.names);
  auto made = krfd::sparse_curves(settings.systems, settings.data_seed);
  krfd::LongCurves curves{{"artificial", {}, {}, made.systems, made.kFeatures, std::move(made.x)},
                          "artificial",
                          {"t"},
                          std::move(made.curve),
                          std::move(made.t),
                          std::move(made.y)};
  for (std::int64_t i = 0; i < curves.x.rows; ++i)
    curves.x.names.push_back(fmt::format("s{}", i + 1));
  return curves;
}

/// Curves with points of their own.
void CompareCommand::run_irregular() const {
  const krfd::IrregularCompareSettings settings = krfd::read_irregular_settings(config);
  const krfd::LongCurves curves = irregular_curves_of(settings);
  const std::vector<double> grid = grid_points_of(settings.grid, settings.grid_points, curves);
  Device on =
      device.open(irregular_work(std::ssize(curves.y), curves.x.rows, std::ssize(grid)) * 100);
  std::vector<krfd::ComparedSplit> all;
  SplitProgress line(settings.splits);
  for (int split = 0; split < settings.splits; ++split) {
    const krfd::Split parts =
        settings.test_ids.empty()
            ? krfd::split_by_features(curves.x.view(), settings.test_share,
                                      settings.seed + static_cast<std::uint64_t>(split))
            : krfd::named_split(curves.x.names, curves.x.path, settings.test_ids);
    const auto some =
        krfd::compare_irregular(on, settings, curves, grid, parts, split + 1,
                                [&](const std::string& where) { return line(split, where); });
    all.insert(all.end(), some.begin(), some.end());
  }
  line.clear();
  print(all, methods_of(all));
  fmt::print(
      "{} splits of {} systems with {} measurements at points of their own, {} points of the "
      "grid, seed {}\n",
      settings.splits, curves.x.rows, curves.y.size(), std::ssize(grid) / curves.dimensions(),
      settings.seed);
  if (!out.empty()) write(all);
}

void CompareCommand::run() const {
  if (krfd::is_irregular_comparison(config)) return run_irregular();
  const krfd::CompareSettings settings = krfd::read_compare_settings(config);
  const Curves curves = curves_of(settings);
  std::vector<std::int64_t> groups;
  if (!settings.groups.empty()) groups = krfd::read_groups(settings.groups, curves.x.rows);
  Device on = device.open(fit_work(curves.x.rows, curves.t.rows) * 100);
  std::vector<krfd::ComparedSplit> all;
  SplitProgress line(settings.splits);
  for (int split = 0; split < settings.splits; ++split) {
    const auto some =
        krfd::compare_on(on, settings, curves.x.view(), curves.t.view(), curves.y.view(), groups,
                         split, [&](const std::string& where) { return line(split, where); });
    all.insert(all.end(), some.begin(), some.end());
  }
  line.clear();
  print(all, methods_of(all));
  fmt::print("{} splits, {:.0f} % of {} systems for testing, {} points, seed {}\n", settings.splits,
             100 * settings.test_share, curves.x.rows, curves.t.rows, settings.seed);
  if (!out.empty()) write(all);
}

}  // namespace

void add_krfd_compare(CLI::App& krfd) {
  CLI::App* app = krfd.add_subcommand(
      "compare",
      "KRFD, kernel ridge regression at each point (KRRs) and the functional linear model (FLM) "
      "on\n"
      "the same random splits: mean and standard deviation of their errors. With a long table of\n"
      "curves at points of their own KRSFD too, and KRRs on interpolated curves");
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
