// Learning curves, reliability diagrams and metrics.
#include "csp/train_report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/fail.hpp"         // for fmt::format
#include "csp/model_card.hpp"    // for kMetrics
#include "csp/train_config.hpp"  // for to_toml, train_settings
#include "io/atomic_file.hpp"    // for write_file
#include "io/folder.hpp"         // for make_folder, holds_files
#include "io/plot.hpp"           // for plot_svg
#include "kronite/version.hpp"   // for KRONITE_VERSION

namespace kronite::csp {
namespace {

using io::Figure;
using io::Mark;
using io::Panel;
using io::Series;
using Json = nlohmann::ordered_json;

using Members = std::vector<MemberReport>;

std::string network_name(std::size_t m) { return fmt::format("network {}", m + 1); }

/// Empty for a missing number.
std::string cell(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

bool has_validation(const Members& members) { return members.front().validation.pairs > 0; }

/// One line per network, with a dot at the epoch that was kept.
Panel curves(const Members& members, const char* title, double learn::EpochRecord::*value) {
  Panel panel{title, {"epoch"}, {}, {}, false};
  Series kept{"kept epoch", Mark::points, -1, {}, {}, {}, {}};
  for (std::size_t m = 0; m < members.size(); ++m) {
    Series line{network_name(m), Mark::line, static_cast<int>(m), {}, {}, {}, {}};
    for (const learn::EpochRecord& epoch : members[m].history) {
      line.x.push_back(epoch.epoch);
      line.y.push_back(epoch.*value);
      if (epoch.epoch != members[m].best_epoch) continue;
      kept.x.push_back(epoch.epoch);
      kept.y.push_back(epoch.*value);
    }
    panel.series.push_back(std::move(line));
  }
  panel.series.push_back(std::move(kept));
  return panel;
}

std::string learning_curves_svg(const std::string& name, const Members& members) {
  Figure figure{fmt::format("{}: learning curves", name), {}};
  figure.panels.push_back(curves(members, "Training loss", &learn::EpochRecord::loss));
  if (has_validation(members)) {
    figure.panels.push_back(
        curves(members, "Validation loss", &learn::EpochRecord::validation_loss));
    figure.panels.push_back(
        curves(members, "Validation accuracy", &learn::EpochRecord::validation_accuracy));
  }
  return io::plot_svg(figure);
}

std::string learning_curves_csv(const Members& members) {
  std::string text = "network,epoch,loss,validation_loss,validation_accuracy,seconds,kept\n";
  for (std::size_t m = 0; m < members.size(); ++m)
    for (const learn::EpochRecord& e : members[m].history)
      text += fmt::format("{},{},{},{},{},{:.3f},{}\n", m + 1, e.epoch, cell(e.loss),
                          cell(e.validation_loss), cell(e.validation_accuracy), e.seconds,
                          e.epoch == members[m].best_epoch);
  return text;
}

Series reliability_line(std::string label, int colour, const std::vector<ReliabilityBin>& bins) {
  Series line{std::move(label), Mark::line_and_points, colour, {}, {}, {}, {}};
  for (const ReliabilityBin& bin : bins) {
    line.x.push_back(bin.mean_p);
    line.y.push_back(bin.alike);
  }
  return line;
}

/// Observed frequencies over predicted probabilities, and how many pairs each bin holds.
std::string reliability_svg(const std::string& name, const TrainResult& result) {
  Panel diagram{"Frequency of alike pairs", {"predicted p", 0, 1}, {"observed", 0, 1}, {}, true};
  Panel counts{"Pairs per bin", {"predicted p", 0, 1}, {"", 0}, {}, false};
  Series bars{"", Mark::bars, -1, {}, {}, {}, {}};
  const auto& members = result.members;
  for (std::size_t m = 0; m < members.size(); ++m) {
    const auto& bins = members[m].reliability;
    diagram.series.push_back(reliability_line(network_name(m), static_cast<int>(m), bins));
    bars.x.resize(bins.size());
    bars.y.resize(bins.size());
    for (std::size_t b = 0; b < bins.size(); ++b) {
      bars.x[b] = (bins[b].low + bins[b].high) / 2;
      bars.y[b] += static_cast<double>(bins[b].pairs);
    }
  }
  if (!result.ensemble.reliability.empty())
    diagram.series.push_back(reliability_line("ensemble", -1, result.ensemble.reliability));
  counts.series.push_back(std::move(bars));
  return io::plot_svg({fmt::format("{}: reliability on the validation parts", name),
                       {std::move(diagram), std::move(counts)}});
}

void append_bins(std::string& text, const std::string& who,
                 const std::vector<ReliabilityBin>& bins) {
  for (const ReliabilityBin& bin : bins)
    text += fmt::format("{},{},{},{},{},{}\n", who, bin.low, bin.high, bin.pairs, cell(bin.mean_p),
                        cell(bin.alike));
}

std::string reliability_csv(const TrainResult& result) {
  std::string text = "network,low,high,pairs,mean_p,alike\n";
  for (std::size_t m = 0; m < result.members.size(); ++m)
    append_bins(text, fmt::format("{}", m + 1), result.members[m].reliability);
  append_bins(text, "ensemble", result.ensemble.reliability);
  return text;
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

Json manifest_json(const TrainOptions& options, const TrainRun& run) {
  Json settings = Json::object();
  for (const auto& [key, value] : train_settings(options)) settings[key] = value;
  Json inputs = Json::array();
  for (const auto& [name, hash] : run.inputs) inputs.push_back({{"name", name}, {"hash", hash}});
  return {{"program", "kronite csp train"}, {"version", KRONITE_VERSION},
          {"command", run.command},         {"device", run.device},
          {"model", run.model_path},        {"inputs", std::move(inputs)},
          {"settings", std::move(settings)}};
}

std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
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
  write("learning_curves.svg", learning_curves_svg(options.name, result.members));
  write("learning_curves.csv", learning_curves_csv(result.members));
  if (has_validation(result.members)) {
    write("reliability.svg", reliability_svg(options.name, result));
    write("reliability.csv", reliability_csv(result));
  }
  write("metrics.csv", metrics_csv(result));
  write("metrics.json", text_of(report_json(result)));
  write("config.toml", to_toml(options));
  write("manifest.json", text_of(manifest_json(options, run)));
}

}  // namespace kronite::csp
