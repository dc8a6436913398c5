// Metrics as safetensors files (docs/formats.md).
#include "kronite/metric.hpp"

#include <cmath>

#include "base/fail.hpp"            // for fail
#include "base/printable.hpp"       // for printable
#include "csp/model_parts.hpp"      // for ModelParts
#include "io/structure_reader.hpp"  // for split_words, to_number

namespace kronite::csp {
namespace {

constexpr int kVersion = 1;  // files up to this version are read
constexpr double kMostSlots = 64;

std::string prefix_of(std::size_t member, std::size_t branch) {
  return fmt::format("members.{}.branches.{}.", member, branch);
}

std::string none_of(std::size_t member) { return fmt::format("members.{}.none", member); }

/// Whole numbers with spaces between them.
std::vector<std::int64_t> read_columns(const io::SafetensorsFile& file, const std::string& key) {
  std::vector<std::int64_t> columns;
  for (const std::string_view word : io::split_words(file.required_text(key))) {
    const auto value = io::to_number(word);
    if (!value || *value != std::floor(*value) || *value < 0 || *value > 1e9)
      file.refuse(
          fmt::format("\"{}\" in its __metadata__ has \"{}\" for a column", key, printable(word)));
    columns.push_back(static_cast<std::int64_t>(*value));
  }
  return columns;
}

MetricMember read_member(const io::SafetensorsFile& file, ModelParts& parts, std::size_t m) {
  MetricMember member;
  auto& branches = member.embedding.branches;
  while (parts.has_network(prefix_of(m, branches.size()))) {
    const std::string prefix = prefix_of(m, branches.size());
    branches.push_back({read_columns(file, prefix + "columns"), parts.network(prefix)});
  }
  member.none = file.values<double>(none_of(m), {1}).front();
  return member;
}

}  // namespace

std::int64_t Metric::inputs() const {
  const auto values = static_cast<std::int64_t>(mean.size());
  return values + slots * (values / 5);  // five values of the descriptor for each feature
}

std::int64_t Metric::parameters() const {
  std::int64_t count = 0;
  for (const MetricMember& member : members) count += member.embedding.parameters() + 1;
  return count;
}

std::string Metric::card_value(const std::string& key) const { return value_of(card, key); }

void Metric::check() const {
  require(!members.empty(), "the metric has no members");
  require(slots >= 0 && static_cast<double>(slots) <= kMostSlots,
          "the metric has no number of slots from 0 to 64");
  require(!mean.empty() && mean.size() % 5 == 0 && mean.size() == std.size(),
          "the metric has not as many means as standard deviations, five for each feature");
  check_statistics(mean, std, tau, element_table);
  for (const MetricMember& member : members) {
    member.embedding.check(inputs());
    require(std::isfinite(member.none), "the logit of none is not finite");
  }
  check_card(card);
}

Metric read_metric(const std::string& path) {
  const io::SafetensorsFile file(path);
  ModelParts parts(file);
  if (parts.format() == kModelFormat)
    fail(Errc::invalid_argument,
         "{}: this is a classifier, no learned metric; --ranker classifier takes it", path);
  parts.check_format(kMetricFormat, kVersion);
  Metric metric;
  const double slots = parts.number("slots");
  if (!(slots >= 0 && slots <= kMostSlots && slots == std::floor(slots)))
    file.refuse(fmt::format("it has {} slots, expected 0 to {}", slots, kMostSlots));
  metric.slots = static_cast<std::int64_t>(slots);
  while (metric.members.empty() || parts.has_network(prefix_of(metric.members.size(), 0)))
    metric.members.push_back(read_member(file, parts, metric.members.size()));
  parts.refuse_leftovers();
  const auto* mean = file.find("descriptor.mean");
  if (!mean) file.refuse("the tensor \"descriptor.mean\" is missing");
  metric.mean = file.values<double>(*mean);
  metric.std = file.values<double>("descriptor.std", mean->shape);
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

void write_metric(const Metric& metric, const std::string& path) {
  metric.check();
  io::SafetensorsWriter writer;
  writer.set("format", kMetricFormat);
  writer.set("format_version", fmt::format("{}", kVersion));
  writer.set("element_table", metric.element_table);
  writer.set("tau", fmt::format("{}", metric.tau));
  writer.set("slots", fmt::format("{}", metric.slots));
  for (std::size_t m = 0; m < metric.members.size(); ++m) {
    const auto& branches = metric.members[m].embedding.branches;
    for (std::size_t b = 0; b < branches.size(); ++b) {
      writer.set(prefix_of(m, b) + "columns",
                 fmt::format("{}", fmt::join(branches[b].columns, " ")));
      add_network(writer, prefix_of(m, b), branches[b].network);
    }
    writer.add(none_of(m), std::vector<double>{metric.members[m].none});
  }
  writer.add("descriptor.mean", metric.mean);
  writer.add("descriptor.std", metric.std);
  add_card(writer, metric.card);
  writer.write(path);
}

bool holds_metric(const std::string& path) {
  const io::SafetensorsFile file(path);
  return ModelParts(file).format() == kMetricFormat;
}

}  // namespace kronite::csp
