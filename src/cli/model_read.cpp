// kronite model card, info: what is known of a model, and what it is made of.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/printable.hpp"   // for printable
#include "cli/model.hpp"        // for bytes_of, widths, words
#include "cli/ranker.hpp"       // for full_name, or_best_inside
#include "cli/terminal.hpp"     // for Table, die_on_interrupt
#include "csp/model_parts.hpp"  // for Card
#include "kronite/metric.hpp"   // for open_metric

namespace kronite::cli {
namespace {

constexpr std::size_t kWidth = 100;  // of a line of the card

std::int64_t parameters(const Network& network) { return Ensemble{{network}}.parameters(); }

/// The text in lines that leave `indent` columns free; a line end of the text begins a new one.
std::string wrapped(std::string_view text, std::size_t indent) {
  const std::string next_line = '\n' + std::string(indent, ' ');
  const std::size_t room = kWidth - std::min(indent, kWidth / 2);
  std::string lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::size_t column = 0;
    if (!lines.empty()) lines += next_line;
    for (std::size_t at = 0; at <= line.size();) {
      const std::string_view word = line.substr(at, line.find(' ', at) - at);
      at += word.size() + 1;
      if (column > 0 && column + 1 + word.size() > room) {
        lines += next_line;
        column = 0;
      }
      if (column > 0) lines += ' ';
      lines += printable(word, word.size());
      column += word.size() + 1;
    }
  }
  return lines;
}

void print_card(const std::string& heading, const csp::Card& card) {
  fmt::print("{}\n", heading);
  if (card.empty()) fmt::print("It has no card.\n");
  std::size_t indent = 0;
  for (const auto& [key, value] : card) indent = std::max(indent, key.size() + 2);
  for (const auto& [key, value] : card)
    fmt::print("{:<{}}{}\n", printable(key, key.size()), indent, wrapped(value, indent));
}

std::string metric_words(const csp::Metric& metric) {
  const std::size_t count = metric.members.size();
  return fmt::format("{} metric{} of {} dimensions, {} parameters", count, count == 1 ? "" : "s",
                     metric.members.front().embedding.width(), metric.parameters());
}

void print_card(const std::string& given) {
  die_on_interrupt();
  const std::string name = or_best_inside(given);
  if (csp::names_a_metric(name)) {
    const csp::Metric metric = csp::open_metric(name);
    print_card(fmt::format("{}: {}", full_name(name), metric_words(metric)), metric.card);
    return;
  }
  const csp::Model model = csp::open_model(name);
  print_card(fmt::format("{}: {}", full_name(name), words(model.ensemble)), model.card);
}

// --- info of a metric ---------------------------------------------------------------------------

/// Its parts under their names in the file; those that are not there have no branches.
std::vector<std::pair<const char*, const EmbeddingNetwork*>> parts(const MetricNetwork& member) {
  return {{"embedding", &member.embedding},
          {"shift", &member.shift},
          {"bias", &member.bias},
          {"none_of", &member.none_of}};
}

void print_metric(const std::string& name, const csp::Metric& metric) {
  fmt::print("{}: {} bytes, content {}\n", full_name(name), bytes_of(name), metric.hash());
  fmt::print("element table: {}\nalike: dissimilarity up to {}\nparameters: {}\n\n",
             printable(metric.element_table), metric.tau, metric.parameters());
  Table table({"metric", "part", "layers", "read", "parameters"});
  for (std::size_t m = 0; m < metric.members.size(); ++m)
    for (const auto& [part, network] : parts(metric.members[m])) {
      for (const EmbeddingBranch& branch : network->branches)
        table.add(
            {fmt::format("{}", m + 1), part, widths(branch.network),
             branch.columns.size() == 1 ? "once" : fmt::format("{} times", branch.columns.size()),
             fmt::format("{}", parameters(branch.network))});
      if (const auto& vectors = network->vectors; vectors.width > 0)
        table.add(
            {fmt::format("{}", m + 1), "vectors",
             fmt::format("{} of {}", std::ssize(vectors.table) / vectors.width, vectors.width),
             fmt::format("{} times", vectors.places.size()),
             fmt::format("{}", vectors.table.size())});
    }
  table.print();
}

void print_metric_json(const std::string& name, const csp::Metric& metric) {
  using Json = nlohmann::ordered_json;
  Json members = Json::array(), card = Json::object();
  for (const MetricNetwork& member : metric.members) {
    Json json{{"parameters", member.parameters()}, {"none", member.none}};
    for (const auto& [part, network] : parts(member)) {
      Json branches = Json::array();
      for (const EmbeddingBranch& branch : network->branches)
        branches.push_back({{"layers", widths(branch.network)}, {"columns", branch.columns}});
      if (!network->empty()) json[part] = std::move(branches);
    }
    members.push_back(std::move(json));
  }
  for (const auto& [key, value] : metric.card) card[key] = value;
  const Json info{{"metric", full_name(name)},
                  {"bytes", bytes_of(name)},
                  {"hash", metric.hash()},
                  {"element_table", metric.element_table},
                  {"tau", metric.tau},
                  {"slots", metric.slots},
                  {"vector", metric.vector},
                  {"dimensions", metric.members.front().embedding.width()},
                  {"parameters", metric.parameters()},
                  {"members", members},
                  {"card", card}};
  fmt::print("{}\n", info.dump(2, ' ', false, Json::error_handler_t::replace));
}

struct Info {
  std::string name;
  bool json = false;

