// Reading and writing the settings of a metric's training.
#include "csp/metric_config.hpp"

#include "base/fail.hpp"          // for fmt::format
#include "csp/metric_inputs.hpp"  // for kMostSlots, kMostVector
#include "io/input.hpp"           // for read_file
#include "io/toml_table.hpp"      // for TomlTable

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

void read_parts_of(TomlTable table, MetricParts& parts, double& temperature) {
  const auto layers = [&](const char* key, std::vector<std::int64_t>& hidden) {
    table.read(key, hidden, {1, kMostUnits}, 0, kMostLayers);
  };
  const auto outputs = [&](const char* key, std::int64_t& count) {
    table.read(key, count, {0, kMostUnits});
  };
  outputs("descriptor_linear", parts.descriptor_linear);
  layers("descriptor_hidden", parts.descriptor_hidden);
  outputs("descriptor_outputs", parts.descriptor_outputs);
  table.read("slots", parts.slots, {0, kMostSlots});
  table.read("vector", parts.vector, {0, kMostVector});
  table.read("slots_share", parts.slots_share);
  outputs("slot_linear", parts.slot_linear);
  layers("slot_hidden", parts.slot_hidden);
  outputs("slot_outputs", parts.slot_outputs);
  layers("shift_hidden", parts.shift_hidden);
  layers("bias_hidden", parts.bias_hidden);
  layers("none_hidden", parts.none_hidden);
  table.read("dropout", parts.dropout, {0, 0.95});
  table.read("temperature", temperature, {0, 100});
  table.finish();
}

}  // namespace

MetricOptions parse_metric_config(std::string_view text, const std::string& name) {
  TomlTable table = TomlTable::parse(text, name);
  MetricOptions options;
  table.read("name", options.name);
  table.read("members", options.members, {1, 1000});
  read_lists(table.table("lists"), options);
  read_parts_of(table.table("metric"), options.parts_of, options.temperature);
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
  const MetricParts& parts = options.parts_of;
  const auto whole = [](std::int64_t value) { return fmt::format("{}", value); };
  TrainSettings settings{
      {"name", toml_text(options.name)},
      {"members", fmt::format("{}", options.members)},
      {"lists.tau", toml_number(options.tau)},
      {"lists.hold_out", toml_name(options.hold_out)},
      {"lists.parts", toml_parts(options.parts)},
      {"lists.least_members", whole(options.least_members)},
      {"lists.seed", fmt::format("{}", options.split_seed)},
      {"metric.descriptor_linear", whole(parts.descriptor_linear)},
      {"metric.descriptor_hidden", toml_list(parts.descriptor_hidden)},
      {"metric.descriptor_outputs", whole(parts.descriptor_outputs)},
      {"metric.slots", whole(parts.slots)},
      {"metric.vector", whole(parts.vector)},
      {"metric.slots_share", toml_flag(parts.slots_share)},
      {"metric.slot_linear", whole(parts.slot_linear)},
      {"metric.slot_hidden", toml_list(parts.slot_hidden)},
      {"metric.slot_outputs", whole(parts.slot_outputs)},
      {"metric.shift_hidden", toml_list(parts.shift_hidden)},
      {"metric.bias_hidden", toml_list(parts.bias_hidden)},
      {"metric.none_hidden", toml_list(parts.none_hidden)},
      {"metric.dropout", toml_number(parts.dropout)},
      {"metric.temperature", toml_number(options.temperature)},
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
