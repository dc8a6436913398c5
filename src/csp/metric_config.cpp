// Reading and writing the settings of a metric's training.
#include "csp/metric_config.hpp"

#include "base/fail.hpp"      // for fmt::format
#include "io/input.hpp"       // for read_file
#include "io/toml_table.hpp"  // for TomlTable

namespace kronite::csp {
namespace {

using io::TomlTable;

constexpr double kMostUnits = 65536;
constexpr std::size_t kMostLayers = 16;

void read_lists(TomlTable table, MetricOptions& options) {
  table.read("tau", options.tau, {1e-6, 100});
  read_hold_out(table, options.hold_out);
  read_parts(table, "lists", options.parts);
  table.read("least_members", options.least_members, {0, 1e9});
  table.read("seed", options.split_seed);
  table.finish();
}

void read_embedding(TomlTable table, MetricShape& shape) {
  table.read("descriptor_linear", shape.descriptor_linear, {0, kMostUnits});
  table.read("descriptor_hidden", shape.descriptor_hidden, {1, kMostUnits}, 0, kMostLayers);
  table.read("descriptor_outputs", shape.descriptor_outputs, {0, kMostUnits});
  table.read("slots", shape.slots, {0, 64});
  table.read("slots_share", shape.slots_share);
  table.read("slot_linear", shape.slot_linear, {0, kMostUnits});
  table.read("slot_hidden", shape.slot_hidden, {1, kMostUnits}, 0, kMostLayers);
  table.read("slot_outputs", shape.slot_outputs, {0, kMostUnits});
  table.read("dropout", shape.dropout, {0, 0.95});
  table.finish();
}

}  // namespace

MetricOptions parse_metric_config(std::string_view text, const std::string& name) {
  TomlTable table = TomlTable::parse(text, name);
  MetricOptions options;
  table.read("name", options.name);
  table.read("members", options.members, {1, 1000});
  read_lists(table.table("lists"), options);
  read_embedding(table.table("embedding"), options.shape);
  TomlTable training = table.table("training");
  const std::string patience = training.where("patience");
  read_fit(training, 1, options.fit);
  read_card(table.table("card"), options.card);
  table.finish();
  check_validation(patience, "lists", options.fit.patience, options.parts);
  return options;
}

MetricOptions read_metric_config(const std::string& path) {
  return parse_metric_config(io::read_file(path), path);
}

TrainSettings metric_settings(const MetricOptions& options) {
  const MetricShape& shape = options.shape;
  TrainSettings settings{
      {"name", toml_text(options.name)},
      {"members", fmt::format("{}", options.members)},
      {"lists.tau", toml_number(options.tau)},
      {"lists.hold_out", toml_name(options.hold_out)},
      {"lists.parts", toml_parts(options.parts)},
      {"lists.least_members", fmt::format("{}", options.least_members)},
      {"lists.seed", fmt::format("{}", options.split_seed)},
      {"embedding.descriptor_linear", fmt::format("{}", shape.descriptor_linear)},
      {"embedding.descriptor_hidden", toml_list(shape.descriptor_hidden)},
      {"embedding.descriptor_outputs", fmt::format("{}", shape.descriptor_outputs)},
      {"embedding.slots", fmt::format("{}", shape.slots)},
      {"embedding.slots_share", toml_flag(shape.slots_share)},
      {"embedding.slot_linear", fmt::format("{}", shape.slot_linear)},
      {"embedding.slot_hidden", toml_list(shape.slot_hidden)},
      {"embedding.slot_outputs", fmt::format("{}", shape.slot_outputs)},
      {"embedding.dropout", toml_number(shape.dropout)},
  };
  add_fit(settings, options.fit);
  add_card(settings, options.card);
  return settings;
}

TrainSettings run_settings(const TemplateLibrary& library, const MetricOptions& options,
                           const std::vector<std::string>& excluded_formulas) {
  TrainSettings settings = metric_settings(options);
  settings.emplace(settings.begin(), "model", "metric");
  add_inputs(settings, library, excluded_formulas);
  return settings;
}

std::string to_toml(const MetricOptions& options) { return to_toml(metric_settings(options)); }

}  // namespace kronite::csp
