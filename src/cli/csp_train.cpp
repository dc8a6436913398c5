// kronite csp train: an ensemble of networks learned from a library of known crystals.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <numeric>

#include "base/fail.hpp"             // for fail
#include "base/hash.hpp"             // for content_hash
#include "base/log.hpp"              // for notice
#include "cli/csp.hpp"               // for add_csp_train
#include "cli/terminal.hpp"          // for Table, StatusLine, duration, interrupted
#include "csp/model_card.hpp"        // for kMetrics, mean_and_spread
#include "csp/train_config.hpp"      // for read_train_config
#include "csp/train_report.hpp"      // for write_train_report
#include "io/atomic_file.hpp"        // for require_writable
#include "io/formula_list.hpp"       // for read_formula_list
#include "io/input.hpp"              // for read_file
#include "kronite/csp_training.hpp"  // for train

namespace kronite::cli {
namespace {

namespace fs = std::filesystem;

/// Says which network and epoch a training has reached, and about how long it will take: as if the
/// best epoch so far were the last better one, and the other networks like those before.
class TrainingLine {
 public:
  bool operator()(const csp::TrainProgress& now) {
    if (now.member != member_) {
      if (epochs_ > 0) finished_epochs_.push_back(epochs_);
      member_ = now.member;
    }
    epochs_ = now.epoch->epoch;
    seconds_ += now.epoch->seconds;
    ++run_;
    if (line_.due()) line_.show(text(now));
    return !interrupted();
  }

 private:
  std::string text(const csp::TrainProgress& now) const {
    const learn::EpochRecord& epoch = *now.epoch;
    std::string text = fmt::format("network {} of {}, epoch {}: loss {:.4f}", now.member,
                                   now.members, epoch.epoch, epoch.loss);
    if (now.patience > 0)
      text += fmt::format(", accuracy {:.4f} (best in epoch {})", epoch.validation_accuracy,
                          now.best_epoch);
    return text + fmt::format(", about {} left", duration(seconds_left(now)));
  }

  double seconds_left(const csp::TrainProgress& now) const {
    const int last =
        now.patience > 0 ? std::min(now.max_epochs, now.best_epoch + now.patience) : now.max_epochs;
    const int total = std::accumulate(finished_epochs_.begin(), finished_epochs_.end(), last);
    const double typical = total / static_cast<double>(finished_epochs_.size() + 1);
    const double epochs = last - now.epoch->epoch + typical * (now.members - now.member);
    return epochs * seconds_ / run_;
  }

  StatusLine line_;
  std::vector<int> finished_epochs_;
  int member_ = 0, epochs_ = 0, run_ = 0;
  double seconds_ = 0;
};

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

/// The options of `kronite csp train`.
struct TrainCommand {
  std::string templates, config, out, report, exclude, device = "auto";
  bool resume = false;
  int threads = 0;

  void run();

 private:
  std::string checkpoint() const { return out + ".checkpoint"; }
  void check_checkpoint() const;
  csp::TrainResult train(Device& on, const TemplateLibrary& library,
                         const csp::TrainOptions& options) const;
  void write_report(const Device& on, const TemplateLibrary& library,
                    const csp::TrainOptions& options, const csp::TrainResult& result) const;
};

void TrainCommand::check_checkpoint() const {
  std::error_code unreadable;
  const bool there = fs::exists(checkpoint(), unreadable);
  if (there && !resume)
    fail(Errc::invalid_argument,
         "{}: a training of this model was stopped; --resume goes on with it, or remove this file",
         checkpoint());
  if (!there && resume) notice(fmt::format("{}: not there; a new training begins", checkpoint()));
}

csp::TrainResult TrainCommand::train(Device& on, const TemplateLibrary& library,
                                     const csp::TrainOptions& options) const {
  std::vector<std::string> excluded;
  if (!exclude.empty())
    for (const auto& listed : io::read_formula_list(exclude)) excluded.push_back(listed.text);
  TrainingLine line;
  csp::TrainHooks hooks;
  hooks.checkpoint = checkpoint();
  hooks.progress = [&](const csp::TrainProgress& now) { return line(now); };
  try {
    return csp::train(on, library, options, excluded, hooks);
  } catch (const Error& e) {
    std::error_code unreadable;
    if (e.code() == Errc::cancelled && fs::exists(checkpoint(), unreadable))
      fail(Errc::cancelled, "{}; the same command with --resume goes on from {}", e.what(),
           checkpoint());
    throw;
  }
}

void TrainCommand::write_report(const Device& on, const TemplateLibrary& library,
                                const csp::TrainOptions& options,
                                const csp::TrainResult& result) const {
  csp::TrainRun run{command_line(), on.description(), out, {{library.path(), library.hash()}}};
  for (const auto& path : {config, exclude})
    if (!path.empty()) run.inputs.emplace_back(path, content_hash(io::read_file(path)));
  csp::write_train_report(report, options, result, run);
}

void TrainCommand::run() {
  const csp::TrainOptions options = csp::read_train_config(config);
  io::require_writable(out);
  if (!report.empty()) csp::prepare_report_folder(report);
  check_checkpoint();
  const TemplateLibrary library = TemplateLibrary::open(templates);
  DeviceOptions device_options;
  device_options.threads = threads;
  Device on = Device::parse(device, 1e300, device_options);
  const csp::TrainResult result = train(on, library, options);
  csp::write_model(result.model, out);
  if (!report.empty()) write_report(on, library, options, result);
  std::error_code ignored;  // a checkpoint that stays does no harm
  fs::remove(checkpoint(), ignored);
  print_table(result);
  const auto networks = result.model.ensemble.members.size();
  fmt::print("{}: {} network{}, {} parameters{}\n", out, networks, networks == 1 ? "" : "s",
             result.model.ensemble.parameters(),
             report.empty() ? "" : fmt::format("; figures and tables are in {}", report));
}

}  // namespace

void add_csp_train(CLI::App& csp) {
  CLI::App* command = csp.add_subcommand(
      "train", "Train an ensemble of networks that ranks templates, from a library");
  const auto job = std::make_shared<TrainCommand>();
  command
      ->add_option("--templates", job->templates,
                   "Template library with fingerprints ('kronite templates build')")
      ->required()
      ->check(CLI::ExistingFile.description(""))
      ->type_name("FILE");
  command->add_option("--config", job->config, "Settings, such as configs/cspml_2024.toml")
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
  command->add_option("--device", job->device, "auto, cpu, cuda or cuda:N")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--threads", job->threads, "Threads on the CPU; 0: all")
      ->check(CLI::Range(0, 4096).description(""))
      ->type_name("N")
      ->capture_default_str();
  command->footer(
      "Ctrl-C keeps what is done; the same command with --resume goes on and gives the same "
      "model.\nSettings, the report and what is learned: docs/training.md.\n\n"
      "Example:\n"
      "  kronite csp train --templates mp_stable.ktl --config configs/cspml_2024.toml \\\n"
      "    --out model.safetensors --report report");
  command->callback([job] { job->run(); });
}

}  // namespace kronite::cli
