// Models as safetensors files (docs/formats.md), and those inside the library.
#include "kronite/model.hpp"

#include <filesystem>

#include "base/fail.hpp"            // for fail
#include "base/printable.hpp"       // for printable
#include "csp/embedded_models.hpp"  // for models, metrics
#include "csp/model_file.hpp"       // for model_in_memory
#include "csp/model_parts.hpp"      // for ModelParts
#include "io/safetensors.hpp"       // for SafetensorsFile, SafetensorsWriter

namespace kronite::csp {
namespace {

constexpr int kVersion = 1;  // files up to this version are read

std::string prefix_of(std::size_t member) { return fmt::format("members.{}.", member); }

[[noreturn]] void refuse_metric(const std::string& name) {
  fail(Errc::invalid_argument,
       "{}: this is a learned metric, no classifier; --ranker metric takes it", name);
}

/// Puts a model together from a file that is one, or refuses it.
Model model_of(const io::SafetensorsFile& file) {
  ModelParts parts(file);
  if (parts.format() == kMetricFormat) refuse_metric(file.path());
  parts.check_format(kModelFormat, kVersion);
  Model model;
  while (model.ensemble.members.empty() ||
         parts.has_network(prefix_of(model.ensemble.members.size())))
    model.ensemble.members.push_back(parts.network(prefix_of(model.ensemble.members.size())));
  parts.refuse_leftovers();
  const std::int64_t inputs = model.ensemble.inputs();
  model.mean = file.values<double>("descriptor.mean", {inputs});
  model.std = file.values<double>("descriptor.std", {inputs});
  model.element_table = file.required_text("element_table");
  model.tau = parts.number("tau");
  model.card = parts.card();
  try {
    model.check();
  } catch (const Error& error) {
    file.refuse(error.what());
  }
  return model;
}

}  // namespace

std::string Model::card_value(const std::string& key) const { return value_of(card, key); }

void Model::check() const {
  ensemble.check();
  const auto inputs = static_cast<std::size_t>(ensemble.inputs());
  if (mean.size() != inputs || std.size() != inputs)
    fail(Errc::invalid_argument,
         "the networks take {} inputs, the statistics of the descriptor have {} means and {} "
         "standard deviations",
         inputs, mean.size(), std.size());
  check_statistics(mean, std, tau, element_table);
  check_card(card);
}

Model read_model(const std::string& path) {
  const io::SafetensorsFile file(path);
  return model_of(file);
}

Model model_in_memory(std::span<const std::byte> bytes, const std::string& name) {
  const io::SafetensorsFile file(bytes, name);
  return model_of(file);
}

void write_model(const Model& model, const std::string& path) {
  model.check();
  io::SafetensorsWriter writer;
  writer.set("format", kModelFormat);
  writer.set("format_version", fmt::format("{}", kVersion));
  writer.set("element_table", model.element_table);
  writer.set("tau", fmt::format("{}", model.tau));
  for (std::size_t m = 0; m < model.ensemble.members.size(); ++m)
    add_network(writer, prefix_of(m), model.ensemble.members[m]);
  writer.add("descriptor.mean", model.mean);
  writer.add("descriptor.std", model.std);
  add_card(writer, model.card);
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
  for (const auto& file : embedded::metrics())
    if (file.name == name) refuse_metric(name + " (inside kronite)");
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
