// Curves with points of their own on the command line: a long table in place of --y and --t.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "krfd/irregular_method.hpp"  // for IrregularSettings, LongCurves

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace kronite::cli {

struct CurveOptions;
struct DeviceOption;
struct HyperOptions;
struct TuneOptions;

/// --id-column, --t-columns, --y-column.
struct LongNameOptions {
  std::string id, t, y;

  /// Where `needed` is there, the names do nothing without it.
  void add(CLI::App& command, CLI::Option* needed, bool with_y);
  krfd::LongNames names() const;
};

/// --long, --method, --grid and what else is for curves with points of their own.
struct LongOptions {
  std::string table, grid, method = "krfd";
  LongNameOptions columns;
  std::int64_t grid_points = 30;
  std::optional<double> lambda;
  double zero_ratio_x = 0, zero_ratio_t = 0;
  bool compat = false;

  /// Returns --long.
  CLI::Option* add(CLI::App& command);
  bool given() const { return !table.empty(); }
  bool ridge() const { return method == "krsfd"; }
  krfd::LongCurves read(const std::string& x) const;
  /// Of --grid, or points that cover those of the curves.
  std::vector<double> grid_for(const krfd::LongCurves& curves) const;
  /// @throws Error invalid_argument for hyper-parameters that the method does not have.
  krfd::IrregularSettings settings(const HyperOptions& hyper) const;
  /// Whether one of the method's numbers was given.
  bool any(const HyperOptions& hyper) const;
};

/// Points of a grid out of a file, or points that cover those of the curves.
std::vector<double> grid_points_of(const std::string& file, std::int64_t points,
                                   const krfd::LongCurves& curves);

/// With a line of progress; Ctrl-C ends it.
krfd::TunedSettings tune_long(Device& device, const krfd::LongCurves& curves,
                              const std::vector<double>& grid, const LongOptions& own,
                              const HyperOptions& hyper, const TuneOptions& tuning);

/// Operations of one evidence, or of one fit with bands.
double irregular_work(std::int64_t observations, std::int64_t systems, std::int64_t grid);

/// What `kronite krfd fit`, `tune` and `evaluate` do with --long.
void fit_long(const CurveOptions& files, const HyperOptions& hyper, const TuneOptions& tuning,
              const DeviceOption& device, const std::string& tune, const std::string& out,
              bool dry_run);
void print_tuned_long(const CurveOptions& files, const HyperOptions& hyper,
                      const TuneOptions& tuning, const DeviceOption& device);
struct LongEvaluation {
  std::string test_ids, out;
  int splits = 5, draws = 5;
  double test_share = 0.25;
  bool tune_once = false;
};
void evaluate_long(const CurveOptions& files, const HyperOptions& hyper, const TuneOptions& tuning,
                   const DeviceOption& device, const LongEvaluation& how);

/// "--method krfd --kernel-x gaussian ...": what makes the same settings again.
std::string as_options(const krfd::IrregularSettings& settings);

}  // namespace kronite::cli
