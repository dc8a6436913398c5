// Metrics as safetensors files (docs/formats.md), and those inside the library.
#include "kronite/metric.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"            // for fail
#include "base/number.hpp"          // for to_number
#include "base/printable.hpp"       // for printable
#include "csp/embedded_models.hpp"  // for models, metrics
#include "csp/metric_inputs.hpp"    // for kTraits
#include "csp/model_file.hpp"       // for names_a_file
#include "csp/model_parts.hpp"      // for ModelParts
#include "io/structure_reader.hpp"  // for split_words

namespace kronite::csp {
namespace {

constexpr int kVersion = 1;  // files up to this version are read

std::string prefix_of(std::size_t member) { return fmt::format("members.{}.", member); }

/// Parts of a member and what their names in the file are.
struct PartName {
  const char* name;
  EmbeddingNetwork MetricNetwork::*part;
};
constexpr PartName kParts[] = {{"embedding", &MetricNetwork::embedding},
                               {"shift", &MetricNetwork::shift},
                               {"bias", &MetricNetwork::bias},
                               {"none_of", &MetricNetwork::none_of}};

std::string branch_name(const std::string& part, std::size_t branch) {
  return fmt::format("{}branches.{}.", part, branch);
}

std::string part_name(std::size_t member, const PartName& part) {
  return fmt::format("{}{}.", prefix_of(member), part.name);
}

/// Whole numbers with spaces between them.
std::vector<std::int64_t> read_numbers(const io::SafetensorsFile& file, const std::string& key) {
  std::vector<std::int64_t> numbers;
  for (const std::string_view word : io::split_words(file.required_text(key))) {
    const auto value = to_number(word);
    if (!value || *value != std::floor(*value) || *value < 0 || *value > 1e9)
      file.refuse(fmt::format("\"{}\" in its __metadata__ has \"{}\" for a whole number", key,
                              printable(word)));
    numbers.push_back(static_cast<std::int64_t>(*value));
  }
  return numbers;
}

LearnedVectors read_vectors(const io::SafetensorsFile& file, const std::string& part) {
  LearnedVectors vectors;
  const auto* table = file.find(part + "vectors");
  if (!table) return vectors;
  if (table->shape.size() != 2)
    file.refuse(fmt::format("the tensor \"{}vectors\" is no matrix (kinds x values)", part));
  vectors.width = table->shape[1];
  vectors.table = file.values<float>(*table);
  const auto places = read_numbers(file, part + "vectors");
  if (places.size() % 2 != 0)
    file.refuse(
        fmt::format("\"{}vectors\" in its __metadata__ is no list of slots and columns", part));
  for (std::size_t k = 0; k < places.size(); k += 2)
    vectors.places.push_back({places[k], places[k + 1]});
  return vectors;
}

EmbeddingNetwork read_part(const io::SafetensorsFile& file, ModelParts& parts,
                           const std::string& name) {
  EmbeddingNetwork network;
  auto& branches = network.branches;
  while (parts.has_network(branch_name(name, branches.size()))) {
    const std::string prefix = branch_name(name, branches.size());
    branches.push_back({read_numbers(file, prefix + "columns"), parts.network(prefix)});
  }
  network.vectors = read_vectors(file, name);
  return network;
}

void add_part(io::SafetensorsWriter& writer, const std::string& name,
              const EmbeddingNetwork& network) {
  for (std::size_t b = 0; b < network.branches.size(); ++b) {
    const std::string prefix = branch_name(name, b);
    writer.set(prefix + "columns", fmt::format("{}", fmt::join(network.branches[b].columns, " ")));
    add_network(writer, prefix, network.branches[b].network);
  }
  const LearnedVectors& vectors = network.vectors;
  if (vectors.width == 0) return;
  std::vector<std::int64_t> places;
  for (const auto& [slot, column] : vectors.places) places.insert(places.end(), {slot, column});
  writer.set(name + "vectors", fmt::format("{}", fmt::join(places, " ")));
  writer.add(name + "vectors", vectors.table,
             {std::ssize(vectors.table) / vectors.width, vectors.width});
}

/// Whether the file has a member of that number.
bool has_member(const io::SafetensorsFile& file, std::size_t member) {
  return file.find(prefix_of(member) + "none") != nullptr;
}

std::int64_t small_number(const io::SafetensorsFile& file, const ModelParts& parts,
                          std::string_view key, double most) {
  const double value = parts.number(key);
  if (!(value >= 0 && value <= most && value == std::floor(value)))
    file.refuse(fmt::format("its \"{}\" is {}, expected 0 to {}", key, value, most));
  return static_cast<std::int64_t>(value);
}

[[noreturn]] void refuse_classifier(const std::string& name) {
  fail(Errc::invalid_argument,
       "{}: this is a classifier, no learned metric; --ranker classifier takes it", name);
}

/// Puts a metric together from a file that is one, or refuses it.
Metric metric_of(const io::SafetensorsFile& file) {
  ModelParts parts(file);
  if (parts.format() == kModelFormat) refuse_classifier(file.path());
  parts.check_format(kMetricFormat, kVersion);
  Metric metric;
  metric.slots = small_number(file, parts, "slots", static_cast<double>(kMostSlots));
  metric.vector = small_number(file, parts, "vector", static_cast<double>(kMostVector));
  while (metric.members.empty() || has_member(file, metric.members.size())) {
    const std::size_t m = metric.members.size();
    MetricNetwork& member = metric.members.emplace_back();
    for (const PartName& part : kParts)
      member.*part.part = read_part(file, parts, part_name(m, part));
    member.none = file.values<double>(prefix_of(m) + "none", {1}).front();
  }
  parts.refuse_leftovers();
  const auto statistics = [&](const char* name) {
    const auto* entry = file.find(name);
    if (!entry) file.refuse(fmt::format("the tensor \"{}\" is missing", name));
    return file.values<double>(*entry);
  };
  metric.mean = statistics("descriptor.mean");
  metric.std = statistics("descriptor.std");
  if (file.find("traits.mean")) {
    metric.trait_mean = statistics("traits.mean");
    metric.trait_std = statistics("traits.std");
  }
  metric.element_table = file.required_text("element_table");
  metric.tau = parts.number("tau");
  metric.card = parts.card();
  try {
    metric.check();
  } catch (const Error& error) {
    file.refuse(error.what());
  }
  return metric;
}

}  // namespace

std::int64_t Metric::inputs() const {
  const auto values = static_cast<std::int64_t>(mean.size());
  // Five values of the descriptor for each feature; a slot has a fraction and a 1 too.
  return values + slots * (vector + values / 5 + vector + 2);
}

std::int64_t Metric::parameters() const {
  std::int64_t count = 0;
  for (const MetricNetwork& member : members) count += member.parameters();
  return count;
}

std::string Metric::card_value(const std::string& key) const { return value_of(card, key); }

void Metric::check() const {
  require(!members.empty(), "the metric has no members");
  require(slots >= 0 && slots <= kMostSlots && vector >= 0 && vector <= kMostVector,
          "the metric has more slots, or longer vectors, than there can be");
  require(!mean.empty() && mean.size() % 5 == 0 && mean.size() == std.size(),
          "the metric has not as many means as standard deviations, five for each feature");
  check_statistics(mean, std, tau, element_table);
  require(trait_mean.size() == trait_std.size() &&
              (trait_mean.empty() || std::ssize(trait_mean) == kTraits),
          "the metric has no means and standard deviations of 246 traits");
  if (!trait_mean.empty()) check_statistics(trait_mean, trait_std, tau, element_table);
  for (const MetricNetwork& member : members) {
    member.check(inputs(), std::ssize(trait_mean));
    require(member.embedding.vectors.width == 0 || member.embedding.vectors.width == vector,
            "the learned vectors of the metric have another length than it says");
    for (const EmbeddingNetwork* part : {&member.shift, &member.bias, &member.none_of})
      require(part->vectors.places.empty(),
              "learned vectors of the metric are of another part than its embedding");
    for (const auto& place : member.embedding.vectors.places)
      require(place.slot < slots, "a learned vector of the metric is of no slot");
  }
  check_card(card);
}

Metric read_metric(const std::string& path) {
  const io::SafetensorsFile file(path);
  return metric_of(file);
}

void write_metric(const Metric& metric, const std::string& path) {
  metric.check();
  io::SafetensorsWriter writer;
  writer.set("format", kMetricFormat);
  writer.set("format_version", fmt::format("{}", kVersion));
  writer.set("element_table", metric.element_table);
  writer.set("tau", fmt::format("{}", metric.tau));
  writer.set("slots", fmt::format("{}", metric.slots));
  writer.set("vector", fmt::format("{}", metric.vector));
  for (std::size_t m = 0; m < metric.members.size(); ++m) {
    for (const PartName& part : kParts)
      add_part(writer, part_name(m, part), metric.members[m].*part.part);
    writer.add(prefix_of(m) + "none", std::vector<double>{metric.members[m].none});
  }
  writer.add("descriptor.mean", metric.mean);
  writer.add("descriptor.std", metric.std);
  if (!metric.trait_mean.empty()) {
    writer.add("traits.mean", metric.trait_mean);
    writer.add("traits.std", metric.trait_std);
  }
  add_card(writer, metric.card);
  writer.write(path);
}

bool holds_metric(const std::string& path) {
  const io::SafetensorsFile file(path);
  return ModelParts(file).format() == kMetricFormat;
}

std::vector<std::string> embedded_metrics() {
  std::vector<std::string> names;
  for (const auto& file : embedded::metrics()) names.emplace_back(file.name);
  return names;
}

Metric embedded_metric(const std::string& name) {
  for (const auto& file : embedded::metrics())
    if (file.name == name)
      return metric_of(io::SafetensorsFile(file.bytes, name + " (inside kronite)"));
  for (const auto& file : embedded::models())
    if (file.name == name) refuse_classifier(name + " (inside kronite)");
  fail(Errc::invalid_argument,
       "there is no learned metric \"{}\" inside kronite (inside: {}), and no file of that name",
       printable(name), fmt::join(embedded_metrics(), ", "));
}

Metric open_metric(const std::string& name_or_path) {
  return names_a_file(name_or_path) ? read_metric(name_or_path) : embedded_metric(name_or_path);
}

bool names_a_metric(const std::string& name_or_path) {
  if (names_a_file(name_or_path)) return holds_metric(name_or_path);
  const auto inside = embedded_metrics();
  return std::find(inside.begin(), inside.end(), name_or_path) != inside.end();
}

}  // namespace kronite::csp
