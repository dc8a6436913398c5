// kronite krfd sample: functions drawn from the posterior.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/fail.hpp"          // for fail
#include "cli/krfd.hpp"           // for add_krfd_sample
#include "cli/krfd_options.hpp"   // for point_names
#include "cli/krfd_question.hpp"  // for QuestionOptions
#include "cli/row_writer.hpp"     // for RowWriter, check_row_file
#include "cli/terminal.hpp"       // for ProgressLine

namespace kronite::cli {
namespace {

struct SampleCommand {
  QuestionOptions question;
  krfd::SampleOptions options;
  std::string out = "-";
  bool within_span = false;

  void run() const;
};

void SampleCommand::run() const {
  const Question asked = question.read();
  Device on = question.device.open(asked.shape().work);
  RowWriter writer(out, {"id", "draw"}, point_names(asked.t.view()));
  krfd::SampleOptions drawing = options;
  drawing.posterior.complete = !within_span;
  ProgressLine line("drawing functions");
  drawing.progress = [&](long long done, long long total) { return line(done, total); };
  const std::vector<double> drawn =
      krfd::draws_of(on, asked.saved.model, asked.x.view(), asked.t.view(), drawing);
  line.clear();
  stop_if_interrupted();
  const auto width = static_cast<std::size_t>(asked.t.rows);
  for (std::size_t k = 0; k < drawn.size() / width; ++k) {
    const auto draw = static_cast<std::int64_t>(k) / asked.x.rows,
               system = static_cast<std::int64_t>(k) % asked.x.rows;
    writer.add({asked.x.name_of(system), fmt::format("{}", draw + 1)},
               {drawn.data() + k * width, width});
  }
  writer.finish();
}

}  // namespace

void add_krfd_sample(CLI::App& krfd) {
  CLI::App* app = krfd.add_subcommand(
      "sample",
      "Curves drawn from the posterior. Each draw is one function of features and points, so\n"
      "that its curves vary together as those of similar systems do");
  const auto command = std::make_shared<SampleCommand>();
  command->question.add(*app);
  app->add_option("--count", command->options.count, "Draws")
      ->check(CLI::Range(1, 1000000).description(""))
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--seed", command->options.seed, "Seed of the draws")
      ->type_name("N")
      ->capture_default_str();
  app->add_flag("--noise", command->options.posterior.noise,
                "With the noise of a measurement at each point");
  app->add_flag("--within-span", command->within_span,
                "Only functions in the span of the training data, as the original program");
  app->add_option("--out", command->out,
                  "FILE.csv, FILE.npy (with FILE.columns.txt and FILE.rows.csv), or - for CSV on\n"
                  "standard output")
      ->check(check_row_file)
      ->type_name("FILE")
      ->capture_default_str();
  app->footer(
      "Example:  kronite krfd sample --model model.safetensors --x X_new.csv --count 20 \\\n"
      "            --out draws.csv");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
