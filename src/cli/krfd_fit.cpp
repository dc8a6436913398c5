// kronite krfd fit: a model of curves out of tables, with hyper-parameters given or tuned.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <vector>

#include "base/fail.hpp"          // for fail
#include "cli/device_option.hpp"  // for DeviceOption
#include "cli/krfd.hpp"           // for add_krfd_fit
#include "cli/krfd_options.hpp"   // for CurveOptions, HyperOptions, TuneOptions
#include "cli/krfd_scale.hpp"     // for ScaleChoice, print_costs
#include "cli/terminal.hpp"       // for Table, duration, print_message
#include "io/atomic_file.hpp"     // for require_writable
#include "io/input.hpp"           // for hash_of_file
#include "krfd/fit_scale.hpp"     // for better_in_tiles
#include "krfd/model_file.hpp"    // for write_model
#include "kronite/version.hpp"    // for KRONITE_VERSION

namespace kronite::cli {
namespace {

using Seconds = std::chrono::duration<double>;

struct FitCommand {
  CurveOptions files;
  HyperOptions hyper;
  TuneOptions tuning;
  ScaleChoice scale;
  DeviceOption device;
  std::string tune, out;
  bool dry_run = false, leave_one_out = false;

  void run() const;

 private:
  std::string way() const { return !tune.empty() ? tune : hyper.any() ? "none" : "evidence"; }
  double evaluations() const;
  void estimate(Device& on, const Curves& curves) const;
  Tuned tuned(Device& on, const Curves& curves) const;
  krfd::Model fitted(std::vector<Device>& on, const Curves& curves,
                     const krfd::Hyperparameters& found) const;
  void report(Device& on, const Curves& curves, const krfd::Model& model,
              const std::string& how) const;
};

/// Evaluations of the evidence, or trials of a cross-validation, that tuning takes.
double FitCommand::evaluations() const {
  constexpr double kOfAStart = 60;
  if (way() == "evidence") return kOfAStart * tuning.starts;
  return way() == "cross-validation" ? tuning.trials : 0;
}

/// What --dry-run says. Speeds are those of fits on some of the systems.
void FitCommand::estimate(Device& on, const Curves& curves) const {
  constexpr std::int64_t kMeasured = 300;
  const std::int64_t n = curves.x.rows, points = curves.t.rows;
  const std::int64_t tuned = tuning.tune_on == 0 ? n : std::min(n, tuning.tune_on);
  const std::int64_t some = std::min(n, kMeasured);
  const krfd::Hyperparameters h = hyper.hyper();
  const double held = held_now();
  krfd::FitShape shape{
      n, curves.x.cols, points, 0, h.g.length_scales == h.m.length_scales, on.memory_limit()};
  const auto speed = [&](bool by_eigenvalues) {
    krfd::FitOptions options = hyper.fit_options();
    options.uncertainty = by_eigenvalues;
    if (by_eigenvalues) options.path = krfd::FitPath::spectral;
    const auto timed = [&] {
      const auto begun = std::chrono::steady_clock::now();
      const krfd::Model model = krfd::fit(on, curves.x.view().rows_from(0, some), curves.t.view(),
                                          curves.y.view().rows_from(0, some), h, options);
      if (by_eigenvalues) shape.components = std::min(points, model.report().rank_t + 1);
      return Seconds(std::chrono::steady_clock::now() - begun).count();
    };
    timed();  // the first one wakes libraries up
    krfd::FitShape small = shape;
    small.systems = some;
    options.path = by_eigenvalues ? krfd::FitPath::spectral : krfd::FitPath::cholesky;
    return krfd::fit_cost(small, options).operations / std::max(timed(), 1e-6);
  };
  const Speed speeds{speed(true), speed(false)};
  if (evaluations() > 0) {
    krfd::FitShape of_tuning = shape;
    of_tuning.systems = tuned;
    const krfd::FitCost cost = way() == "evidence"
                                   ? krfd::evidence_cost(of_tuning)
                                   : krfd::cross_validation_cost(of_tuning, tuning.folds);
    Table table({"tuning", "operations", "expected time", "memory"});
    const double search = evaluations() * cost.operations;
    table.add({fmt::format("by {}, {:.0f} evaluations on {} systems", way(), evaluations(), tuned),
               fmt::format("{:.2e}", search), duration(search / speeds.eigenvalues),
               memory_text(cost.device_bytes + cost.host_bytes + held)});
    table.print();
  }
  krfd::FitOptions chosen = scale.options(hyper.fit_options());
  if (chosen.path == krfd::FitPath::automatic)
    chosen.path = chosen.rank_tolerance > 0 ? krfd::FitPath::spectral : krfd::FitPath::cholesky;
  if (chosen.path == krfd::FitPath::cholesky && krfd::better_in_tiles(on, shape, chosen))
    chosen.path = krfd::FitPath::tiled;
  print_costs(on, shape, chosen, speeds, held);
  const double file = 8 * (static_cast<double>(n * curves.x.cols) +
                           3 * static_cast<double>(n * points) + static_cast<double>(n));
  fmt::print(
      "{} systems of {} features, {} points, of which {} components count; a model file of {:.3g} "
      "MB\n"
      "memory is that of the whole process at its peak; times are scaled up from fits on {} "
      "systems, "
      "{:.1f} and {:.1f} GFLOP/s; nothing was written\n",
      n, curves.x.cols, points, shape.components, file / 1e6, some, speeds.eigenvalues / 1e9,
      speeds.products / 1e9);
}

Tuned FitCommand::tuned(Device& on, const Curves& curves) const {
  if (way() == "evidence") return tune_by_evidence(on, curves, hyper, tuning);
  if (way() == "cross-validation") return tune_by_cross_validation(on, curves, hyper, tuning);
  Tuned given;
  given.hyper = hyper.hyper();
  given.how = "given";
  return given;
}

krfd::Model FitCommand::fitted(std::vector<Device>& on, const Curves& curves,
                               const krfd::Hyperparameters& found) const {
  krfd::FitOptions options = scale.options(hyper.fit_options());
  ProgressLine line("steps of the tiled fit");
  options.progress = std::ref(line);
  return krfd::fit(on, curves.x.view(), curves.t.view(), curves.y.view(), found, options);
}

void FitCommand::report(Device& on, const Curves& curves, const krfd::Model& model,
                        const std::string& how) const {
  const krfd::Hyperparameters& h = model.hyperparameters();
  Table numbers({"sigma_g", "sigma_t", "sigma_m", "lambda_g", "lambda_t", "lambda_m", "noise"});
  const auto number = [](double value) { return fmt::format("{:.4g}", value); };
  numbers.add({lengths_text(h.g), lengths_text(h.t), lengths_text(h.m), number(h.lambda_g),
               number(h.lambda_t), number(h.lambda_m), number(std::sqrt(model.sigma2()))});
  numbers.print();
  std::vector<double> fitted = curves.y.values;
  for (std::size_t i = 0; i < fitted.size(); ++i) fitted[i] -= model.residuals()[i];
  Table errors({"curves", "MAE", "RMSE", "R2"});
  const auto add = [&](const char* what, const std::vector<double>& predicted) {
    const krfd::Errors e =
        krfd::errors({predicted.data(), curves.y.rows, curves.y.cols}, curves.y.view());
    errors.add({what, number(e.mae), number(e.rmse), fmt::format("{:.4f}", e.r2)});
  };
  add("trained on", fitted);
  if (leave_one_out)
    add("left out one by one",
        krfd::leave_one_out(on, curves.x.view(), curves.t.view(), curves.y.view(), h));
  errors.print();
  const std::string distance = distance_text(model, scale.rank_tolerance > 0);
  if (!distance.empty()) fmt::print("{}\n", distance);
  fmt::print("hyper-parameters: {}\n{}: {} systems of {} features, {} points\n", how, out,
             model.systems(), model.features(), model.points());
}

void FitCommand::run() const {
  if (out.empty() && !dry_run)
    fail(Errc::invalid_argument, "--out is expected: the file that the model goes into");
  if (!tuning.journal.empty() && way() != "cross-validation")
    fail(Errc::invalid_argument, "--journal is for --tune cross-validation");
  scale.options({});  // what does not fit is refused before anything is read
  if (files.own.given()) {
    if (leave_one_out || scale.solver != "exact" || scale.rank_tolerance > 0)
      fail(Errc::invalid_argument, "{} is for curves at common points",
           leave_one_out             ? "--leave-one-out"
           : scale.solver != "exact" ? "--solver"
                                     : "--rank-tolerance");
    return fit_long(files, hyper, tuning, device, tune, out, dry_run);
  }
  const Curves curves = files.read();
  std::vector<Device> all =
      device.open_all(fit_work(curves.x.rows, curves.t.rows) * (1 + evaluations()));
  if (all.size() > 1 && scale.solver != "tiled")
    fail(Errc::invalid_argument, "{} devices were given; several are for --solver tiled",
         all.size());
  Device& on = all.front();
  if (dry_run) return estimate(on, curves);
  io::require_writable(out);
  const Tuned found = tuned(on, curves);
  stop_if_interrupted();
  krfd::SavedModel saved{fitted(all, curves, found.hyper), curves.x.columns, {}};
  saved.card = {{"made_by", "kronite " KRONITE_VERSION},
                {"hyper_parameters", found.how},
                {"x_hash", io::hash_of_file(files.x)},
                {"y_hash", io::hash_of_file(files.y)},
                {"t_hash", io::hash_of_file(files.t)}};
  stop_if_interrupted();
  krfd::write_model(saved, out);
  report(on, curves, saved.model, found.how);
}

}  // namespace

void add_krfd_fit(CLI::App& krfd) {
  CLI::App* app = krfd.add_subcommand(
      "fit",
      "Fits curves at common points, or with --long at points of their own. Hyper-parameters are\n"
      "those of largest evidence, or those given: with one of --sigma-... or --lambda-... nothing\n"
      "is tuned, unless --tune says so, which then starts there");
  const auto command = std::make_shared<FitCommand>();
  command->files.add(*app);
  app->add_option("--out", command->out, "The model (.safetensors)")->type_name("FILE");
  app->add_option("--tune", command->tune,
                  "How to find hyper-parameters [evidence; none where they are given]")
      ->check(CLI::IsMember({"evidence", "cross-validation", "none"}).description(""))
      ->type_name("evidence|cross-validation|none");
  command->hyper.add(*app);
  command->tuning.add(*app);
  command->scale.add(*app);
  app->add_flag("--leave-one-out", command->leave_one_out,
                "Also say how well each curve is predicted without it, at the cost of a fit");
  app->add_flag("--dry-run", command->dry_run,
                "Only say what it would take: operations, time, memory");
  command->device.add(*app, Devices::several);
  app->footer(
      "Examples:\n"
      "  kronite krfd fit --x curves/X.csv --y curves/Y.csv --t curves/t.csv \\\n"
      "    --out model.safetensors\n"
      "  kronite krfd fit --x curves/X.csv --long curves/long.csv --out model.safetensors");
  app->callback([command] {
    command->scale.scale.seed = command->tuning.seed;
    command->run();
  });
}

}  // namespace kronite::cli
