// Learning curves, reliability diagrams and manifests.
#include "csp/report_parts.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/fail.hpp"        // for fmt::format
#include "io/plot.hpp"          // for plot_svg
#include "kronite/version.hpp"  // for KRONITE_VERSION

namespace kronite::csp {
namespace {

using io::Figure;
using io::Mark;
using io::Panel;
using io::Series;
using Json = nlohmann::ordered_json;

/// One line per member, with a dot at the epoch that was kept.
Panel panel_of(const std::vector<LearningCurve>& curves, const std::string& title,
               double learn::EpochRecord::*value) {
  Panel panel{title, {"epoch"}, {}, {}, false};
  Series kept{"kept epoch", Mark::points, -1, {}, {}, {}, {}};
  for (std::size_t m = 0; m < curves.size(); ++m) {
    Series line{curves[m].name, Mark::line, static_cast<int>(m), {}, {}, {}, {}};
    for (const learn::EpochRecord& epoch : *curves[m].history) {
      line.x.push_back(epoch.epoch);
      line.y.push_back(epoch.*value);
      if (epoch.epoch != curves[m].best_epoch) continue;
      kept.x.push_back(epoch.epoch);
      kept.y.push_back(epoch.*value);
    }
    panel.series.push_back(std::move(line));
  }
  panel.series.push_back(std::move(kept));
  return panel;
}

}  // namespace

std::string learning_curves_svg(const std::string& title, const std::vector<LearningCurve>& curves,
                                const std::string& score) {
  Figure figure{title, {panel_of(curves, "Training loss", &learn::EpochRecord::loss)}};
  const auto& first = *curves.front().history;
  if (!first.empty() && !std::isnan(first.front().validation_loss)) {
    figure.panels.push_back(
        panel_of(curves, "Validation loss", &learn::EpochRecord::validation_loss));
    figure.panels.push_back(panel_of(curves, score, &learn::EpochRecord::validation_accuracy));
  }
  return io::plot_svg(figure);
}

std::string learning_curves_csv(const std::vector<LearningCurve>& curves, const std::string& member,
                                const std::string& score) {
  std::string text = fmt::format("{},epoch,loss,validation_loss,{},seconds,kept\n", member, score);
  for (std::size_t m = 0; m < curves.size(); ++m)
    for (const learn::EpochRecord& e : *curves[m].history)
      text += fmt::format("{},{},{},{},{},{:.3f},{}\n", m + 1, e.epoch, cell(e.loss),
                          cell(e.validation_loss), cell(e.validation_accuracy), e.seconds,
                          e.epoch == curves[m].best_epoch);
  return text;
}

std::string reliability_svg(const std::string& title, const std::vector<ReliabilityCurve>& curves,
                            std::size_t counted) {
  Panel diagram{"Frequency of alike pairs", {"predicted p", 0, 1}, {"observed", 0, 1}, {}, true};
  Panel counts{"Pairs per bin", {"predicted p", 0, 1}, {"", 0}, {}, false};
  Series bars{"", Mark::bars, -1, {}, {}, {}, {}};
  for (std::size_t m = 0; m < curves.size(); ++m) {
    const auto& bins = *curves[m].bins;
    const int colour = m < counted ? static_cast<int>(m) : -1;
    Series line{curves[m].name, Mark::line_and_points, colour, {}, {}, {}, {}};
    bars.x.resize(bins.size());
    bars.y.resize(bins.size());
    for (std::size_t b = 0; b < bins.size(); ++b) {
      line.x.push_back(bins[b].mean_p);
      line.y.push_back(bins[b].alike);
      bars.x[b] = (bins[b].low + bins[b].high) / 2;
      if (m < counted) bars.y[b] += static_cast<double>(bins[b].pairs);
    }
    diagram.series.push_back(std::move(line));
  }
  counts.series.push_back(std::move(bars));
  return io::plot_svg({title, {std::move(diagram), std::move(counts)}});
}

std::string reliability_csv(const std::vector<ReliabilityCurve>& curves,
                            const std::string& member) {
  std::string text = member + ",low,high,pairs,mean_p,alike\n";
  for (const ReliabilityCurve& curve : curves)
    for (const ReliabilityBin& bin : *curve.bins)
      text += fmt::format("{},{},{},{},{},{}\n", curve.name, bin.low, bin.high, bin.pairs,
                          cell(bin.mean_p), cell(bin.alike));
  return text;
}

std::string cell(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

Json inputs_json(const std::vector<std::pair<std::string, std::string>>& inputs) {
  Json json = Json::array();
  for (const auto& [name, hash] : inputs) json.push_back({{"name", name}, {"hash", hash}});
  return json;
}

Json manifest_json(const TrainSettings& settings, const TrainRun& run) {
  Json values = Json::object();
  for (const auto& [key, value] : settings) values[key] = value;
  return {{"program", "kronite csp train"}, {"version", KRONITE_VERSION},
          {"command", run.command},         {"device", run.device},
          {"model", run.model_path},        {"inputs", inputs_json(run.inputs)},
          {"settings", std::move(values)}};
}

std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace kronite::csp
