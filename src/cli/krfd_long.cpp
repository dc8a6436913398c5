// Options of curves with points of their own, and tuning on them.
#include "cli/krfd_long.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/fail.hpp"          // for fail
#include "cli/krfd_options.hpp"   // for HyperOptions, TuneOptions, number_text
#include "cli/terminal.hpp"       // for ProgressLine
#include "io/matrix_table.hpp"    // for read_matrix_table
#include "math/kernel_names.hpp"  // for name_of

namespace kronite::cli {
namespace {

/// Steps of a start, more or less, each with an evaluation for each number.
constexpr int kStepsOfAStart = 25;

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  if (text.empty()) return names;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

}  // namespace

void LongNameOptions::add(CLI::App& command, CLI::Option* needed, bool with_y) {
  const auto option = [&](const char* name, std::string& value, const char* type,
                          const char* help) {
    command.add_option(name, value, help)->needs(needed)->type_name(type);
  };
  option("--id-column", id, "NAME", "Column with the names of systems [the first one]");
  option("--t-columns", t, "NAME[,...]",
         with_y ? "Columns with the coordinates of a point [all but the first and the last one]"
                : "Columns with the coordinates of a point [the first ones behind the names]");
  if (with_y) option("--y-column", y, "NAME", "Column with what was measured [the last one]");
}

krfd::LongNames LongNameOptions::names() const { return {id, split_names(t), y}; }

CLI::Option* LongOptions::add(CLI::App& command) {
  CLI::Option* option = command.add_option(
      "--long", table,
      "Curves with points of their own, in place of --y and --t: .csv with a row for each\n"
      "measurement: the name of a system of --x, its point t, the value");
  option->type_name("FILE");
  columns.add(command, option, true);
  command
      .add_option("--method", method,
                  "For --long: krfd, with constants of systems, or krsfd, ridge regression as\n"
                  "published")
      ->needs(option)
      ->check(CLI::IsMember({"krfd", "krsfd"}).description(""))
      ->type_name("krfd|krsfd")
      ->capture_default_str();
  CLI::Option* file =
      command.add_option("--grid", grid, "For --long: points of the basis functions, a row each")
          ->needs(option)
          ->type_name("FILE");
  command
      .add_option("--grid-points", grid_points,
                  "Without --grid: so many points that cover those of the curves")
      ->needs(option)
      ->excludes(file)
      ->check(CLI::Range(1, 1000000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--lambda", lambda, "Penalty of --method krsfd [1/16]")
      ->needs(option)
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("L");
  const auto ratio = [&](const char* name, double& value, const char* help) {
    command.add_option(name, value, help)
        ->needs(option)
        ->check(CLI::Range(0.0, 1.0).description(""))
        ->type_name("P");
  };
  ratio("--zero-ratio-x", zero_ratio_x,
        "krsfd: share of the kernel values of features that are set to zero, as published [0]");
  ratio("--zero-ratio-t", zero_ratio_t, "krsfd: the same of the points [0]");
  command
      .add_flag("--compat", compat,
                "krsfd: solve as the published program does, and stop as it does")
      ->needs(option);
  return option;
}

krfd::LongCurves LongOptions::read(const std::string& x) const {
  return krfd::read_long_curves(x, table, columns.names());
}

std::vector<double> grid_points_of(const std::string& file, std::int64_t points,
                                   const krfd::LongCurves& curves) {
  if (file.empty()) return krfd::cover_points(curves.points_view(), points);
  io::MatrixTable read = io::read_matrix_table(file);
  if (read.cols != curves.dimensions())
    fail(Errc::invalid_argument, "{} has {} coordinates a point, and {} has {}", file, read.cols,
         curves.path, curves.dimensions());
  return std::move(read.values);
}

std::vector<double> LongOptions::grid_for(const krfd::LongCurves& curves) const {
  return grid_points_of(grid, grid_points, curves);
}

bool LongOptions::any(const HyperOptions& hyper) const { return hyper.any() || lambda; }

krfd::IrregularSettings LongOptions::settings(const HyperOptions& hyper) const {
  krfd::IrregularSettings s;
  s.ridge = ridge();
  s.hyper = hyper.hyper();
  s.options = {{hyper.alpha, hyper.beta}, hyper.fit_options().noise};
  if (!s.ridge) {
    if (lambda || zero_ratio_x != 0 || zero_ratio_t != 0 || compat)
      fail(Errc::invalid_argument,
           "--lambda, --zero-ratio-x, --zero-ratio-t and --compat are for --method krsfd");
    return s;
  }
  if (!hyper.sigma_m.empty() || hyper.lambda_g || hyper.lambda_t || hyper.lambda_m)
    fail(Errc::invalid_argument,
         "--method krsfd has --sigma-g, --sigma-t and --lambda; --sigma-m, --lambda-g, --lambda-t "
         "and --lambda-m are for krfd");
  if (s.hyper.g.length_scales.size() > 1 || s.hyper.t.length_scales.size() > 1)
    fail(Errc::invalid_argument, "--method krsfd takes one length scale for all columns");
  if (hyper.noise_rule != HyperOptions{}.noise_rule)
    fail(Errc::invalid_argument, "--noise-rule {} is for --method krfd", hyper.noise_rule);
  krfd::KrsfdOptions& o = s.krsfd;
  o.kernel_x = s.hyper.g.kind;
  o.kernel_t = s.hyper.t.kind;
  o.sigma_x = s.hyper.g.length_scales.front();
  o.sigma_t = s.hyper.t.length_scales.front();
  o.lambda = lambda.value_or(o.lambda);
  o.alpha = hyper.alpha;
  o.beta = hyper.beta;
  o.zero_ratio_x = zero_ratio_x;
  o.zero_ratio_t = zero_ratio_t;
  o.compat = compat;
  return s;
}

krfd::TunedSettings tune_long(Device& device, const krfd::LongCurves& curves,
                              const std::vector<double>& grid, const LongOptions& own,
                              const HyperOptions& hyper, const TuneOptions& tuning) {
  krfd::IrregularSettings start = own.settings(hyper);
  if (tuning.ard && start.ridge) fail(Errc::invalid_argument, "--ard is for --method krfd");
  tuning.widen(start.hyper, curves.x.cols);
  if (!own.any(hyper)) start = krfd::suggested(start, curves, grid);
  krfd::EvidenceTuning how;
  how.starts = tuning.starts;
  how.seed = tuning.seed;
  how.tolerance = 1e-2;
  const std::size_t numbers = start.ridge ? 3
                                          : 3 + start.hyper.g.length_scales.size() +
                                                start.hyper.t.length_scales.size() +
                                                start.hyper.m.length_scales.size();
  const auto expected = static_cast<long long>(
      static_cast<std::size_t>(tuning.starts * kStepsOfAStart) * (1 + numbers));
  ProgressLine line("evaluating the evidence", true);
  how.progress = [&](long long done, long long) {
    return line(done, done < expected ? expected : 0);
  };
  krfd::TunedSettings tuned = krfd::tune_settings(
      device, krfd::some_systems(curves, tuning.tune_on, tuning.seed), grid, start, how);
  line.clear();
  return tuned;
}

double irregular_work(std::int64_t observations, std::int64_t systems, std::int64_t grid) {
  const auto n = static_cast<double>(observations), s = static_cast<double>(systems),
             k = static_cast<double>(grid);
  return n * n * n / 3 + 2 * n * n * k + s * s * s * (9 + 2 * k) + 9 * k * k * k;
}

std::string as_options(const krfd::IrregularSettings& settings) {
  if (!settings.ridge) return "--method krfd " + as_options(settings.hyper);
  const krfd::KrsfdOptions& o = settings.krsfd;
  std::string text = fmt::format(
      "--method krsfd --kernel-x {} --kernel-t {} --sigma-g {} --sigma-t {} --lambda {}",
      math::name_of(o.kernel_x), math::name_of(o.kernel_t), number_text(o.sigma_x),
      number_text(o.sigma_t), number_text(o.lambda));
  if (o.zero_ratio_x > 0) text += " --zero-ratio-x " + number_text(o.zero_ratio_x);
  if (o.zero_ratio_t > 0) text += " --zero-ratio-t " + number_text(o.zero_ratio_t);
  if (o.compat) text += " --compat";
  return text;
}

}  // namespace kronite::cli
