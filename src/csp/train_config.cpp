// Reading and writing the settings of a training run.
#include "csp/train_config.hpp"

#include <cmath>

#include "base/fail.hpp"      // for fail
#include "base/hash.hpp"      // for ContentHash
#include "io/escape.hpp"      // for one_line
#include "io/input.hpp"       // for read_file
#include "io/toml_table.hpp"  // for TomlTable

namespace kronite::csp {
namespace {

using io::TomlTable;

constexpr double kMostPairs = 1e9;
/// In the order of HoldOut.
const std::vector<std::string>& hold_out_names() {
  static const std::vector<std::string> names{"formula", "structure_type"};
  return names;
}

void read_pairs(TomlTable table, PairOptions& pairs) {
  table.read("tau", pairs.tau, {1e-6, 100});
  table.read("cap", pairs.cap, {1e-6, 1});
  table.read("training_cap", pairs.training_cap, {0, 1});
  table.read("most_alike_per_label", pairs.most_alike_per_label, {0, kMostPairs});
  table.read("unlike_per_alike", pairs.unlike_per_alike, {1e-3, 1e6});
  auto hold_out = static_cast<std::size_t>(pairs.hold_out);
  table.read("hold_out", hold_out, hold_out_names());
  pairs.hold_out = static_cast<HoldOut>(hold_out);
  std::vector<double> parts(pairs.parts.begin(), pairs.parts.end());
  table.read("parts", parts, {0, 1}, 3, 3);
  if (std::abs(parts[0] + parts[1] + parts[2] - 1) > 1e-9 || parts[0] == 0)
    fail(Errc::parse,
         "{}: pairs.parts = [{}]: the shares of training, validation and test must add up to 1, "
         "and training needs one",
         table.where("parts"), fmt::join(parts, ", "));
  std::copy(parts.begin(), parts.end(), pairs.parts.begin());
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

void read_training(TomlTable table, learn::FitOptions& fit) {
  table.read("batch", fit.batch, {2, kMostPairs});
  table.read("learning_rate", fit.learning_rate, {1e-9, 10});
  table.read("cosine_decay", fit.cosine_decay);
  table.read("max_epochs", fit.max_epochs, {1, 1e6});
  table.read("patience", fit.patience, {0, 1e6});
  table.read("seed", fit.seed);
  table.finish();
}

/// As TOML writes a floating-point number: 0.3, 1.0, 1e-07.
std::string number(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

/// In quotes that TOML reads back.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : io::one_line(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string boolean(bool value) { return value ? "true" : "false"; }

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
  read_training(training, options.fit);
  TomlTable card = table.table("card");
  for (const auto& [key, value] : kCardKeys) card.read(key, options.card.*value);
  card.finish();
  table.finish();
  if (options.fit.patience > 0 && options.pairs.parts[1] == 0)
    fail(Errc::parse,
         "{}: training.patience = {} needs a validation part, but pairs.parts gives it no share; "
         "without one set patience = 0, and max_epochs to the number of epochs to run",
         patience, options.fit.patience);
  return options;
}

TrainOptions read_train_config(const std::string& path) {
  return parse_train_config(io::read_file(path), path);
}

TrainSettings train_settings(const TrainOptions& options) {
  const PairOptions& pairs = options.pairs;
  const learn::FitOptions& fit = options.fit;
  TrainSettings settings{
      {"name", quoted(options.name)},
      {"members", fmt::format("{}", options.members)},
      {"split_per_member", boolean(options.split_per_member)},
      {"pairs.tau", number(pairs.tau)},
      {"pairs.cap", number(pairs.cap)},
      {"pairs.training_cap", number(pairs.training_cap)},
      {"pairs.most_alike_per_label", fmt::format("{}", pairs.most_alike_per_label)},
      {"pairs.unlike_per_alike", number(pairs.unlike_per_alike)},
      {"pairs.hold_out", quoted(hold_out_names()[static_cast<std::size_t>(pairs.hold_out)])},
      {"pairs.parts", fmt::format("[{}, {}, {}]", number(pairs.parts[0]), number(pairs.parts[1]),
                                  number(pairs.parts[2]))},
      {"pairs.least_members", fmt::format("{}", pairs.least_members)},
      {"pairs.seed", fmt::format("{}", pairs.seed)},
      {"network.hidden", fmt::format("[{}]", fmt::join(options.network.hidden, ", "))},
      {"network.batch_norm", boolean(options.network.batch_norm)},
      {"network.dropout", number(options.network.dropout)},
      {"training.batch", fmt::format("{}", fit.batch)},
      {"training.learning_rate", number(fit.learning_rate)},
      {"training.cosine_decay", boolean(fit.cosine_decay)},
      {"training.max_epochs", fmt::format("{}", fit.max_epochs)},
      {"training.patience", fmt::format("{}", fit.patience)},
      {"training.seed", fmt::format("{}", fit.seed)},
  };
  for (const auto& [key, text] : kCardKeys)
    if (!(options.card.*text).empty())
      settings.emplace_back(fmt::format("card.{}", key), quoted(options.card.*text));
  return settings;
}

TrainSettings run_settings(const TemplateLibrary& library, const TrainOptions& options,
                           const std::vector<std::string>& excluded_formulas) {
  TrainSettings settings = train_settings(options);
  if (options.pairs.draw != 0)  // which no file can set
    settings.emplace_back("pairs.draw", fmt::format("{}", options.pairs.draw));
  settings.emplace_back("library", library.hash());
  ContentHash hash;
  for (const std::string& formula : excluded_formulas) hash.take(formula + "\n");
  settings.emplace_back("excluded formulas",
                        fmt::format("{} ({})", excluded_formulas.size(), hash.hex()));
  return settings;
}

std::string to_toml(const TrainOptions& options) {
  std::string text, section;
  for (const auto& [key, value] : train_settings(options)) {
    const std::size_t dot = key.find('.');
    const std::string here = dot == std::string::npos ? "" : key.substr(0, dot);
    if (here != section) text += fmt::format("\n[{}]\n", here);
    section = here;
    text += fmt::format("{} = {}\n", key.substr(dot == std::string::npos ? 0 : dot + 1), value);
  }
  return text;
}

}  // namespace kronite::csp
