// Models as safetensors files (docs/formats.md), and those inside the library.
#include "kronite/model.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <string_view>

#include "base/fail.hpp"            // for fail
#include "base/printable.hpp"       // for printable
#include "csp/embedded_models.hpp"  // for models
#include "csp/model_file.hpp"       // for model_in_memory
#include "io/safetensors.hpp"       // for SafetensorsFile, SafetensorsWriter
#include "io/structure_reader.hpp"  // for split_words, to_number

namespace kronite::csp {
namespace {

constexpr std::string_view kFormat = "kronite model";
constexpr int kVersion = 1;  // files up to this version are read
constexpr std::string_view kCard = "card.";
constexpr std::string_view kMembers = "members.";

std::string layer_name(std::size_t member, std::size_t layer, std::string_view what) {
  return fmt::format("{}{}.layers.{}.{}", kMembers, member, layer, what);
}

std::string activations_name(std::size_t member) {
  return fmt::format("{}{}.activations", kMembers, member);
}

std::string_view name_of(Activation activation) {
  return activation == Activation::relu ? "relu" : "none";
}

/// Puts a model together from a file that is one, or refuses it.
class ModelReader {
 public:
  explicit ModelReader(const io::SafetensorsFile& file) : file_(file) {}

  Model read() {
    check_format();
    Model model;
    while (model.ensemble.members.empty() ||
           file_.find(layer_name(model.ensemble.members.size(), 0, "weight")))
      model.ensemble.members.push_back(member(model.ensemble.members.size()));
    refuse_leftovers();
    const std::int64_t inputs = model.ensemble.inputs();
    model.mean = file_.values<double>("descriptor.mean", {inputs});
    model.std = file_.values<double>("descriptor.std", {inputs});
    model.element_table = file_.required_text("element_table");
    model.tau = number("tau");
    for (const auto& [key, text] : file_.metadata())
      if (key.starts_with(kCard)) model.card.emplace_back(key.substr(kCard.size()), text);
    try {
      model.check();
    } catch (const Error& error) {
      file_.refuse(error.what());
    }
    return model;
  }

 private:
  void check_format() const {
    const std::string* format = file_.text("format");
    if (!format || *format != kFormat)
      file_.refuse(fmt::format(
          "this is no model of kronite: the \"format\" in its __metadata__ is {}, not \"{}\"",
          format ? '"' + printable(*format) + '"' : "missing", kFormat));
    const double version = number("format_version");
    if (version > kVersion)
      file_.refuse(fmt::format(
          "this model has format version {}, newer than the {} that this kronite reads; update "
          "kronite",
          version, kVersion));
  }

  double number(std::string_view key) const {
    const std::string& text = file_.required_text(key);
    const auto value = io::to_number(text);
    if (!value)
      file_.refuse(fmt::format("the \"{}\" in its __metadata__ is no number but \"{}\"", key,
                               printable(text)));
    return *value;
  }

  Network member(std::size_t m) {
    Network network;
    for (const Activation activation : activations(m)) {
      const std::string name = layer_name(m, network.layers.size(), "weight");
      const io::SafetensorsFile::Entry* weight = file_.find(name);
      if (!weight) file_.refuse(fmt::format("the tensor \"{}\" is missing", name));
      if (weight->shape.size() != 2)
        file_.refuse(fmt::format("the tensor \"{}\" is no matrix (units x inputs)", name));
      DenseLayer layer;
      layer.units = weight->shape[0];
      layer.inputs = weight->shape[1];
      layer.weight = file_.values<float>(*weight);
      layer.bias = file_.values<float>(layer_name(m, network.layers.size(), "bias"), {layer.units});
      layer.activation = activation;
      network.layers.push_back(std::move(layer));
      used_ += 2;
    }
    return network;
  }

  /// One word per layer.
  std::vector<Activation> activations(std::size_t m) const {
    std::vector<Activation> found;
    for (const std::string_view word : io::split_words(file_.required_text(activations_name(m)))) {
      found.push_back(word == "relu" ? Activation::relu : Activation::none);
      if (name_of(found.back()) != word)
        file_.refuse(fmt::format("\"{}\" in its __metadata__ has \"{}\" for relu or none",
                                 activations_name(m), printable(word)));
    }
    return found;
  }

