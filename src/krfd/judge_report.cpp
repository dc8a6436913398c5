// Figures as SVG, tables as CSV.
#include "krfd/judge_report.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/fail.hpp"             // for fmt::format
#include "io/csv.hpp"                // for append_csv_cell, append_csv_numbers
#include "io/plot.hpp"               // for plot_svg
#include "krfd/judge_panels.hpp"     // for plot_line, plot_band
#include "math/normal_quantile.hpp"  // for deviations_of_share

namespace kronite::krfd {

using io::Figure;
using io::Mark;
using io::Panel;
using io::Series;

Series plot_line(std::string label, Mark mark, int colour, std::vector<double> x,
                 std::vector<double> y) {
  return {std::move(label), mark, colour, std::move(x), std::move(y), {}, {}};
}

Series plot_band(std::string label, const std::vector<double>& t, const double* mean,
                 const double* deviation, double share, int colour) {
  const double factor = math::deviations_of_share(share);
  Series series = plot_line(std::move(label), Mark::line, colour, t,
                            {mean, mean + static_cast<std::ptrdiff_t>(t.size())});
  for (std::size_t j = 0; j < t.size(); ++j) {
    series.low.push_back(mean[j] - factor * deviation[j]);
    series.high.push_back(mean[j] + factor * deviation[j]);
  }
  return series;
}

Panel standardised_panel(const std::vector<JudgedSplit>& splits) {
  constexpr int kBins = 33;
  constexpr double kEnd = 4.125, kWidth = 2 * kEnd / kBins, kRootTwoPi = 2.5066282746310002;
  std::vector<double> middle, share(kBins, 0.0), normal;
  double values = 0;
  for (const JudgedSplit& split : splits)
    for (std::size_t k = 0; k < split.judged.deviation_measured.size(); ++k, ++values) {
      const double z = (split.y[k] - split.judged.mean[k]) / split.judged.deviation_measured[k];
      const double bin = std::floor((z + kEnd) / kWidth);
      if (bin >= 0 && bin < kBins) share[static_cast<std::size_t>(bin)] += 1;
    }
  for (int b = 0; b < kBins; ++b) {
    const double z = -kEnd + (b + 0.5) * kWidth;
    middle.push_back(z);
    normal.push_back(std::exp(-z * z / 2) / kRootTwoPi);
    share[static_cast<std::size_t>(b)] /= std::max(values, 1.0) * kWidth;
  }
  Panel panel;
  panel.title = "Residuals in deviations";
  panel.x.label = "residual / standard deviation with noise";
  panel.y = {"density", 0, io::Axis::kAutomatic};
  panel.series = {plot_line("residuals", Mark::bars, 0, middle, std::move(share)),
                  plot_line("normal", Mark::line, 1, middle, std::move(normal))};
  return panel;
}

namespace {

/// Systems by their mean absolute error: those a tenth, a half and nine tenths up the order.
std::vector<std::size_t> shown_systems(const JudgedSplit& split, std::size_t points) {
  const std::size_t n = split.names.size();
  std::vector<double> error(n, 0.0);
  for (std::size_t k = 0; k < split.y.size(); ++k)
    error[k / points] += std::abs(split.y[k] - split.judged.mean[k]);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return error[a] < error[b]; });
  std::vector<std::size_t> shown;
  for (const double share : {0.1, 0.5, 0.9}) {
    const std::size_t at = order[static_cast<std::size_t>(share * static_cast<double>(n - 1))];
    if (std::find(shown.begin(), shown.end(), at) == shown.end()) shown.push_back(at);
  }
  return shown;
}

Panel curve_panel(const JudgedSplit& split, const std::vector<double>& t, std::size_t system) {
  constexpr int kBand = 0, kObserved = 1;
  const std::size_t points = t.size(), all = split.names.size() * points;
  const auto begin = [&](const std::vector<double>& values, std::size_t draw) {
    return values.data() + draw * all + system * points;
  };
  Panel panel;
  panel.title = split.names[system];
  panel.x.label = "t";
  panel.y.label = "y";
  const double* mean = begin(split.judged.mean, 0);
  if (!split.judged.deviation_measured.empty()) {
    const double* deviation = begin(split.judged.deviation_measured, 0);
    panel.series.push_back(
        plot_band("expected, 95 % of measurements", t, mean, deviation, 0.95, kBand));
    panel.series.push_back(plot_band("68 %", t, mean, deviation, 0.68, kBand));
  } else {
    panel.series.push_back(plot_line("expected", Mark::line, kBand, t,
                                     {mean, mean + static_cast<std::ptrdiff_t>(points)}));
  }
  for (std::size_t d = 0; d < split.draws.size() / all; ++d) {
    const double* draw = begin(split.draws, d);
    panel.series.push_back(
        plot_line("drawn", Mark::line, -1, t, {draw, draw + static_cast<std::ptrdiff_t>(points)}));
  }
  const double* y = begin(split.y, 0);
  panel.series.push_back(plot_line("observed", Mark::points, kObserved, t,
                                   {y, y + static_cast<std::ptrdiff_t>(points)}));
  return panel;
}