  void run() {
    die_on_interrupt();
    name = or_best_inside(name);
    if (csp::names_a_metric(name)) {
      const csp::Metric metric = csp::open_metric(name);
      json ? print_metric_json(name, metric) : print_metric(name, metric);
      return;
    }
    const csp::Model model = csp::open_model(name);
    json ? print_json(model) : print(model);
  }

 private:
  void print(const csp::Model& model) const {
    fmt::print("{}: {} bytes, content {}\n", full_name(name), bytes_of(name), model.hash());
    fmt::print("element table: {}\nalike: dissimilarity up to {}\nparameters: {}\n\n",
               printable(model.element_table), model.tau, model.ensemble.parameters());
    Table table({"network", "layers", "activations", "parameters"});
    for (std::size_t m = 0; m < model.ensemble.members.size(); ++m) {
      const Network& network = model.ensemble.members[m];
      std::string activations;
      for (const DenseLayer& layer : network.layers)
        activations += fmt::format("{}{}", activations.empty() ? "" : " ", word(layer.activation));
      table.add({fmt::format("{}", m + 1), widths(network), activations,
                 fmt::format("{}", parameters(network))});
    }
    table.print();
  }

  void print_json(const csp::Model& model) const {
    using Json = nlohmann::ordered_json;
    Json members = Json::array(), card = Json::object();
    for (const Network& network : model.ensemble.members) {
      Json layers = Json::array();
      for (const DenseLayer& layer : network.layers)
        layers.push_back({{"inputs", layer.inputs},
                          {"units", layer.units},
                          {"activation", word(layer.activation)}});
      members.push_back({{"parameters", parameters(network)}, {"layers", layers}});
    }
    for (const auto& [key, value] : model.card) card[key] = value;
    const Json info{{"model", full_name(name)}, {"bytes", bytes_of(name)},
                    {"hash", model.hash()},     {"element_table", model.element_table},
                    {"tau", model.tau},         {"parameters", model.ensemble.parameters()},
                    {"members", members},       {"card", card}};
    fmt::print("{}\n", info.dump(2, ' ', false, Json::error_handler_t::replace));
  }

  static std::string_view word(Activation activation) {
    return activation == Activation::relu ? "relu" : "none";
  }
};

}  // namespace

void add_model_read(CLI::App& model) {
  const auto name = std::make_shared<std::string>();
  auto* card = model.add_subcommand(
      "card", "Print what a model was trained on, its licence, its metrics and its limits");
  add_model_argument(*card, *name);
  card->footer("Examples:\n  kronite model card\n  kronite model card my.safetensors");
  card->callback([name] { print_card(*name); });

  const auto info = std::make_shared<Info>();
  auto* command = model.add_subcommand("info", "Print the networks of a model: layers and sizes");
  add_model_argument(*command, info->name);
  command->add_flag("--json", info->json, "All of it, the card too, as one JSON object");
  command->footer("Examples:\n  kronite model info\n  kronite model info my.safetensors --json");
  command->callback([info] { info->run(); });
}

}  // namespace kronite::cli
