// kronite kmd transform: descriptors of formulas and of tables of weights.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fail.hpp"              // for fail
#include "cli/descriptor_writer.hpp"  // for DescriptorWriter, check_descriptor_file
#include "cli/kmd.hpp"                // for add_kmd_transform
#include "cli/kmd_options.hpp"        // for FormulaOptions, SettingsOptions, MixtureSource
#include "cli/terminal.hpp"           // for ProgressLine, Table

namespace kronite::cli {
namespace {

/// Mixtures that a device describes at a time.
constexpr std::size_t kBatch = 4096;

struct TransformCommand {
  FormulaOptions formulas;
  ComponentsOption components;
  SettingsOptions settings;
  DeviceOption device;
  std::string weights, descriptor = "kmd", out;
  bool normalise = false, sum = false;

  void run() const;

 private:
  bool statistics() const { return descriptor == "statistics"; }
  void refuse_what_does_nothing() const;
  std::unique_ptr<MixtureSource> source(const kmd::Components& of) const;
  long long write(MixtureSource& mixtures, std::size_t batch_rows, DescriptorWriter& writer,
                  std::int64_t width,
                  const std::function<void(const kmd::Weights&, MatrixView<double>)>& f) const;
  void write_kernel_means(kmd::Components of) const;
  void write_statistics(const kmd::Components& of) const;
};

void TransformCommand::refuse_what_does_nothing() const {
  if (!weights.empty() && formulas.any())
    fail(Errc::invalid_argument,
         "--weights has the mixtures: formulas beside it are not described");
  if (!weights.empty() && (formulas.unknown || formulas.skip_bad))
    fail(Errc::invalid_argument, "{} is for formulas, not for --weights",
         formulas.skip_bad ? "--skip-bad" : "--unknown");
  if (weights.empty() && normalise)
    fail(Errc::invalid_argument, "--normalise is for --weights; formulas always add up");
  if (statistics() && settings.any())
    fail(Errc::invalid_argument,
         "summary statistics have neither kernel nor grid: leave out "
         "--layout, --kernel, --scaling, --n-grids, --sigma and --most-condition");
  if (!statistics() && sum) fail(Errc::invalid_argument, "--sum is for --descriptor statistics");
}

std::unique_ptr<MixtureSource> TransformCommand::source(const kmd::Components& of) const {
  return weights.empty() ? formula_source(formulas, of) : weight_source(weights, of, normalise);
}

/// Describes batch after batch, so that any number of mixtures needs little memory.
long long TransformCommand::write(
    MixtureSource& mixtures, std::size_t batch_rows, DescriptorWriter& writer, std::int64_t width,
    const std::function<void(const kmd::Weights&, MatrixView<double>)>& describe) const {
  ProgressLine progress("describing mixtures", true);
  std::vector<double> values;
  long long rows = 0;
  for (MixtureBatch batch; mixtures.next(batch_rows, batch);) {
    if (!progress(rows, mixtures.expected(rows)))
      fail(Errc::cancelled, "{}", out == "-" ? "stopped" : "stopped; nothing was written");
    values.resize(batch.names.size() * static_cast<std::size_t>(width));
    describe(batch.weights, {values.data(), std::ssize(batch.names), width});
    for (std::size_t i = 0; i < batch.names.size(); ++i)
      writer.add(batch.names[i], {values.data() + i * static_cast<std::size_t>(width),
                                  static_cast<std::size_t>(width)});
    rows += std::ssize(batch.names);
  }
  writer.finish();
  return rows;
}

void TransformCommand::write_kernel_means(kmd::Components of) const {
  kmd::Settings chosen;
  settings.apply(chosen);
  const kmd::Descriptor d(std::move(of), chosen);
  const auto mixtures = source(d.components());
  constexpr double kComponents = 4;  // of a mixture, more or less
  std::vector<Device> on =
      device.open_all(2 * kComponents * static_cast<double>(d.width() * mixtures->expected(0)));
  DescriptorWriter writer(out, weights.empty() ? "formula" : "name", d.names(), file_settings(d));
  const long long rows =
      write(*mixtures, kBatch * on.size(), writer, d.width(),
            [&](const kmd::Weights& w, MatrixView<double> to) { d.transform(on, w, to); });
  const kmd::Condition& condition = d.condition();
  Table table({"rows", "width", "n_grids", "rank", "cond(H)", "cond(HH')", "inverse", "hash"});
  table.add(
      {fmt::format("{}", rows), fmt::format("{}", d.width()),
       d.settings().layout == kmd::Layout::grid ? fmt::format("{}", d.settings().n_grids) : "-",
       fmt::format("{} of {}", condition.rank, d.components().size()),
       fmt::format("{:.4g}", condition.of_h), fmt::format("{:.4g}", condition.of_p),
       d.invertible() ? "yes" : "no", d.hash()});
  table.print(stderr);
}

void TransformCommand::write_statistics(const kmd::Components& of) const {
  const auto names = kmd::summary_names(of, sum);
  const auto mixtures = source(of);
  const kmd::FileSettings what = file_settings(of, sum);
  DescriptorWriter writer(out, weights.empty() ? "formula" : "name", names, what);
  const long long rows = write(*mixtures, kBatch, writer, std::ssize(names),
                               [&](const kmd::Weights& w, MatrixView<double> to) {
                                 kmd::summary_statistics(w, of, sum, to);
                               });
  Table table({"rows", "width", "hash"});
  table.add({fmt::format("{}", rows), fmt::format("{}", names.size()), what.hash});
  table.print(stderr);
}

void TransformCommand::run() const {
  refuse_what_does_nothing();
  kmd::Components of = components.read();
  if (statistics())
    write_statistics(of);
  else
    write_kernel_means(std::move(of));
}

}  // namespace

void add_kmd_transform(CLI::App& kmd) {
  CLI::App* app = kmd.add_subcommand(
      "transform",
      "Descriptors of compositions, or of mixtures of any components: kernel means, which can be\n"
      "inverted ('kronite kmd invert'), or summary statistics. Formulas count by their atomic\n"
      "fractions: Si2O4 is SiO2.");
  const auto command = std::make_shared<TransformCommand>();
  command->formulas.add(*app);
  app->add_option(
         "--weights", command->weights,
         "Instead of formulas: a .csv with a header of component names and, if you like,\n"
         "a first column with names of rows; or a .npy matrix rows x components. Rows add\n"
         "up to 1")
      ->type_name("FILE");
  app->add_flag("--normalise", command->normalise, "Divide each row of --weights by its sum");
  command->components.add(*app);
  app->add_option("--descriptor", command->descriptor,
                  "kmd: kernel means; statistics: weighted mean and variance, maximum and minimum\n"
                  "of each feature")
      ->check(CLI::IsMember({"kmd", "statistics"}).description(""))
      ->type_name("kmd|statistics")
      ->capture_default_str();
  app->add_flag("--sum", command->sum, "Weighted sums too, as the last columns of statistics");
  command->settings.add(*app);
  app->add_option(
         "--out", command->out,
         "FILE.csv or FILE.npy (with FILE.columns.txt and FILE.rows.csv), with their settings in\n"
         "FILE.settings.json; FILE.jsonl, which begins with them; or - for CSV on standard output")
      ->required()
      ->check(check_descriptor_file)
      ->type_name("FILE");
  command->device.add(*app, Devices::several);
  app->footer("Example:  kronite kmd transform --file formulas.txt --n-grids 10 --out kmd.csv");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
