// Learning curves, reliability and success of metrics.
#include "csp/metric_report.hpp"

#include <nlohmann/json.hpp>

#include "base/fail.hpp"          // for fmt::format
#include "csp/metric_config.hpp"  // for to_toml, metric_settings
#include "csp/report_parts.hpp"   // for learning_curves_svg
#include "io/atomic_file.hpp"     // for write_file

namespace kronite::csp {
namespace {

using Json = nlohmann::ordered_json;

/// The members under their numbers, then, if there are several, "all".
std::vector<std::pair<std::string, const MetricReport*>> judged(const MetricResult& result) {
  std::vector<std::pair<std::string, const MetricReport*>> reports;
  for (const MetricReport& member : result.members)
    reports.emplace_back(fmt::format("{}", reports.size() + 1), &member);
  if (result.members.size() > 1) reports.emplace_back("all", &result.all);
  return reports;
}

std::string metrics_csv(const MetricResult& result) {
  std::string text = "metric,part,queries,answerable,top1,top5,top10,loss\n";
  for (const auto& [name, report] : judged(result))
    for (const auto& [part, j] :
         {std::pair{"validation", &report->validation}, std::pair{"test", &report->test}})
      if (j->queries > 0)
        text += fmt::format("{},{},{},{},{},{},{},{}\n", name, part, j->queries, j->answerable,
                            j->top1, j->top5, j->top10, j->loss);
  return text;
}

Json judgement_json(const MetricJudgement& j) {
  return {{"queries", j.queries},
          {"answerable", j.answerable},
          {"top1", j.top1},
          {"top5", j.top5},
          {"top10", j.top10},
          {"loss", j.loss},
          {"calibration_error", calibration_error(j.reliability)}};
}

Json report_json(const MetricResult& result) {
  Json metrics = Json::array(), card = Json::object();
  for (const auto& [name, report] : judged(result)) {
    Json json{{"metric", name}};
    if (name != "all") {
      json["epochs"] = report->history.size();
      json["kept_epoch"] = report->best_epoch;
    }
    if (report->validation.queries > 0) json["validation"] = judgement_json(report->validation);
    if (report->test.queries > 0) json["test"] = judgement_json(report->test);
    metrics.push_back(std::move(json));
  }
  for (const auto& [key, value] : result.metric.card) card[key] = value;
  return {{"training_templates", result.training_templates},
          {"pairs", result.pairs},
          {"metrics", std::move(metrics)},
          {"card", std::move(card)}};
}

}  // namespace

void write_metric_report(const std::string& path, const MetricOptions& options,
                         const MetricResult& result, const TrainRun& run) {
  const auto write = [&](const char* name, const std::string& text) {
    io::write_file(path + "/" + name, text);
  };
  std::vector<LearningCurve> curves;
  for (const MetricReport& member : result.members)
    curves.push_back(
        {fmt::format("metric {}", curves.size() + 1), &member.history, member.best_epoch});
  write("learning_curves.svg", learning_curves_svg(fmt::format("{}: learning curves", options.name),
                                                   curves, "Validation top 1"));
  write("learning_curves.csv", learning_curves_csv(curves, "metric", "validation_top1"));
  if (result.all.validation.queries > 0) {
    std::vector<ReliabilityCurve> reliability;
    for (const auto& [name, report] : judged(result))
      reliability.push_back({name, &report->validation.reliability});
    write("reliability.svg",
          reliability_svg(fmt::format("{}: reliability on the validation part", options.name),
                          reliability, result.members.size()));
    write("reliability.csv", reliability_csv(reliability, "metric"));
  }
  write("metrics.csv", metrics_csv(result));
  write("metrics.json", text_of(report_json(result)));
  write("config.toml", to_toml(options));
  write("manifest.json", text_of(manifest_json(metric_settings(options), run)));
}

}  // namespace kronite::csp
