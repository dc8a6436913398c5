// Settings of trainings as TOML.
#include "csp/train_settings.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"  // for fail
#include "base/hash.hpp"  // for ContentHash
#include "io/escape.hpp"  // for one_line

namespace kronite::csp {
namespace {

/// In the order of HoldOut.
const std::vector<std::string>& hold_out_names() {
  static const std::vector<std::string> names{"formula", "structure_type"};
  return names;
}

}  // namespace

void read_hold_out(io::TomlTable& table, HoldOut& hold_out) {
  auto index = static_cast<std::size_t>(hold_out);
  table.read("hold_out", index, hold_out_names());
  hold_out = static_cast<HoldOut>(index);
}

void read_parts(io::TomlTable& table, const std::string& section, std::array<double, 3>& parts) {
  std::vector<double> shares(parts.begin(), parts.end());
  table.read("parts", shares, {0, 1}, 3, 3);
  if (std::abs(shares[0] + shares[1] + shares[2] - 1) > 1e-9 || shares[0] == 0)
    fail(Errc::parse,
         "{}: {}.parts = [{}]: the shares of training, validation and test must add up to 1, "
         "and training needs one",
         table.where("parts"), section, fmt::join(shares, ", "));
  std::copy(shares.begin(), shares.end(), parts.begin());
}

void read_fit(io::TomlTable table, int least_batch, learn::FitOptions& fit) {
  table.read("batch", fit.batch, {static_cast<double>(least_batch), 1e9});
  table.read("learning_rate", fit.learning_rate, {1e-9, 10});
  table.read("cosine_decay", fit.cosine_decay);
  table.read("max_epochs", fit.max_epochs, {1, 1e6});
  table.read("patience", fit.patience, {0, 1e6});
  table.read("seed", fit.seed);
  table.read("warm_up", fit.warm_up, {0, 0.99});
  table.read("weight_decay", fit.weight_decay, {0, 100});
  table.finish();
}

void read_card(io::TomlTable table, CardTexts& card) {
  for (const auto& [key, value] : kCardKeys) table.read(key, card.*value);
  table.finish();
}

void check_validation(const std::string& where, const std::string& section, int patience,
                      const std::array<double, 3>& parts) {
  if (patience > 0 && parts[1] == 0)
    fail(Errc::parse,
         "{}: training.patience = {} needs a validation part, but {}.parts gives it no share; "
         "without one set patience = 0, and max_epochs to the number of epochs to run",
         where, patience, section);
}

std::string toml_number(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string toml_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : io::one_line(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string toml_flag(bool value) { return value ? "true" : "false"; }

std::string toml_name(HoldOut hold_out) {
  return toml_text(hold_out_names()[static_cast<std::size_t>(hold_out)]);
}

std::string toml_parts(const std::array<double, 3>& parts) {
  return fmt::format("[{}, {}, {}]", toml_number(parts[0]), toml_number(parts[1]),
                     toml_number(parts[2]));
}

std::string toml_list(const std::vector<std::int64_t>& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

void add_fit(TrainSettings& settings, const learn::FitOptions& fit) {
  settings.emplace_back("training.batch", fmt::format("{}", fit.batch));
  settings.emplace_back("training.learning_rate", toml_number(fit.learning_rate));
  settings.emplace_back("training.cosine_decay", toml_flag(fit.cosine_decay));
  settings.emplace_back("training.max_epochs", fmt::format("{}", fit.max_epochs));
  settings.emplace_back("training.patience", fmt::format("{}", fit.patience));
  settings.emplace_back("training.seed", fmt::format("{}", fit.seed));
  settings.emplace_back("training.warm_up", toml_number(fit.warm_up));
  settings.emplace_back("training.weight_decay", toml_number(fit.weight_decay));
}

void add_card(TrainSettings& settings, const CardTexts& card) {
  for (const auto& [key, text] : kCardKeys)
    if (!(card.*text).empty())
      settings.emplace_back(fmt::format("card.{}", key), toml_text(card.*text));
}

void add_inputs(TrainSettings& settings, const TemplateLibrary& library,
                const std::vector<std::string>& excluded_formulas) {
  settings.emplace_back("library", library.hash());
  ContentHash hash;
  for (const std::string& formula : excluded_formulas) hash.take(formula + "\n");
  settings.emplace_back("excluded formulas",
                        fmt::format("{} ({})", excluded_formulas.size(), hash.hex()));
}

std::string to_toml(const TrainSettings& settings) {
  std::string text, section;
  for (const auto& [key, value] : settings) {
    const std::size_t dot = key.find('.');
    const std::string here = dot == std::string::npos ? "" : key.substr(0, dot);
    if (here != section) text += fmt::format("\n[{}]\n", here);
    section = here;
    text += fmt::format("{} = {}\n", key.substr(dot == std::string::npos ? 0 : dot + 1), value);
  }
  return text;
}

}  // namespace kronite::csp
