// kronite kmd evaluate: how well learners predict from descriptors, over many splits of a table.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fail.hpp"              // for fail
#include "base/hash.hpp"              // for content_hash
#include "base/log.hpp"               // for notice
#include "cli/kmd.hpp"                // for add_kmd_evaluate
#include "cli/kmd_options.hpp"        // for ComponentsOption, DeviceOption
#include "cli/terminal.hpp"           // for Table, StatusLine, duration, interrupted
#include "io/append_file.hpp"         // for AppendFile
#include "io/folder.hpp"              // for make_folder, holds_files
#include "io/input.hpp"               // for read_file
#include "kmd/experiment.hpp"         // for run_experiment
#include "kmd/experiment_report.hpp"  // for write_experiment, rounded

namespace kronite::cli {
namespace {

struct EvaluateCommand {
  std::string config, data, weights, out;
  ComponentsOption components;
  DeviceOption device;

  void run() const;

 private:
  void prepare_out() const;
  kmd::Experiment work(Device& on, const kmd::ExperimentSettings& settings,
                       const kmd::ExperimentData& rows, const kmd::Components& of) const;
  kmd::ExperimentRun for_report(const Device& on) const;
};

void EvaluateCommand::prepare_out() const {
  if (out.empty()) return;
  io::make_folder(out);
  if (io::holds_files(out))
    fail(Errc::invalid_argument, "{}: this folder is not empty; name a new one", out);
}

/// Where the trials stand; trials of one descriptor and learner take about the same time.
class TrialLine {
 public:
  explicit TrialLine(const kmd::ExperimentSettings& settings) : settings_(settings) {}

  bool operator()(const kmd::ExperimentProgress& now) {
    if (line_.due()) line_.show(text(now));
    return !interrupted();
  }
  void clear() { line_.clear(); }

 private:
  std::string text(const kmd::ExperimentProgress& now) const {
    std::string text = fmt::format("split {}, {}, {} (trial {} of {})", now.split + 1,
                                   settings_.descriptors[now.descriptor].name,
                                   settings_.learners[now.learner].name, now.trial + 1, now.trials);
    double done = static_cast<double>(now.trial);
    if (now.epochs > 0) {
      const bool trees = settings_.learners[now.learner].kind == kmd::LearnerKind::forest;
      text += fmt::format(", {} {} of {}", trees ? "tree" : "epoch", now.epoch, now.epochs);
      done += static_cast<double>(now.epoch) / now.epochs;
    }
    if (done > 0)
      text +=
          fmt::format(", about {} left",
                      duration(line_.elapsed() * (static_cast<double>(now.trials) - done) / done));
    return text;
  }

