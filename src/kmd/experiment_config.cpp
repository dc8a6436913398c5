// Settings of experiments, read strictly.
#include <cmath>
#include <set>

#include "base/fail.hpp"              // for fail
#include "io/input.hpp"               // for read_file
#include "io/toml_table.hpp"          // for TomlTable
#include "kmd/descriptor_config.hpp"  // for read_descriptor, read_name
#include "kmd/experiment.hpp"         // for ExperimentSettings
#include "kmd/setting_names.hpp"      // for kernel_names

namespace kronite::kmd {
namespace {

constexpr double kMost = 1e12;

DataSettings read_data(io::TomlTable table) {
  static const std::vector<std::string> unknown = {"refuse", "skip", "renormalise"};
  DataSettings data;
  table.read("formula", data.formula);
  std::string target;
  table.read("target", target);
  if (!target.empty()) data.targets = {target};
  table.read("targets", data.targets, 1, 100);
  table.read("class", data.classes);
  table.read("unit", data.unit);
  read_name(table, "unknown", unknown, data.unknown);
  table.finish();
  if ((!target.empty() && data.targets.size() > 1) || data.targets.empty() == data.classes.empty())
    fail(Errc::parse, "{}: one of target, targets and class is expected in [data]",
         table.where(""));
  return data;
}

SplitSettings read_splits(io::TomlTable table) {
  static const std::vector<std::string> kinds = {"random", "folds"};
  SplitSettings splits;
  read_name(table, "kind", kinds, splits.kind);
  table.read("count", splits.count, {splits.kind == SplitKind::folds ? 2.0 : 1.0, 1000});
  if (splits.kind == SplitKind::random) {
    std::vector<double> parts(splits.parts.begin(), splits.parts.end());
    table.read("parts", parts, {0.001, 0.999}, 3, 3);
    std::copy(parts.begin(), parts.end(), splits.parts.begin());
    if (std::abs(parts[0] + parts[1] + parts[2] - 1) > 1e-6)
      fail(Errc::parse, "{}: parts are expected to add up to 1, not to {}", table.where("parts"),
           parts[0] + parts[1] + parts[2]);
  } else {
    table.read("validation", splits.validation, {0.001, 0.9});
  }
  table.read("by_formula", splits.by_formula);
  table.read("seed", splits.seed);
  table.finish();
  return splits;
}

DescriptorSettings read_descriptor_table(io::TomlTable& table) {
  DescriptorSettings descriptor;
  read_descriptor(table, descriptor.kind, descriptor.settings);
  descriptor.name = descriptor.kind == Kind::kernel_mean ? "KMD" : "statistics";
  table.read("name", descriptor.name);
  table.finish();
  return descriptor;
}

void read_network(io::TomlTable& table, bool classifies, LearnerSettings& learner) {
  static const std::vector<std::string> losses = {"squared", "absolute", "huber"};
  constexpr double kMostUnits = 1 << 16;
  auto& [shape, fit, loss, knee, weights, clip] = learner.network;
  table.read("members", learner.members, {1, 1000});
  table.read("hidden", shape.hidden, {1, kMostUnits}, 0, 100);
  table.read("batch_norm", shape.batch_norm);
  table.read("dropout", shape.dropout, {0, 0.99});
  table.read("batch", fit.batch, {1, kMost});
  table.read("learning_rate", fit.learning_rate, {1e-12, 1});
  table.read("cosine_decay", fit.cosine_decay);
  table.read("max_epochs", fit.max_epochs, {1, 1e6});
  table.read("patience", fit.patience, {0, 1e6});
  table.read("warm_up", fit.warm_up, {0, 0.99});
  table.read("weight_decay", fit.weight_decay, {0, 1});
  table.read("seed", fit.seed);
  if (classifies) {
    table.read("balance", learner.balance, {0, 1});
  } else {
    read_name(table, "loss", losses, loss);
    table.read("knee", knee, {1e-12, kMost});
  }
}

void read_ridge(io::TomlTable& table, learn::KernelRidgeOptions& ridge) {
  read_name(table, "kernel", kernel_names(), ridge.kernel);
  table.read("length_scales", ridge.length_scales, {1e-12, kMost}, 1, 100);
  table.read("ridges", ridge.ridges, {1e-15, kMost}, 1, 100);
  table.read("standardise", ridge.standardise);
  table.read("centres", ridge.centres, {0, kMost});
  table.read("seed", ridge.seed);
}

void read_forest(io::TomlTable& table, bool classifies, LearnerSettings& learner) {
  table.read("trees", learner.forest.trees, {1, 1e5});
  table.read("tried", learner.forest.tried, {0, kMost});
  table.read("seed", learner.forest.seed);
  if (classifies) table.read("balance", learner.balance, {0, 1});
}

LearnerSettings read_learner(io::TomlTable& table, bool classifies) {
  static const std::vector<std::string> kinds = {"network", "kernel_ridge", "forest"};
  static const char* const names[] = {"network", "kernel ridge", "forest"};
  LearnerSettings learner;
  read_name(table, "kind", kinds, learner.kind);
  learner.name = names[static_cast<std::size_t>(learner.kind)];
  table.read("name", learner.name);
  if (learner.kind == LearnerKind::network)
    read_network(table, classifies, learner);
  else if (learner.kind == LearnerKind::forest)
    read_forest(table, classifies, learner);
  else
    read_ridge(table, learner.ridge);
  table.finish();
  if (classifies && learner.kind == LearnerKind::kernel_ridge)
    fail(Errc::parse,
         "{}: kernel_ridge predicts values, and classes are asked for; a network or "
         "a forest is expected",
         table.where("kind"));
  return learner;
}

/// Every table of an array has a name of its own.
template <class Item, class Read>
std::vector<Item> read_all(io::TomlTable& table, const char* key, const Read& read) {
  std::vector<Item> items;
  std::set<std::string> names;
  for (io::TomlTable& below : table.tables(key)) {
    items.push_back(read(below));
    if (!names.insert(items.back().name).second)
      fail(Errc::parse, "{}: two of [[{}]] are called \"{}\"", below.where("name"), key,
           items.back().name);
  }
  if (items.empty())
    fail(Errc::parse, "{}: at least one [[{}]] is expected", table.where(key), key);
  return items;
}

}  // namespace

ExperimentSettings parse_experiment_config(std::string_view text, const std::string& name) {
  io::TomlTable table = io::TomlTable::parse(text, name);
  ExperimentSettings settings;
  table.read("title", settings.title);
  settings.data = read_data(table.table("data"));
  settings.splits = read_splits(table.table("splits"));
  settings.descriptors = read_all<DescriptorSettings>(table, "descriptor", read_descriptor_table);
  settings.learners = read_all<LearnerSettings>(table, "learner", [&](io::TomlTable& below) {
    return read_learner(below, settings.classifies());
  });
  table.finish();
  return settings;
}

ExperimentSettings read_experiment_config(const std::string& path) {
  return parse_experiment_config(io::read_file(path), path);
}

}  // namespace kronite::kmd