Panel errors_panel(const std::vector<JudgedSplit>& splits, const std::vector<double>& t) {
  std::vector<double> mae(t.size(), 0.0), rmse(t.size(), 0.0);
  std::size_t systems = 0;
  for (const JudgedSplit& split : splits) {
    systems += split.names.size();
    for (std::size_t k = 0; k < split.y.size(); ++k) {
      const double error = split.y[k] - split.judged.mean[k];
      mae[k % t.size()] += std::abs(error);
      rmse[k % t.size()] += error * error;
    }
  }
  for (std::size_t j = 0; j < t.size(); ++j) {
    mae[j] /= static_cast<double>(systems);
    rmse[j] = std::sqrt(rmse[j] / static_cast<double>(systems));
  }
  Panel panel;
  panel.title = "Errors along t";
  panel.x.label = "t";
  panel.y = {"error", 0, io::Axis::kAutomatic};
  panel.series = {plot_line("MAE", Mark::line, 0, t, std::move(mae)),
                  plot_line("RMSE", Mark::line, 1, t, std::move(rmse))};
  return panel;
}

std::vector<double> metrics_of(const Judged& judged) {
  return {judged.errors.mae,          judged.errors.rmse, judged.errors.r2,
          judged.errors.correlation2, judged.within_68,   judged.within_95};
}

void append_metrics(std::string& text, const std::string& name, std::size_t systems,
                    const std::vector<double>& metrics) {
  io::append_csv_cell(text, name);
  text += fmt::format(",{}", systems);
  for (const double value : metrics)
    if (std::isnan(value))
      text += ',';
    else
      io::append_csv_numbers(text, {&value, 1});
  text += '\n';
}

}  // namespace

std::string parity_svg(const std::vector<JudgedSplit>& splits) {
  std::size_t values = 0, k = 0;
  for (const JudgedSplit& split : splits) values += split.y.size();
  const std::size_t step = values / kMostPoints + 1;
  Panel panel;
  panel.title = "Predicted over observed values";
  panel.x.label = "observed";
  panel.y.label = "predicted";
  panel.diagonal = true;
  Series cloud = plot_line("", Mark::cloud, 0, {}, {});
  for (const JudgedSplit& split : splits)
    for (std::size_t i = 0; i < split.y.size(); ++i, ++k)
      if (k % step == 0) {
        cloud.x.push_back(split.y[i]);
        cloud.y.push_back(split.judged.mean[i]);
      }
  panel.series.push_back(std::move(cloud));
  return io::plot_svg({"", {std::move(panel)}, 360, 360});
}

std::string curves_svg(const JudgedSplit& split, const std::vector<double>& t) {
  Figure figure;
  figure.title = "Curves that were not learned from: small, middling and large errors";
  for (const std::size_t system : shown_systems(split, t.size()))
    figure.panels.push_back(curve_panel(split, t, system));
  return io::plot_svg(figure);
}

std::string residuals_svg(const std::vector<JudgedSplit>& splits, const std::vector<double>& t) {
  Figure figure;
  figure.panels.push_back(errors_panel(splits, t));
  if (!splits.front().judged.deviation_measured.empty())
    figure.panels.push_back(standardised_panel(splits));
  return io::plot_svg(figure);
}

std::string metrics_csv(const std::vector<JudgedSplit>& splits) {
  std::string text = "split,systems,MAE,RMSE,R2,correlation2,within_68,within_95\n";
  std::vector<std::vector<double>> columns;
  std::size_t systems = 0;
  for (std::size_t s = 0; s < splits.size(); ++s) {
    const std::vector<double> metrics = metrics_of(splits[s].judged);
    append_metrics(text, fmt::format("{}", s + 1), splits[s].names.size(), metrics);
    columns.resize(metrics.size());
    for (std::size_t m = 0; m < metrics.size(); ++m) columns[m].push_back(metrics[m]);
    systems += splits[s].names.size();
  }
  std::vector<double> mean, deviation;
  for (const auto& column : columns) {
    const MeanAndDeviation both = over_splits(column);
    mean.push_back(both.mean);
    deviation.push_back(both.deviation);
  }
  append_metrics(text, "mean", systems, mean);
  if (splits.size() > 1) append_metrics(text, "std", systems, deviation);
  return text;
}

std::string predictions_csv(const std::vector<JudgedSplit>& splits,
                            const std::vector<std::string>& points) {
  std::string text = "split,id,t,observed,mean,std,std_with_noise\n";
  for (std::size_t s = 0; s < splits.size(); ++s) {
    const JudgedSplit& split = splits[s];
    for (std::size_t k = 0; k < split.y.size(); ++k) {
      text += fmt::format("{},", s + 1);
      io::append_csv_cell(text, split.names[k / points.size()]);
      text += ',';
      io::append_csv_cell(text, points[k % points.size()]);
      const double row[] = {split.y[k], split.judged.mean[k], split.judged.deviation[k],
                            split.judged.deviation_measured[k]};
      io::append_csv_numbers(text, row);
      text += '\n';
    }
  }
  return text;
}

}  // namespace kronite::krfd