  const kmd::ExperimentSettings& settings_;
  StatusLine line_;
};

kmd::Experiment EvaluateCommand::work(Device& on, const kmd::ExperimentSettings& settings,
                                      const kmd::ExperimentData& rows,
                                      const kmd::Components& of) const {
  std::optional<io::AppendFile> trials;
  if (!out.empty()) trials.emplace(out + "/splits.jsonl");
  const std::size_t main = kmd::main_metric(settings, rows);
  const std::string name = kmd::metric_names(settings, rows)[main];
  TrialLine line(settings);
  kmd::ExperimentHooks hooks;
  hooks.progress = [&](const kmd::ExperimentProgress& now) { return line(now); };
  hooks.finished = [&](const kmd::Trial& trial) {
    if (trials) trials->append(kmd::trial_json(settings, rows, trial));
    line.clear();
    notice(fmt::format("split {}, {}, {}: {} {:.4f}, {:.4f} on the validation part; {}",
                       trial.split + 1, settings.descriptors[trial.descriptor].name,
                       settings.learners[trial.learner].name, name, trial.metrics[main],
                       trial.validation[main], duration(trial.seconds)));
  };
  try {
    return kmd::run_experiment(on, settings, rows, of, hooks);
  } catch (const Error& error) {
    if (error.code() == Errc::cancelled && !out.empty())
      fail(Errc::cancelled, "stopped; what was finished is in {}/splits.jsonl", out);
    throw;
  }
}

kmd::ExperimentRun EvaluateCommand::for_report(const Device& on) const {
  kmd::ExperimentRun run{command_line(), on.description(), {}};
  for (const auto& path : {config, data, weights, components.file})
    if (!path.empty()) run.inputs.emplace_back(path, content_hash(io::read_file(path)));
  return run;
}

// --- tables --------------------------------------------------------------------------------------

/// Recall and precision of classes are in the files and in a table of their own.
bool in_main_table(const kmd::ExperimentSettings& settings, const std::string& metric) {
  return !settings.classifies() ||
         !(metric.starts_with("recall ") || metric.starts_with("precision "));
}

std::string spread_cell(const std::vector<double>& values) {
  const kmd::Spread spread = kmd::spread_of(values);
  std::string text = kmd::rounded(spread.mean, spread.mean);
  if (!std::isnan(spread.std)) text += " ± " + kmd::rounded(spread.std, spread.mean);
  return text;
}

void print_results(const kmd::ExperimentRecord& r, bool main) {
  const auto names = kmd::metric_names(r.settings, r.data);
  std::vector<std::string> header{"descriptor", "learner"};
  for (const std::string& name : names)
    if (in_main_table(r.settings, name) == main) header.push_back(name);
  if (header.size() == 2) return;
  const std::size_t judged = kmd::main_metric(r.settings, r.data);
  if (main) header.push_back(names[judged] + ", validation");
  Table table(std::move(header));
  for (std::size_t l = 0; l < r.settings.learners.size(); ++l)
    for (std::size_t d = 0; d < r.settings.descriptors.size(); ++d) {
      std::vector<std::string> cells{r.settings.descriptors[d].name, r.settings.learners[l].name};
      for (std::size_t m = 0; m < names.size(); ++m)
        if (in_main_table(r.settings, names[m]) == main)
          cells.push_back(spread_cell(kmd::metric_over_splits(r.experiment, d, l, m)));
      if (main)
        cells.push_back(spread_cell(kmd::metric_over_splits(r.experiment, d, l, judged, true)));
      table.add(std::move(cells));
    }
  table.print();
}

void print_differences(const kmd::ExperimentRecord& r) {
  const auto names = kmd::metric_names(r.settings, r.data);
  Table table({"difference", "learner", "metric", "mean", "95 % interval", "with shared rows"});
  for (std::size_t l = 0; l < r.settings.learners.size(); ++l)
    for (std::size_t d = 1; d < r.settings.descriptors.size(); ++d)
      for (std::size_t m = 0; m < names.size(); ++m) {
        if (!in_main_table(r.settings, names[m])) continue;
        const auto first = kmd::metric_over_splits(r.experiment, 0, l, m);
        const kmd::PairedDifference off = kmd::paired_difference(
            first, kmd::metric_over_splits(r.experiment, d, l, m), kmd::test_share(r.experiment));
        const double scale = kmd::spread_of(first).mean;
        const auto interval = [&](double low, double high) {
          return std::isnan(low)
                     ? std::string("-")
                     : fmt::format("{} to {}", kmd::rounded(low, scale), kmd::rounded(high, scale));
        };
        table.add(
            {fmt::format("{} - {}", r.settings.descriptors[0].name, r.settings.descriptors[d].name),
             r.settings.learners[l].name, names[m], kmd::rounded(off.mean, scale),
             interval(off.low, off.high), interval(off.wide_low, off.wide_high)});
      }
  table.print();
}

void print(const kmd::ExperimentRecord& r) {
  const auto& parts = r.experiment.splits.front();
  fmt::print("{}{} rows, {} {}: {} for training, {} for validation, {} for test in the first\n\n",
             r.settings.title.empty() ? "" : r.settings.title + ": ", r.data.rows(),
             r.experiment.splits.size(),
             r.settings.splits.kind == kmd::SplitKind::folds ? "folds" : "random splits",
             parts.training.size(), parts.validation.size(), parts.test.size());
  fmt::print("Test parts, mean ± standard deviation over the splits{}:\n",
             r.settings.data.unit.empty() ? "" : ", in " + r.settings.data.unit);
  print_results(r, true);
  if (r.settings.classifies()) {
    fmt::print("\n");
    print_results(r, false);
  }
  if (r.settings.descriptors.size() < 2) return;
  fmt::print(
      "\nDifferences on the same splits, with the 95 % interval of Student's t over the splits; "
      "the "
      "last one\nallows for splits that share rows (Nadeau and Bengio):\n");
  print_differences(r);
}

// --- the command ---------------------------------------------------------------------------------

void EvaluateCommand::run() const {
  if (!weights.empty() && components.file.empty())
    fail(Errc::invalid_argument, "--weights has mixtures of components: --components is expected");
  const std::string text = io::read_file(config);
  const kmd::ExperimentSettings settings = kmd::parse_experiment_config(text, config);
  const kmd::Components of = components.read();
  const kmd::ExperimentData rows = kmd::read_experiment_data(data, settings.data, of, weights);
  if (rows.without_target > 0)
    notice(fmt::format("{}: {} rows without a value are left out", data, rows.without_target));
  if (rows.unknown > 0)
    notice(fmt::format("{}: {} rows with elements that are no component are left out", data,
                       rows.unknown));
  prepare_out();
  Device on = device.open(1e300);
  const kmd::Experiment experiment = work(on, settings, rows, of);
  const kmd::ExperimentRecord record{settings, rows, experiment};
  print(record);
  if (out.empty()) return;
  kmd::write_experiment(out, record, for_report(on), text);
  fmt::print("\nTables, predictions and figures are in {}\n", out);
}

}  // namespace

void add_kmd_evaluate(CLI::App& kmd) {
  CLI::App* app = kmd.add_subcommand(
      "evaluate",
      "How well properties or classes are predicted from descriptors: networks, forests or kernel\n"
      "ridge regression, for each descriptor on the same seeded splits of a table. Choices are "
      "made by\n"
      "validation parts, figures are those of test parts.");
  const auto command = std::make_shared<EvaluateCommand>();
  app->add_option("--config", command->config,
                  "Settings as TOML, such as configs/kmd_formation_energy.toml")
      ->required()
      ->type_name("FILE");
  app->add_option("--data", command->data,
                  "CSV table of formulas with the columns that the settings name; may be\n"
                  "compressed")
      ->required()
      ->type_name("FILE");
  app->add_option("--weights", command->weights,
                  "Mixtures that are no formulas: a table of weights by component (as of 'kmd\n"
                  "transform'), whose first column has the names by which --data speaks of them")
      ->type_name("FILE");
  command->components.add(*app);
  app->add_option("--out", command->out,
                  "New folder for tables, the results of every split, predictions and figures")
      ->type_name("DIR");
  command->device.add(*app);
  app->footer(
      "Example:  kronite kmd evaluate --config configs/kmd_formation_energy.toml --data "
      "mp_stable_formula.csv.gz --out energies");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
