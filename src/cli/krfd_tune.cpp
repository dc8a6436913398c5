// kronite krfd tune: hyper-parameters by evidence or by cross-validation, as a table.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/fail.hpp"         // for fail
#include "cli/kmd_options.hpp"   // for DeviceOption
#include "cli/krfd.hpp"          // for add_krfd_tune
#include "cli/krfd_options.hpp"  // for CurveOptions, tune_by_evidence
#include "cli/terminal.hpp"      // for Table

namespace kronite::cli {
namespace {

struct TuneCommand {
  CurveOptions files;
  HyperOptions hyper;
  TuneOptions tuning;
  DeviceOption device;
  std::string by = "evidence";

  void run() const;
};

std::vector<std::string> cells(const krfd::Hyperparameters& h) {
  const auto number = [](double value) { return fmt::format("{:.4g}", value); };
  return {lengths_text(h.g),  lengths_text(h.t),  lengths_text(h.m),
          number(h.lambda_g), number(h.lambda_t), number(h.lambda_m)};
}

std::vector<std::string> joined(std::vector<std::string> first,
                                const std::vector<std::string>& rest) {
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

void print_climbs(const krfd::EvidenceTuned& tuned) {
  Table table({"start", "log evidence", "evaluations", "converged", "sigma_g", "sigma_t", "sigma_m",
               "lambda_g", "lambda_t", "lambda_m"});
  for (std::size_t n = 0; n < tuned.climbs.size(); ++n) {
    const krfd::EvidenceClimb& climb = tuned.climbs[n];
    table.add(joined({fmt::format("{}", n + 1), fmt::format("{:.2f}", climb.log_evidence),
                      fmt::format("{}", climb.evaluations), climb.converged ? "yes" : "no"},
                     cells(climb.hyper)));
  }
  table.print();
}

void print_search(const krfd::SearchResult& found) {
  Table table(
      {"trial", "of", "MAE", "sigma_g", "sigma_t", "sigma_m", "lambda_g", "lambda_t", "lambda_m"});
  table.add(joined({fmt::format("{}", found.trial), fmt::format("{}", found.trials),
                    fmt::format("{:.6g}", found.mae)},
                   cells(found.hyper)));
  table.print();
}

void TuneCommand::run() const {
  if (by == "evidence" && !tuning.journal.empty())
    fail(Errc::invalid_argument, "--journal is for --by cross-validation");
  if (files.own.given()) {
    if (by != "evidence")
      fail(Errc::invalid_argument, "--by {} is for curves at common points", by);
    return print_tuned_long(files, hyper, tuning, device);
  }
  const Curves curves = files.read();
  Device on = device.open(fit_work(curves.x.rows, curves.t.rows) * tuning.trials);
  const Tuned tuned = by == "evidence" ? tune_by_evidence(on, curves, hyper, tuning)
                                       : tune_by_cross_validation(on, curves, hyper, tuning);
  if (tuned.search)
    print_search(*tuned.search);
  else
    print_climbs(tuned.evidence);
  fmt::print("for 'kronite krfd fit':  {}\n", as_options(tuned.hyper));
}

}  // namespace

void add_krfd_tune(CLI::App& krfd) {
  CLI::App* app = krfd.add_subcommand(
      "tune",
      "Hyper-parameters of largest evidence, by climbs from several starts, or of least error in\n"
      "cross-validation, over Gaussian and Laplacian kernels as the original program does");
  const auto command = std::make_shared<TuneCommand>();
  command->files.add(*app);
  app->add_option("--by", command->by, "What to look for")
      ->check(CLI::IsMember({"evidence", "cross-validation"}).description(""))
      ->type_name("evidence|cross-validation")
      ->capture_default_str();
  command->hyper.add(*app);
  command->tuning.add(*app);
  command->device.add(*app);
  app->footer(
      "Examples:\n"
      "  kronite krfd tune --x curves/X.csv --y curves/Y.csv --t curves/t.csv\n"
      "  kronite krfd tune --x curves/X.csv --y curves/Y.csv --t curves/t.csv \\\n"
      "    --by cross-validation --trials 300 --journal trials.jsonl");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
