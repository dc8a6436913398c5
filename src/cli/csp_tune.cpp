// kronite csp tune: a search for the shape of the network.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/fail.hpp"          // for fail
#include "cli/csp.hpp"            // for add_csp_tune
#include "cli/device_option.hpp"  // for add_device_option
#include "cli/terminal.hpp"       // for StatusLine, interrupted, print_message
#include "csp/train_config.hpp"   // for read_train_config, to_toml
#include "csp/tune.hpp"           // for tune
#include "io/atomic_file.hpp"     // for write_file, require_writable
#include "io/formula_list.hpp"    // for read_formulas

namespace kronite::cli {
namespace {

std::string words(const learn::NetworkShape& network) {
  return fmt::format("{} x {} units, dropout {:.3f}", network.hidden.size(), network.hidden.front(),
                     network.dropout);
}

/// The options of `kronite csp tune`.
struct TuneCommand {
  std::string templates, config, out, exclude, device = "auto";
  csp::TuneOptions options;
  int threads = 0;

  void run() const;

 private:
  csp::TuneTrial search(Device& on, const csp::TrainOptions& base) const;
};

csp::TuneTrial TuneCommand::search(Device& on, const csp::TrainOptions& base) const {
  const TemplateLibrary library = TemplateLibrary::open(templates);
  std::vector<std::string> excluded;
  if (!exclude.empty())
    for (const auto& listed : io::read_formula_list(exclude)) excluded.push_back(listed.text);
  StatusLine line;
  csp::TuneHooks hooks;
  hooks.progress = [&](std::int64_t trial, const csp::TrainProgress& now) {
    if (line.due())
      line.show(fmt::format("trial {}, epoch {}: loss {:.4f}, accuracy {:.4f} (best in epoch {})",
                            trial, now.epoch->epoch, now.epoch->loss,
                            now.epoch->validation_accuracy, now.best_epoch));
    return !interrupted();
  };
  hooks.after_trial = [&](const csp::TuneTrial& trial, const csp::TuneTrial& best,
                          std::int64_t finished) {
    line.clear();
    print_message(fmt::format("trial {} ({} of {}): {}: {} {:.4f}, best {:.4f} in trial {}",
                              trial.number, finished, options.trials, words(trial.network),
                              options.metric, trial.metric, best.metric, best.number));
  };
  try {
    return csp::tune(on, library, base, excluded, options, hooks);
  } catch (const Error& e) {
    if (e.code() != Errc::cancelled) throw;
    fail(Errc::cancelled, "stopped; the finished trials are in {}, and the same command goes on",
         options.journal);
  }
}

void TuneCommand::run() const {
  csp::TrainOptions settings = csp::read_train_config(config);
  io::require_writable(out);
  DeviceOptions device_options;
  device_options.threads = threads;
  Device on = Device::parse(device, 1e300, device_options);
  const csp::TuneTrial best = search(on, settings);
  settings.network = best.network;
  io::write_file(
      out, fmt::format("# Found by kronite csp tune: validation {} {:.4f} in trial {} of {}.\n{}",
                       options.metric, best.metric, best.number, options.trials,
                       csp::to_toml(settings)));
  fmt::print(
      "best: {}: {} {:.4f} on the validation part (trial {})\n{}: settings for 'kronite csp "
      "train'\n",
      words(best.network), options.metric, best.metric, best.number, out);
}

}  // namespace

void add_csp_tune(CLI::App& csp) {
  CLI::App* command = csp.add_subcommand(
      "tune", "Search for the layers, units and dropout of the networks that rank best");
  const auto job = std::make_shared<TuneCommand>();
  command
      ->add_option("--templates", job->templates,
                   "Template library with fingerprints ('kronite templates build')")
      ->required()
      ->check(CLI::ExistingFile.description(""))
      ->type_name("FILE");
  command
      ->add_option("--config", job->config, "Settings that stay, such as configs/cspml_2024.toml")
      ->required()
      ->check(CLI::ExistingFile.description(""))
      ->type_name("FILE");
  command
      ->add_option("--journal", job->options.journal,
                   "Trials and their results, a line each. Where it is there the search goes on;\n"
                   "processes that name the same file share it")
      ->required()
      ->type_name("FILE");
  command->add_option("--out", job->out, "The best settings, as --config takes them (.toml)")
      ->required()
      ->type_name("FILE");
  command->add_option("--trials", job->options.trials, "Networks to train in all")
      ->check(CLI::Range(1, 1000000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--metric", job->options.metric, "What to look for on the validation part")
      ->check(CLI::IsMember({"MAP", "MACC", "AP", "ACC"}).description(""))
      ->type_name("MAP|MACC|AP|ACC")
      ->capture_default_str();
  command
      ->add_option("--seed", job->options.seed,
                   "Seed of the search; training.seed and pairs.seed stay as configured")
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--exclude-formulas", job->exclude,
                   "Formulas whose templates take no part: one per line, or a .csv with a\n"
                   "column called formula")
      ->check(CLI::ExistingFile.description(""))
      ->type_name("FILE");
  add_device_option(*command, job->device, Devices::one);
  command->add_option("--threads", job->threads, "Threads on the CPU; 0: all")
      ->check(CLI::Range(0, 4096).description(""))
      ->type_name("N")
      ->capture_default_str();
  command->footer(
      "Example:\n"
      "  kronite csp tune --templates mp_stable.ktl --config configs/cspml_2024.toml \\\n"
      "    --journal trials.jsonl --out best.toml --trials 50\n"
      "  kronite csp train --templates mp_stable.ktl --config best.toml --out model.safetensors");
  command->callback([job] { job->run(); });
}

}  // namespace kronite::cli
