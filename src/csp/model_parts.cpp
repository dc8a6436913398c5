// Tensors and texts of model files (docs/formats.md).
#include "csp/model_parts.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/fail.hpp"            // for fail
#include "base/number.hpp"          // for to_number
#include "base/printable.hpp"       // for printable
#include "io/structure_reader.hpp"  // for split_words

namespace kronite::csp {
namespace {

constexpr std::string_view kCard = "card.";

std::string layer_name(const std::string& prefix, std::size_t layer, std::string_view what) {
  return fmt::format("{}layers.{}.{}", prefix, layer, what);
}

std::string_view name_of(Activation activation) {
  return activation == Activation::relu ? "relu" : "none";
}

}  // namespace

std::string value_of(const Card& card, const std::string& key) {
  for (const auto& [known, value] : card)
    if (known == key) return value;
  return {};
}

void check_card(const Card& card) {
  std::set<std::string_view> keys;
  for (const auto& [key, value] : card)
    if (key.empty() || !keys.insert(key).second)
      fail(Errc::invalid_argument, "the card has the key \"{}\" twice or without a name", key);
}

void check_statistics(const std::vector<double>& mean, const std::vector<double>& deviation,
                      double tau, const std::string& element_table) {
  const auto finite = [](double v) { return std::isfinite(v); };
  const auto above_zero = [](double v) { return std::isfinite(v) && v > 0; };
  require(std::all_of(mean.begin(), mean.end(), finite), "a mean of the descriptor is not finite");
  require(std::all_of(deviation.begin(), deviation.end(), above_zero),
          "a standard deviation of the descriptor is no positive number");
  require(above_zero(tau), "tau, the dissimilarity of alike structures, is not positive");
  require(!element_table.empty(), "the element table of the descriptor is not named");
}

std::string_view ModelParts::format() const {
  const std::string* format = file_.text("format");
  return format ? std::string_view(*format) : std::string_view();
}

void ModelParts::check_format(std::string_view format, int newest_version) const {
  const std::string* found = file_.text("format");
  if (!found || *found != format)
    file_.refuse(fmt::format(
        "this is no model of kronite: the \"format\" in its __metadata__ is {}, not \"{}\"",
        found ? '"' + printable(*found) + '"' : "missing", format));
  const double version = number("format_version");
  if (version > newest_version)
    file_.refuse(fmt::format(
        "this model has format version {}, newer than the {} that this kronite reads; update "
        "kronite",
        version, newest_version));
}

double ModelParts::number(std::string_view key) const {
  const std::string& text = file_.required_text(key);
  const auto value = to_number(text);
  if (!value)
    file_.refuse(fmt::format("the \"{}\" in its __metadata__ is no number but \"{}\"", key,
                             printable(text)));
  return *value;
}

bool ModelParts::has_network(const std::string& prefix) const {
  return file_.find(layer_name(prefix, 0, "weight")) != nullptr;
}

Network ModelParts::network(const std::string& prefix) {
  Network network;
  for (const Activation activation : activations(prefix)) {
    const std::string name = layer_name(prefix, network.layers.size(), "weight");
    const io::SafetensorsFile::Entry* weight = file_.find(name);
    if (!weight) file_.refuse(fmt::format("the tensor \"{}\" is missing", name));
    if (weight->shape.size() != 2)
      file_.refuse(fmt::format("the tensor \"{}\" is no matrix (units x inputs)", name));
    DenseLayer layer;
    layer.units = weight->shape[0];
    layer.inputs = weight->shape[1];
    layer.weight = file_.values<float>(*weight);
    layer.bias =
        file_.values<float>(layer_name(prefix, network.layers.size(), "bias"), {layer.units});
    layer.activation = activation;
    network.layers.push_back(std::move(layer));
    used_ += 2;
  }
  return network;
}

/// One word per layer.
std::vector<Activation> ModelParts::activations(const std::string& prefix) const {
  const std::string key = prefix + "activations";
  std::vector<Activation> found;
  for (const std::string_view word : io::split_words(file_.required_text(key))) {
    found.push_back(word == "relu" ? Activation::relu : Activation::none);
    if (name_of(found.back()) != word)
      file_.refuse(fmt::format("\"{}\" in its __metadata__ has \"{}\" for relu or none", key,
                               printable(word)));
  }
  return found;
}

void ModelParts::refuse_leftovers() const {
  const auto& tensors = file_.tensors();
  const auto of_layer = [](const auto& entry) {
    return entry.name.starts_with("members.") && entry.name.find(".layers.") != std::string::npos;
  };
  const auto found = std::count_if(tensors.begin(), tensors.end(), of_layer);
  if (found != used_)
    file_.refuse(fmt::format(
        "it has {} tensors of networks, of which only {} belong to layers that follow each other",
        found, used_));
}

Card ModelParts::card() const {
  Card card;
  for (const auto& [key, text] : file_.metadata())
    if (key.starts_with(kCard)) card.emplace_back(key.substr(kCard.size()), text);
  return card;
}

void add_network(io::SafetensorsWriter& writer, const std::string& prefix, const Network& network) {
  std::string activations;
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    const DenseLayer& layer = network.layers[k];
    writer.add(layer_name(prefix, k, "weight"), layer.weight, {layer.units, layer.inputs});
    writer.add(layer_name(prefix, k, "bias"), layer.bias);
    activations += fmt::format("{}{}", k ? " " : "", name_of(layer.activation));
  }
  writer.set(prefix + "activations", activations);
}

void add_card(io::SafetensorsWriter& writer, const Card& card) {
  for (const auto& [key, value] : card) writer.set(fmt::format("{}{}", kCard, key), value);
}

}  // namespace kronite::csp
