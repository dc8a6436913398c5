// kronite kmd map: compositions by the principal components of their descriptors, as a picture.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fail.hpp"        // for fail
#include "cli/kmd.hpp"          // for add_kmd_map
#include "cli/kmd_options.hpp"  // for FormulaOptions, SettingsOptions
#include "cli/terminal.hpp"     // for ProgressLine, Table
#include "io/atomic_file.hpp"   // for AtomicFile
#include "io/csv.hpp"           // for append_csv_cell
#include "kmd/map.hpp"          // for make_map, map_svg

namespace kronite::cli {
namespace {

constexpr std::size_t kBatch = 4096;

struct MapCommand {
  FormulaOptions formulas;
  ComponentsOption components;
  SettingsOptions settings;
  DeviceOption device;
  std::string config, out;
  std::optional<std::string> descriptor, column, label, title;
  std::optional<double> low, high;
  std::optional<bool> standardise;

  void run() const;

 private:
  kmd::MapSettings chosen() const;
  kmd::MapData read(const kmd::Components& of, const std::string& value_column) const;
};

/// Those of the file, with what was given beside it.
kmd::MapSettings MapCommand::chosen() const {
  kmd::MapSettings map = config.empty() ? kmd::MapSettings() : kmd::read_map_config(config);
  if (descriptor)
    map.descriptor = *descriptor == "kmd" ? kmd::Kind::kernel_mean : kmd::Kind::statistics;
  if (map.descriptor == kmd::Kind::statistics && settings.any())
    fail(Errc::invalid_argument,
         "summary statistics have neither kernel nor grid: leave out --layout, --kernel, "
         "--scaling, --n-grids, --sigma and --most-condition");
  settings.apply(map.settings);
  if (column) map.column = *column;
  if (label) map.label = *label;
  if (title) map.title = *title;
  if (low) map.low = *low;
  if (high) map.high = *high;
  if (standardise) map.standardise = *standardise;
  if (map.column.empty() && (low || high || label))
    fail(Errc::invalid_argument, "{} is for the colours of --colour",
         low    ? "--low"
         : high ? "--high"
                : "--label");
  if (map.low >= map.high)
    fail(Errc::invalid_argument, "--high is expected to be above --low: {} and {} are given",
         map.high, map.low);
  if (!map.column.empty() && !formulas.formulas.empty())
    fail(Errc::invalid_argument,
         "the column {} is asked for, which formulas on the command line do not have: put them "
         "into a .csv for --file",
         map.column);
  return map;
}

kmd::MapData MapCommand::read(const kmd::Components& of, const std::string& value_column) const {
  const auto source = formula_source(formulas, of, value_column);
  kmd::MapData data;
  data.weights.components = of.size();
  for (MixtureBatch batch; source->next(kBatch, batch);) {
    if (interrupted()) fail(Errc::cancelled, "stopped; nothing was written");
    kmd::Weights& all = data.weights;
    const std::int64_t before = std::ssize(all.component);
    for (std::int64_t i = 1; i <= batch.weights.rows(); ++i)
      all.first.push_back(before + batch.weights.first[i]);
    const auto append = [](auto& to, const auto& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    append(all.component, batch.weights.component);
    append(all.weight, batch.weights.weight);
    append(data.names, batch.names);
    append(data.values, batch.values);
  }
  return data;
}

void write_csv(io::AtomicFile& file, const kmd::MapData& data, const kmd::Map& map,
               const std::string& column) {
  std::string text = "formula,pc1,pc2";
  if (!column.empty()) {
    text += ',';
    io::append_csv_cell(text, column);
  }
  file.write(text + "\n");
  for (std::size_t i = 0; i < data.names.size(); ++i) {
    text.clear();
    io::append_csv_cell(text, data.names[i]);
    io::append_csv_numbers(text, {map.scores.data() + 2 * i, 2});
    if (!column.empty())
      text += std::isnan(data.values[i]) ? "," : fmt::format(",{}", data.values[i]);
    file.write(text + "\n");
  }
}

void print_summary(const kmd::Map& map, std::size_t rows, std::size_t width, bool standardised) {
  fmt::print("{} compositions, {} columns{}\n", rows, width,
             standardised ? ", each divided by its standard deviation" : "");
  Table table({"component", "variance", "share / %", "sum / %"});
  double sum = 0;
  for (std::int64_t k = 0; k < map.pca.components(); ++k) {
    const double share = 100 * map.pca.explained(k);
    sum += share;
    table.add({fmt::format("{}", k + 1), fmt::format("{:.6g}", map.pca.variance[k]),
               fmt::format("{:.2f}", share), fmt::format("{:.2f}", sum)});
  }
  table.print();
}

void MapCommand::run() const {
  const kmd::MapSettings map_settings = chosen();
  const kmd::Components of = components.read();
  const std::string stem = out.substr(0, out.size() - std::string_view(".svg").size());
  io::AtomicFile picture(out), table(stem + ".csv");
  const kmd::MapData data = read(of, map_settings.column);
  const auto columns = static_cast<double>(of.features.size() * 10);  // more or less
  Device on = device.open(2 * columns * columns * static_cast<double>(data.names.size()));
  ProgressLine progress("mapping compositions");
  const kmd::Map map =
      kmd::make_map(on, data, of, map_settings,
                    [&](long long done, long long total) { return progress(done, total); });
  write_csv(table, data, map, map_settings.column);
  picture.write(kmd::map_svg(data, map, map_settings));
  table.commit();
  picture.commit();
  print_summary(map, data.names.size(), map.pca.mean.size(), map_settings.standardised());
}

std::string check_picture(const std::string& out) {
  return out.ends_with(".svg") ? "" : "a name that ends in .svg is expected";
}

}  // namespace

void add_kmd_map(CLI::App& kmd) {
  CLI::App* app = kmd.add_subcommand(
      "map",
      "A picture of compositions: the first two principal components of their descriptors, one\n"
      "point each, coloured by a property.");
  const auto command = std::make_shared<MapCommand>();
  command->formulas.add(*app);
  app->add_option("--config", command->config,
                  "Settings as TOML, such as configs/kmd_map.toml; options replace what it says")
      ->type_name("FILE");
  app->add_option("--colour", command->column,
                  "Column of the .csv file with the property; rows without it are grey")
      ->type_name("COLUMN");
  app->add_option("--label", command->label, "What the colours are, with its unit [the column]")
      ->type_name("TEXT");
  app->add_option("--low", command->low, "Value of the first colour [the least]")->type_name("X");
  app->add_option("--high", command->high, "Value of the last colour [the largest]")
      ->type_name("X");
  app->add_option("--title", command->title, "Above the picture")->type_name("TEXT");
  app->add_option("--descriptor", command->descriptor,
                  "kmd: kernel means; statistics: weighted mean and variance, maximum and minimum\n"
                  "[kmd]")
      ->check(CLI::IsMember({"kmd", "statistics"}).description(""))
      ->type_name("kmd|statistics");
  app->add_flag("--standardise,!--no-standardise", command->standardise,
                "Divide columns by their standard deviations first, or do not [only statistics]");
  command->components.add(*app);
  command->settings.add(*app);
  app->add_option("--out", command->out, "FILE.svg; the same as a table goes into FILE.csv")
      ->required()
      ->check(check_picture)
      ->type_name("FILE");
  command->device.add(*app);
  app->footer(
      "Example:  kronite kmd map --config configs/kmd_map.toml --file mp_stable_formula.csv.gz "
      "--out map.svg");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
