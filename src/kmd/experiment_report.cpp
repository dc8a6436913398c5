// Tables as CSV, trials as JSON Lines, predictions over true values as SVG.
#include "kmd/experiment_report.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/fail.hpp"          // for fmt::format
#include "io/atomic_file.hpp"     // for write_file
#include "io/csv.hpp"             // for append_csv_cell
#include "io/plot.hpp"            // for plot_svg
#include "kmd/setting_names.hpp"  // for name_of
#include "kronite/version.hpp"    // for KRONITE_VERSION

namespace kronite::kmd {
namespace {

using Json = nlohmann::ordered_json;

/// Empty for a missing number.
std::string cell(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

std::string text_cell(std::string_view text) {
  std::string cell;
  io::append_csv_cell(cell, text);
  return cell;
}

/// Calls f(descriptor, learner, metric) in the order of the tables.
template <class F>
void for_each_cell(const ExperimentRecord& r, const F& f) {
  const std::size_t metrics = metric_names(r.settings, r.data).size();
  for (std::size_t l = 0; l < r.settings.learners.size(); ++l)
    for (std::size_t d = 0; d < r.settings.descriptors.size(); ++d)
      for (std::size_t m = 0; m < metrics; ++m) f(d, l, m);
}

std::string table_csv(const ExperimentRecord& r) {
  const auto names = metric_names(r.settings, r.data);
  std::string text = "descriptor,learner,metric,splits,mean,std,validation_mean,validation_std\n";
  for_each_cell(r, [&](std::size_t d, std::size_t l, std::size_t m) {
    const auto values = metric_over_splits(r.experiment, d, l, m);
    const Spread test = spread_of(values);
    const Spread validation = spread_of(metric_over_splits(r.experiment, d, l, m, true));
    text +=
        fmt::format("{},{},{},{},{},{},{},{}\n", text_cell(r.settings.descriptors[d].name),
                    text_cell(r.settings.learners[l].name), text_cell(names[m]), values.size(),
                    cell(test.mean), cell(test.std), cell(validation.mean), cell(validation.std));
  });
  return text;
}

std::string differences_csv(const ExperimentRecord& r) {
  const auto names = metric_names(r.settings, r.data);
  std::string text = "learner,descriptor,minus,metric,splits,mean,low,high,wide_low,wide_high\n";
  for_each_cell(r, [&](std::size_t d, std::size_t l, std::size_t m) {
    if (d == 0) return;
    const auto first = metric_over_splits(r.experiment, 0, l, m);
    const PairedDifference off = paired_difference(first, metric_over_splits(r.experiment, d, l, m),
                                                   test_share(r.experiment));
    text += fmt::format("{},{},{},{},{},{},{},{},{},{}\n", text_cell(r.settings.learners[l].name),
                        text_cell(r.settings.descriptors[0].name),
                        text_cell(r.settings.descriptors[d].name), text_cell(names[m]),
                        first.size(), cell(off.mean), cell(off.low), cell(off.high),
                        cell(off.wide_low), cell(off.wide_high));
  });
  return text;
}

/// Values, or the true class, the most probable one and all probabilities.
std::string predictions_csv(const ExperimentRecord& r) {
  const bool classes = r.settings.classifies();
  const auto& heads = classes ? r.data.class_names : r.settings.data.targets;
  std::string text = "split,descriptor,learner,row,name";
  if (classes) text += ",class,predicted";
  for (const std::string& head : heads)
    text += classes ? "," + text_cell("p " + head)
                    : fmt::format(",{},{}", text_cell(head), text_cell("predicted " + head));
  text += '\n';
  for (const Trial& trial : r.experiment.trials) {
    const auto& rows = r.experiment.splits[trial.split].test;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double* p = trial.predicted.data() + i * heads.size();
      text += fmt::format("{},{},{},{},{}", trial.split + 1,
                          text_cell(r.settings.descriptors[trial.descriptor].name),
                          text_cell(r.settings.learners[trial.learner].name), rows[i] + 1,
                          text_cell(r.data.names[rows[i]]));
      if (classes)
        text += fmt::format(",{},{}", text_cell(heads[r.data.classes[rows[i]]]),
                            text_cell(heads[std::max_element(p, p + heads.size()) - p]));
      for (std::size_t t = 0; t < heads.size(); ++t)
        text += classes ? fmt::format(",{}", p[t])
                        : fmt::format(",{},{}", r.data.values[rows[i] * heads.size() + t], p[t]);
      text += '\n';
    }
  }
  return text;
}

/// The first target: predicted over true values of all test parts, a panel per descriptor, for the
/// first learner.
std::string parity_svg(const ExperimentRecord& r) {
  io::Figure figure;
  figure.title = r.settings.title;
  const std::size_t targets = r.settings.data.targets.size();
  const std::string unit = r.settings.data.unit.empty() ? "" : " / (" + r.settings.data.unit + ")";
  for (std::size_t d = 0; d < r.settings.descriptors.size(); ++d) {
    io::Series points{"", io::Mark::cloud, static_cast<int>(d), {}, {}, {}, {}};
    for (const Trial& trial : r.experiment.trials) {
      if (trial.descriptor != d || trial.learner != 0) continue;
      const auto& rows = r.experiment.splits[trial.split].test;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        points.x.push_back(r.data.values[rows[i] * targets]);
        points.y.push_back(trial.predicted[i * targets]);
      }
    }
    figure.panels.push_back(
        {fmt::format("{}, {}", r.settings.descriptors[d].name, r.settings.learners.front().name),
         {"true" + unit},
         {"predicted" + unit},
         {std::move(points)},
         true});
  }
  return io::plot_svg(figure);
}

Json manifest(const ExperimentRecord& r, const ExperimentRun& run) {
  Json inputs = Json::array();
  for (const auto& [name, hash] : run.inputs) inputs.push_back({{"name", name}, {"hash", hash}});
  Json descriptors = Json::array();
  for (std::size_t d = 0; d < r.experiment.descriptors.size(); ++d) {
    const DescriptorInfo& info = r.experiment.descriptors[d];
    Json json{{"name", r.settings.descriptors[d].name}, {"width", info.width}};
    if (!info.hash.empty()) {
      json["n_grids"] = info.settings.n_grids;
      json["kernel"] = name_of(info.settings.kernel);
      json["hash"] = info.hash;
    }
    descriptors.push_back(std::move(json));
  }
  double seconds = 0;
  for (const Trial& trial : r.experiment.trials) seconds += trial.seconds;
  return {{"program", "kronite kmd evaluate"},
          {"version", KRONITE_VERSION},
          {"command", run.command},
          {"device", run.device},
          {"inputs", std::move(inputs)},
          {"rows", r.data.rows()},
          {"left_out_without_target", r.data.without_target},
          {"left_out_unknown_elements", r.data.unknown},
          {"splits", r.experiment.splits.size()},
          {"descriptors", std::move(descriptors)},
          {"training_seconds", seconds}};
}

std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string rounded(double value, double scale) {
  if (std::isnan(value)) return "-";
  constexpr int kMostDecimals = 4;
  constexpr double kSmall = 1e-3;  // of which four decimals leave next to nothing
  if (scale != 0 && std::abs(scale) < kSmall) return fmt::format("{:.2e}", value);
  const double size = std::max(std::abs(scale), kSmall);
  const int decimals =
      std::clamp(3 - static_cast<int>(std::floor(std::log10(size))), 0, kMostDecimals);
  return fmt::format("{:.{}f}", value, decimals);
}

std::string trial_json(const ExperimentSettings& settings, const ExperimentData& data,
                       const Trial& trial) {
  const auto names = metric_names(settings, data);
  const auto metrics = [&](const std::vector<double>& values) {
    Json json = Json::object();
    for (std::size_t m = 0; m < names.size(); ++m)
      json[names[m]] = std::isnan(values[m]) ? Json(nullptr) : Json(values[m]);
    return json;
  };
  Json json{{"split", trial.split + 1},
            {"descriptor", settings.descriptors[trial.descriptor].name},
            {"learner", settings.learners[trial.learner].name},
            {"test", metrics(trial.metrics)},
            {"validation", metrics(trial.validation)}};
  if (settings.learners[trial.learner].kind == LearnerKind::network) {
    json["best_epochs"] = trial.best_epochs;
  } else if (settings.learners[trial.learner].kind == LearnerKind::kernel_ridge) {
    json["length_scale"] = trial.length_scale;
    json["ridge"] = trial.ridge;
  }
  json["seconds"] = trial.seconds;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void write_experiment(const std::string& folder, const ExperimentRecord& record,
                      const ExperimentRun& run, const std::string& config_text) {
  const auto write = [&](const char* name, const std::string& text) {
    io::write_file(folder + "/" + name, text);
  };
  write("config.toml", config_text);
  write("table.csv", table_csv(record));
  if (record.settings.descriptors.size() > 1) write("differences.csv", differences_csv(record));
  write("predictions.csv", predictions_csv(record));
  if (!record.settings.classifies()) write("parity.svg", parity_svg(record));
  write("manifest.json", text_of(manifest(record, run)));
}

}  // namespace kronite::kmd
