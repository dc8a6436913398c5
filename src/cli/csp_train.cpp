// kronite csp train: what ranks templates, learned from a library of known crystals.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/csp.hpp"               // for add_csp_train
#include "cli/device_option.hpp"     // for add_device_option
#include "cli/terminal.hpp"          // for Table
#include "cli/training_run.hpp"      // for TrainingRun, train_metric
#include "csp/model_card.hpp"        // for kMetrics, mean_and_spread
#include "csp/train_config.hpp"      // for read_train_config
#include "csp/train_report.hpp"      // for write_train_report
#include "kronite/csp_training.hpp"  // for train

namespace kronite::cli {
namespace {

/// Other commands tell a model by its ending.
std::string model_name(const std::string& path) {
  return path.ends_with(".safetensors") ? "" : "a name that ends in .safetensors is expected";
}

std::vector<std::string> metric_cells(const csp::PairMetrics& m) {
  std::vector<std::string> cells;
  for (const csp::MetricName& metric : csp::kMetrics)
    cells.push_back(m.pairs == 0 ? "-" : fmt::format("{:.3f}", m.*metric.metric));
  return cells;
}

/// Metrics of every network on its test part, or on its validation part where it has no test part.
void print_table(const csp::TrainResult& result) {
  using csp::Judgement;
  const bool tested = result.members.front().test.pairs > 0;
  const auto part = tested ? &Judgement::test : &Judgement::validation;
  const bool judged = (result.members.front().*part).pairs > 0;
  if (judged) fmt::print("On the {} parts:\n", tested ? "test" : "validation");
  Table table({"network", "MAP", "MACC", "AP", "ACC", "pairs", "kept epoch", "seconds"});
  const auto row = [&](std::string name, std::vector<std::string> metrics,
                       std::vector<std::string> rest) {
    metrics.insert(metrics.begin(), std::move(name));
    metrics.insert(metrics.end(), rest.begin(), rest.end());
    table.add(std::move(metrics));
  };
  for (std::size_t m = 0; m < result.members.size(); ++m) {
    const csp::MemberReport& member = result.members[m];
    double seconds = 0;
    for (const auto& epoch : member.history) seconds += epoch.seconds;
    row(fmt::format("{}", m + 1), metric_cells(member.*part),
        {fmt::format("{}", (member.*part).pairs), fmt::format("{}", member.best_epoch),
         fmt::format("{:.1f}", seconds)});
  }
  if (judged && result.members.size() > 1) {
    std::vector<std::string> cells;
    for (const csp::MetricName& metric : csp::kMetrics)
      cells.push_back(csp::mean_and_spread(result.members, part, metric.metric));
    row("mean ± std", std::move(cells), {"-", "-", "-"});
    if ((result.ensemble.*part).pairs > 0)
      row("ensemble", metric_cells(result.ensemble.*part),
          {fmt::format("{}", (result.ensemble.*part).pairs), "-", "-"});
  }
  table.print();
}

void train_classifier(const TrainingRun& run) {
  const csp::TrainOptions options = csp::read_train_config(run.config);
  run.check();
  const TemplateLibrary library = run.library();
  std::vector<Device> on = run.make_devices(options.members);
  csp::TrainResult result;
  run.with_checkpoint({"network", "accuracy"}, [&](const csp::TrainHooks& hooks) {
    result = csp::train(on, library, options, run.excluded_formulas(), hooks);
  });
  csp::write_model(result.model, run.out);
  if (!run.report.empty())
    csp::write_train_report(run.report, options, result, run.for_report(on, library));
  run.remove_checkpoint();
  print_table(result);
  const auto networks = result.model.ensemble.members.size();
  fmt::print("{}: {} network{}, {} parameters{}\n", run.out, networks, networks == 1 ? "" : "s",
             result.model.ensemble.parameters(), run.report_note());
}

}  // namespace

void add_csp_train(CLI::App& csp) {
  CLI::App* command = csp.add_subcommand(
      "train", "Train what ranks templates, an ensemble of networks or a metric, from a library");
  const auto job = std::make_shared<TrainingRun>();
  const auto metric = std::make_shared<bool>(false);
  command
      ->add_option("--templates", job->templates,
                   "Template library with fingerprints ('kronite templates build')")
      ->required()
      ->check(CLI::ExistingFile.description(""))
      ->type_name("FILE");
  command
      ->add_option_function<std::string>(
          "--model", [metric](const std::string& kind) { *metric = kind == "metric"; },
          "What is trained: networks that classify pairs, or a metric (default: classifier)")
      ->check(CLI::IsMember({"classifier", "metric"}).description(""))
      ->type_name("classifier|metric");
  command
      ->add_option("--config", job->config,
                   "Settings, such as configs/cspml_2024.toml, configs/metric.toml")
      ->required()
      ->check(CLI::ExistingFile.description(""))
      ->type_name("FILE");
  command->add_option("--out", job->out, "The model to write (.safetensors)")
      ->required()
      ->check(model_name)
      ->type_name("FILE");
  command
      ->add_option("--report", job->report,
                   "New folder for learning curves, reliability, metrics and the settings")
      ->type_name("DIR");
  command
      ->add_option("--exclude-formulas", job->exclude,
                   "Formulas whose templates take no part: one per line, or a .csv with a\n"
                   "column called formula")
      ->check(CLI::ExistingFile.description(""))
      ->type_name("FILE");
  command->add_flag("--resume", job->resume,
                    "Go on with a training that was stopped; its state lies in OUT.checkpoint");
  add_device_option(*command, job->device, Devices::several);
  command
      ->add_option("--side-by-side", job->side_by_side,
                   "Members to train at the same time on each device: small networks leave much\n"
                   "of a GPU, or of many cores, idle. The model is the same")
      ->check(CLI::Range(1, 1000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--threads", job->threads, "Threads on the CPU; 0: all")
      ->check(CLI::Range(0, 4096).description(""))
      ->type_name("N")
      ->capture_default_str();
  command->footer(
      "Ctrl-C keeps what is done; the same command with --resume goes on and gives the same "
      "model.\nSettings, the report and what is learned: docs/training.md, docs/metric.md.\n\n"
      "Examples:\n"
      "  kronite csp train --templates mp_stable.ktl --config configs/cspml_2024.toml \\\n"
      "    --out model.safetensors --report report\n"
      "  kronite csp train --model metric --templates mp_stable.ktl --config configs/metric.toml "
      "\\\n"
      "    --out metric.safetensors");
  command->callback([job, metric] { *metric ? train_metric(*job) : train_classifier(*job); });
}

}  // namespace kronite::cli
