// Learning curves, reliability diagrams and metrics.
#include "csp/train_report.hpp"

#include <nlohmann/json.hpp>

#include "base/fail.hpp"         // for fmt::format
#include "csp/model_card.hpp"    // for kMetrics
#include "csp/report_parts.hpp"  // for learning_curves_svg
#include "csp/train_config.hpp"  // for to_toml, train_settings
#include "io/atomic_file.hpp"    // for write_file
#include "io/folder.hpp"         // for make_folder, holds_files

namespace kronite::csp {
namespace {

using Json = nlohmann::ordered_json;

using Members = std::vector<MemberReport>;

std::string network_name(std::size_t m) { return fmt::format("network {}", m + 1); }

bool has_validation(const Members& members) { return members.front().validation.pairs > 0; }

std::vector<LearningCurve> learning_curves(const Members& members) {
  std::vector<LearningCurve> curves;
  for (std::size_t m = 0; m < members.size(); ++m)
    curves.push_back({network_name(m), &members[m].history, members[m].best_epoch});
  return curves;
}

/// Networks, then the ensemble where it was judged; `name` is what a network is called.
template <class Name>
std::vector<ReliabilityCurve> reliability_curves(const TrainResult& result, const Name& name) {
  std::vector<ReliabilityCurve> curves;
  for (std::size_t m = 0; m < result.members.size(); ++m)
    curves.push_back({name(m), &result.members[m].reliability});
  if (!result.ensemble.reliability.empty())
    curves.push_back({"ensemble", &result.ensemble.reliability});
  return curves;
}

struct Judged {
  std::string who, part;
  const PairMetrics* metrics;
};

/// Parts with pairs, network by network.
std::vector<Judged> judged_parts(const TrainResult& result) {
  std::vector<Judged> all;
  const auto add = [&](const std::string& who, const Judgement& judgement) {
    if (judgement.validation.pairs > 0) all.push_back({who, "validation", &judgement.validation});
    if (judgement.test.pairs > 0) all.push_back({who, "test", &judgement.test});
  };
  for (std::size_t m = 0; m < result.members.size(); ++m)
    add(fmt::format("{}", m + 1), result.members[m]);
  add("ensemble", result.ensemble);
  return all;
}

std::string metrics_csv(const TrainResult& result) {
  std::string text = "network,part,pairs,alike";
  for (const MetricName& metric : kMetrics) text += fmt::format(",{}", metric.key);
  text += '\n';
  for (const auto& [who, part, m] : judged_parts(result)) {
    text += fmt::format("{},{},{},{}", who, part, m->pairs, m->alike);
    for (const MetricName& metric : kMetrics) text += fmt::format(",{}", m->*metric.metric);
    text += '\n';
  }
  return text;
}

Json metrics_json(const PairMetrics& m) {
  return {{"pairs", m.pairs},        {"alike", m.alike},          {"MAP", m.mean_average_precision},
          {"MACC", m.mean_accuracy}, {"AP", m.average_precision}, {"ACC", m.accuracy}};
}

Json judgement_json(const Judgement& judgement) {
  Json json = Json::object();
  if (judgement.validation.pairs > 0) {
    json["validation"] = metrics_json(judgement.validation);
    json["validation"]["calibration_error"] = calibration_error(judgement.reliability);
  }
  if (judgement.test.pairs > 0) json["test"] = metrics_json(judgement.test);
  return json;
}

Json report_json(const TrainResult& result) {
  Json networks = Json::array();
  for (const MemberReport& member : result.members) {
    Json json{{"split_seed", member.split_seed},
              {"training_pairs", member.training_pairs},
              {"alike_training_pairs", member.alike_training_pairs},
              {"epochs", member.history.size()},
              {"kept_epoch", member.best_epoch}};
    json.update(judgement_json(member));
    networks.push_back(std::move(json));
  }
  Json card = Json::object();
  for (const auto& [key, value] : result.model.card) card[key] = value;
  return {{"networks", std::move(networks)},
          {"ensemble", judgement_json(result.ensemble)},
          {"card", std::move(card)}};
}

}  // namespace

void prepare_report_folder(const std::string& path) {
  io::make_folder(path);
  if (io::holds_files(path))
    fail(Errc::invalid_argument, "{}: this folder is not empty; name a new one for the report",
         path);
}

void write_train_report(const std::string& path, const TrainOptions& options,
                        const TrainResult& result, const TrainRun& run) {
  const auto write = [&](const char* name, const std::string& text) {
    io::write_file(path + "/" + name, text);
  };
  const auto curves = learning_curves(result.members);
  write("learning_curves.svg", learning_curves_svg(fmt::format("{}: learning curves", options.name),
                                                   curves, "Validation accuracy"));
  write("learning_curves.csv", learning_curves_csv(curves, "network", "validation_accuracy"));
  if (has_validation(result.members)) {
    const auto number = [](std::size_t m) { return fmt::format("{}", m + 1); };
    write("reliability.svg",
          reliability_svg(fmt::format("{}: reliability on the validation parts", options.name),
                          reliability_curves(result, network_name), result.members.size()));
    write("reliability.csv", reliability_csv(reliability_curves(result, number), "network"));
  }
  write("metrics.csv", metrics_csv(result));
  write("metrics.json", text_of(report_json(result)));
  write("config.toml", to_toml(options));
  write("manifest.json", text_of(manifest_json(train_settings(options), run)));
}

}  // namespace kronite::csp
