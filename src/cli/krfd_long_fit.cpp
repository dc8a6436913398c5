// kronite krfd fit and tune on curves with points of their own.
#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "base/fail.hpp"               // for fail
#include "cli/kmd_options.hpp"         // for DeviceOption
#include "cli/krfd_long.hpp"           // for LongOptions
#include "cli/krfd_options.hpp"        // for CurveOptions, HyperOptions, TuneOptions
#include "cli/terminal.hpp"            // for Table, duration
#include "io/atomic_file.hpp"          // for require_writable
#include "io/input.hpp"                // for hash_of_file
#include "krfd/compare_irregular.hpp"  // for split_by_features
#include "kronite/version.hpp"         // for KRONITE_VERSION

namespace kronite::cli {
namespace {

using Seconds = std::chrono::duration<double>;

std::string number(double value) { return fmt::format("{:.4g}", value); }

void add_numbers(Table& table, std::vector<std::string> first, const krfd::Hyperparameters& h) {
  first.insert(first.end(), {lengths_text(h.g), lengths_text(h.t), lengths_text(h.m),
                             number(h.lambda_g), number(h.lambda_t), number(h.lambda_m)});
  table.add(std::move(first));
}

/// What --dry-run says. The speed is that of one fit on some of the systems.
void estimate(Device& on, const krfd::LongCurves& curves, const std::vector<double>& grid,
              const krfd::IrregularSettings& settings, double evaluations) {
  constexpr std::int64_t kMeasured = 100;
  const krfd::LongCurves some = krfd::some_systems(curves, kMeasured, 0);
  const std::int64_t points = std::ssize(grid) / curves.dimensions();
  const auto work = [&](const krfd::LongCurves& of) {
    return irregular_work(std::ssize(of.y), of.x.rows, points);
  };
  krfd::IrregularSettings exact = settings;
  exact.ridge = false;
  const auto timed = [&] {
    const auto begun = std::chrono::steady_clock::now();
    krfd::fit_settings(on, some, grid, exact);
    return Seconds(std::chrono::steady_clock::now() - begun).count();
  };
  timed();  // the first one wakes libraries up
  const double rate = work(some) / std::max(timed(), 1e-6);
  const auto n = static_cast<double>(curves.y.size()), s = static_cast<double>(curves.x.rows);
  Table table({"step", "operations", "expected time"});
  if (evaluations > 0)
    table.add({fmt::format("tuning by evidence, {:.0f} evaluations", evaluations),
               fmt::format("{:.2e}", evaluations * work(curves)),
               duration(evaluations * work(curves) / rate)});
  table.add({"fit with bands", fmt::format("{:.2e}", work(curves)), duration(work(curves) / rate)});
  table.print();
  fmt::print(
      "{} measurements of {} systems of {} features, {} points of the grid; about {:.3g} GB of "
      "memory at the peak\ntimes are those of a fit on {} systems, {:.1f} GFLOP/s, scaled up; "
      "nothing was written\n",
      curves.y.size(), curves.x.rows, curves.x.cols, points,
      8 * (n * n + 4 * n * static_cast<double>(points) + 4 * s * s) / 1e9, some.x.rows, rate / 1e9);
}

void report(Device& on, const krfd::LongCurves& curves, const krfd::AnyModel& model,
            const krfd::IrregularSettings& settings, const std::string& how,
            const std::string& out) {
  const krfd::ModelShape shape = krfd::shape_of(model);
  if (settings.ridge) {
    const krfd::KrsfdOptions& o = settings.krsfd;
    Table numbers({"sigma_x", "sigma_t", "lambda", "noise"});
    numbers.add(
        {number(o.sigma_x), number(o.sigma_t), number(o.lambda), number(std::sqrt(shape.sigma2))});
    numbers.print();
  } else {
    Table numbers({"noise", "sigma_g", "sigma_t", "sigma_m", "lambda_g", "lambda_t", "lambda_m"});
    add_numbers(numbers, {number(std::sqrt(shape.sigma2))}, settings.hyper);
    numbers.print();
  }
  const std::vector<double> fitted =
      krfd::at_points(on, model, curves.x.view(), curves.points(), false, {}).mean;
  const std::int64_t n = std::ssize(fitted);
  const krfd::Errors e = krfd::errors({fitted.data(), n, 1}, {curves.y.data(), n, 1});
  Table errors({"curves", "MAE", "RMSE", "R2"});
  errors.add({"trained on", number(e.mae), number(e.rmse), fmt::format("{:.4f}", e.r2)});
  errors.print();
  fmt::print("hyper-parameters: {}\n{}: {} measurements of {} systems of {} features\n", how, out,
             n, shape.systems, shape.features);
}

}  // namespace

void fit_long(const CurveOptions& files, const HyperOptions& hyper, const TuneOptions& tuning,
              const DeviceOption& device, const std::string& tune, const std::string& out,
              bool dry_run) {
  const LongOptions& own = files.own;
  if (tune == "cross-validation")
    fail(Errc::invalid_argument, "--tune cross-validation is for curves at common points");
  const bool climb = tune == "evidence" || (tune.empty() && !own.any(hyper));
  krfd::IrregularSettings settings = own.settings(hyper);
  const krfd::LongCurves curves = own.read(files.x);
  const std::vector<double> grid = own.grid_for(curves);
  constexpr double kOfAStart = 175;
  const double evaluations = climb ? kOfAStart * tuning.starts : 0;
  Device on = device.open(irregular_work(std::ssize(curves.y), curves.x.rows, std::ssize(grid)) *
                          (1 + evaluations));
  if (dry_run) return estimate(on, curves, grid, settings, evaluations);
  io::require_writable(out);
  std::string how = "given";
  if (climb) {
    const krfd::TunedSettings tuned = tune_long(on, curves, grid, own, hyper, tuning);
    settings = tuned.best;
    how =
        fmt::format("evidence, log p = {:.1f} after {} evaluations on {} systems",
                    tuned.log_evidence, tuned.evaluations,
                    tuning.tune_on == 0 ? curves.x.rows : std::min(tuning.tune_on, curves.x.rows));
  }
  stop_if_interrupted();
  krfd::SavedAny saved{krfd::fit_settings(on, curves, grid, settings), curves.x.columns, {}};
  saved.card = {{"made_by", "kronite " KRONITE_VERSION},
                {"hyper_parameters", how},
                {"x_hash", io::hash_of_file(files.x)},
                {"long_hash", io::hash_of_file(own.table)}};
  stop_if_interrupted();
  krfd::write_any_model(saved, out);
  report(on, curves, saved.model, settings, how, out);
}

void print_tuned_long(const CurveOptions& files, const HyperOptions& hyper,
                      const TuneOptions& tuning, const DeviceOption& device) {
  const LongOptions& own = files.own;
  const krfd::LongCurves curves = own.read(files.x);
  const std::vector<double> grid = own.grid_for(curves);
  Device on = device.open(irregular_work(std::ssize(curves.y), curves.x.rows, std::ssize(grid)) *
                          tuning.starts * 100);
  const krfd::TunedSettings tuned = tune_long(on, curves, grid, own, hyper, tuning);
  const auto cells = [](std::size_t number_of, const auto& climb) -> std::vector<std::string> {
    return {fmt::format("{}", number_of + 1), fmt::format("{:.2f}", climb.log_evidence),
            fmt::format("{}", climb.evaluations), climb.converged ? "yes" : "no"};
  };
  std::vector<std::string> heading{"start", "log evidence", "evaluations", "converged"};
  const std::vector<std::string> more =
      own.ridge() ? std::vector<std::string>{"sigma_x", "sigma_t", "lambda"}
                  : std::vector<std::string>{"sigma_g",  "sigma_t",  "sigma_m",
                                             "lambda_g", "lambda_t", "lambda_m"};
  heading.insert(heading.end(), more.begin(), more.end());
  Table table(std::move(heading));
  for (std::size_t k = 0; k < tuned.climbs.size(); ++k)
    add_numbers(table, cells(k, tuned.climbs[k]), tuned.climbs[k].hyper);
  for (std::size_t k = 0; k < tuned.ridge.size(); ++k) {
    const krfd::KrsfdOptions& o = tuned.ridge[k].options;
    std::vector<std::string> row = cells(k, tuned.ridge[k]);
    row.insert(row.end(), {number(o.sigma_x), number(o.sigma_t), number(o.lambda)});
    table.add(std::move(row));
  }
  table.print();
  fmt::print("for 'kronite krfd fit':  {}\n", as_options(tuned.best));
}

}  // namespace kronite::cli