  /// A member whose first layer is lost, or a layer too many, would go unnoticed.
  void refuse_leftovers() const {
    const auto& tensors = file_.tensors();
    const auto of_member = [](const auto& entry) { return entry.name.starts_with(kMembers); };
    const auto found = std::count_if(tensors.begin(), tensors.end(), of_member);
    if (found != used_)
      file_.refuse(fmt::format(
          "it has {} tensors of networks, of which only {} belong to layers that follow each other",
          found, used_));
  }

  const io::SafetensorsFile& file_;
  std::int64_t used_ = 0;  ///< tensors of networks
};

}  // namespace

std::string Model::card_value(const std::string& key) const {
  for (const auto& [known, value] : card)
    if (known == key) return value;
  return {};
}

void Model::check() const {
  ensemble.check();
  const auto inputs = static_cast<std::size_t>(ensemble.inputs());
  if (mean.size() != inputs || std.size() != inputs)
    fail(Errc::invalid_argument,
         "the networks take {} inputs, the statistics of the descriptor have {} means and {} "
         "standard deviations",
         inputs, mean.size(), std.size());
  const auto finite = [](double v) { return std::isfinite(v); };
  const auto above_zero = [](double v) { return std::isfinite(v) && v > 0; };
  require(std::all_of(mean.begin(), mean.end(), finite), "a mean of the descriptor is not finite");
  require(std::all_of(std.begin(), std.end(), above_zero),
          "a standard deviation of the descriptor is no positive number");
  require(above_zero(tau), "tau, the dissimilarity of alike structures, is not positive");
  require(!element_table.empty(), "the element table of the descriptor is not named");
  std::set<std::string_view> keys;
  for (const auto& [key, value] : card)
    if (key.empty() || !keys.insert(key).second)
      fail(Errc::invalid_argument, "the card has the key \"{}\" twice or without a name", key);
}

Model read_model(const std::string& path) {
  const io::SafetensorsFile file(path);
  return ModelReader(file).read();
}

Model model_in_memory(std::span<const std::byte> bytes, const std::string& name) {
  const io::SafetensorsFile file(bytes, name);
  return ModelReader(file).read();
}

void write_model(const Model& model, const std::string& path) {
  model.check();
  io::SafetensorsWriter writer;
  writer.set("format", kFormat);
  writer.set("format_version", fmt::format("{}", kVersion));
  writer.set("element_table", model.element_table);
  writer.set("tau", fmt::format("{}", model.tau));
  for (std::size_t m = 0; m < model.ensemble.members.size(); ++m) {
    const auto& layers = model.ensemble.members[m].layers;
    std::string activations;
    for (std::size_t k = 0; k < layers.size(); ++k) {
      writer.add(layer_name(m, k, "weight"), layers[k].weight, {layers[k].units, layers[k].inputs});
      writer.add(layer_name(m, k, "bias"), layers[k].bias);
      activations += fmt::format("{}{}", k ? " " : "", name_of(layers[k].activation));
    }
    writer.set(activations_name(m), activations);
  }
  writer.add("descriptor.mean", model.mean);
  writer.add("descriptor.std", model.std);
  for (const auto& [key, value] : model.card) writer.set(fmt::format("{}{}", kCard, key), value);
  writer.write(path);
}

std::vector<std::string> embedded_models() {
  std::vector<std::string> names;
  for (const auto& file : embedded::models()) names.emplace_back(file.name);
  return names;
}

Model embedded_model(const std::string& name) {
  for (const auto& file : embedded::models())
    if (file.name == name) return model_in_memory(file.bytes, name + " (inside kronite)");
  const std::vector<std::string> names = embedded_models();
  if (names.empty())
    fail(Errc::invalid_argument, "there is no model \"{}\": this kronite was built without models",
         printable(name));
  fail(Errc::invalid_argument,
       "there is no model \"{}\" inside kronite (inside: {}), and no file of that name",
       printable(name), fmt::join(names, ", "));
}

bool names_a_file(const std::string& model) {
  std::error_code ignored;  // what cannot be looked at is no file
  return model.find('/') != std::string::npos || model.ends_with(".safetensors") ||
         std::filesystem::is_regular_file(model, ignored);
}

Model open_model(const std::string& name_or_path) {
  return names_a_file(name_or_path) ? read_model(name_or_path) : embedded_model(name_or_path);
}

}  // namespace kronite::csp
