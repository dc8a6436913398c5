// Reading and writing the settings of a training run.
#include "csp/train_config.hpp"

#include "base/fail.hpp"      // for fmt::format
#include "io/input.hpp"       // for read_file
#include "io/toml_table.hpp"  // for TomlTable

namespace kronite::csp {
namespace {

using io::TomlTable;

constexpr double kMostPairs = 1e9;

void read_pairs(TomlTable table, PairOptions& pairs) {
  table.read("tau", pairs.tau, {1e-6, 100});
  table.read("cap", pairs.cap, {1e-6, 1});
  table.read("training_cap", pairs.training_cap, {0, 1});
  table.read("most_alike_per_label", pairs.most_alike_per_label, {0, kMostPairs});
  table.read("unlike_per_alike", pairs.unlike_per_alike, {1e-3, 1e6});
  read_hold_out(table, pairs.hold_out);
  read_parts(table, "pairs", pairs.parts);
  table.read("least_members", pairs.least_members, {0, kMostPairs});
  table.read("seed", pairs.seed);
  table.finish();
}

void read_network(TomlTable table, learn::NetworkShape& network) {
  table.read("hidden", network.hidden, {1, 65536}, 1, 16);
  table.read("batch_norm", network.batch_norm);
  table.read("dropout", network.dropout, {0, 0.95});
  table.finish();
}

}  // namespace

TrainOptions parse_train_config(std::string_view text, const std::string& name) {
  TomlTable table = TomlTable::parse(text, name);
  TrainOptions options;
  table.read("name", options.name);
  table.read("members", options.members, {1, 1000});
  table.read("split_per_member", options.split_per_member);
  read_pairs(table.table("pairs"), options.pairs);
  read_network(table.table("network"), options.network);
  TomlTable training = table.table("training");
  const std::string patience = training.where("patience");
  read_fit(training, 2, options.fit);
  read_card(table.table("card"), options.card);
  table.finish();
  check_validation(patience, "pairs", options.fit.patience, options.pairs.parts);
  return options;
}

TrainOptions read_train_config(const std::string& path) {
  return parse_train_config(io::read_file(path), path);
}

TrainSettings train_settings(const TrainOptions& options) {
  const PairOptions& pairs = options.pairs;
  TrainSettings settings{
      {"name", toml_text(options.name)},
      {"members", fmt::format("{}", options.members)},
      {"split_per_member", toml_flag(options.split_per_member)},
      {"pairs.tau", toml_number(pairs.tau)},
      {"pairs.cap", toml_number(pairs.cap)},
      {"pairs.training_cap", toml_number(pairs.training_cap)},
      {"pairs.most_alike_per_label", fmt::format("{}", pairs.most_alike_per_label)},
      {"pairs.unlike_per_alike", toml_number(pairs.unlike_per_alike)},
      {"pairs.hold_out", toml_name(pairs.hold_out)},
      {"pairs.parts", toml_parts(pairs.parts)},
      {"pairs.least_members", fmt::format("{}", pairs.least_members)},
      {"pairs.seed", fmt::format("{}", pairs.seed)},
      {"network.hidden", toml_list(options.network.hidden)},
      {"network.batch_norm", toml_flag(options.network.batch_norm)},
      {"network.dropout", toml_number(options.network.dropout)},
  };
  add_fit(settings, options.fit);
  add_card(settings, options.card);
  return settings;
}

TrainSettings run_settings(const TemplateLibrary& library, const TrainOptions& options,
                           const std::vector<std::string>& excluded_formulas) {
  TrainSettings settings = train_settings(options);
  if (options.pairs.draw != 0)  // which no file can set
    settings.emplace_back("pairs.draw", fmt::format("{}", options.pairs.draw));
  add_inputs(settings, library, excluded_formulas);
  return settings;
}

std::string to_toml(const TrainOptions& options) { return to_toml(train_settings(options)); }

}  // namespace kronite::csp
