// Figures as SVG, tables as CSV.
#include "krfd/irregular_report.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/fail.hpp"          // for fmt::format
#include "io/csv.hpp"             // for append_csv_cell, append_csv_numbers
#include "krfd/judge_panels.hpp"  // for plot_line, plot_band

namespace kronite::krfd {
namespace {

io::Panel view_panel(const CurveView& view, const std::string& t_label) {
  constexpr int kBand = 0, kObserved = 1;
  io::Panel panel;
  panel.title = view.name;
  panel.x.label = t_label;
  panel.y.label = "y";
  const double* mean = view.mean.data();
  const double* deviation = view.deviation_measured.data();
  panel.series.push_back(
      plot_band("expected, 95 % of measurements", view.t, mean, deviation, 0.95, kBand));
  panel.series.push_back(plot_band("68 %", view.t, mean, deviation, 0.68, kBand));
  const std::size_t points = view.t.size();
  for (std::size_t d = 0; d < view.draws.size() / points; ++d) {
    const auto begin = view.draws.begin() + static_cast<std::ptrdiff_t>(d * points);
    panel.series.push_back(plot_line("drawn", io::Mark::line, -1, view.t,
                                     {begin, begin + static_cast<std::ptrdiff_t>(points)}));
  }
  panel.series.push_back(
      plot_line("observed", io::Mark::points, kObserved, view.t_observed, view.y));
  return panel;
}

}  // namespace

std::vector<std::int64_t> shown_systems(const JudgedPoints& judged) {
  const auto systems = static_cast<std::size_t>(judged.test.x.rows);
  std::vector<double> error(systems, 0.0), count(systems, 0.0);
  for (std::size_t n = 0; n < judged.split.y.size(); ++n) {
    const auto i = static_cast<std::size_t>(judged.test.curve[n]);
    error[i] += std::abs(judged.split.y[n] - judged.split.judged.mean[n]);
    count[i] += 1;
  }
  std::vector<std::int64_t> order(systems);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    const auto i = static_cast<std::size_t>(a), j = static_cast<std::size_t>(b);
    return error[i] / count[i] < error[j] / count[j];
  });
  std::vector<std::int64_t> shown;
  for (const double share : {0.1, 0.5, 0.9}) {
    const auto at = order[static_cast<std::size_t>(share * static_cast<double>(systems - 1))];
    if (std::find(shown.begin(), shown.end(), at) == shown.end()) shown.push_back(at);
  }
  return shown;
}

std::string views_svg(const std::vector<CurveView>& views, const std::string& t_label) {
  io::Figure figure;
  figure.title = "Curves that were not learned from: small, middling and large errors";
  for (const CurveView& view : views) figure.panels.push_back(view_panel(view, t_label));
  return io::plot_svg(figure);
}

std::string point_residuals_svg(const std::vector<JudgedPoints>& all) {
  std::size_t values = 0, k = 0;
  for (const JudgedPoints& one : all) values += one.split.y.size();
  const std::size_t step = values / kMostPoints + 1;
  io::Panel panel;
  panel.title = "Residuals along " + all.front().test.coordinates.front();
  panel.x.label = all.front().test.coordinates.front();
  panel.y.label = "observed less expected";
  io::Series cloud = plot_line("", io::Mark::cloud, 0, {}, {});
  for (const JudgedPoints& one : all)
    for (std::size_t n = 0; n < one.split.y.size(); ++n, ++k)
      if (k % step == 0) {
        cloud.x.push_back(one.test.t[n * static_cast<std::size_t>(one.test.dimensions())]);
        cloud.y.push_back(one.split.y[n] - one.split.judged.mean[n]);
      }
  panel.series.push_back(std::move(cloud));
  io::Figure figure;
  figure.panels.push_back(std::move(panel));
  figure.panels.push_back(standardised_panel(splits_of(all)));
  return io::plot_svg(figure);
}

std::string point_predictions_csv(const std::vector<JudgedPoints>& all) {
  std::string text = "split,id";
  for (const std::string& name : all.front().test.coordinates) {
    text += ',';
    io::append_csv_cell(text, name);
  }
  text += ",observed,mean,std,std_with_noise\n";
  for (std::size_t s = 0; s < all.size(); ++s) {
    const JudgedPoints& one = all[s];
    const auto q = static_cast<std::size_t>(one.test.dimensions());
    for (std::size_t n = 0; n < one.split.y.size(); ++n) {
      text += fmt::format("{},", s + 1);
      io::append_csv_cell(text, one.test.x.name_of(one.test.curve[n]));
      io::append_csv_numbers(text, {one.test.t.data() + n * q, q});
      const double row[] = {one.split.y[n], one.split.judged.mean[n], one.split.judged.deviation[n],
                            one.split.judged.deviation_measured[n]};
      io::append_csv_numbers(text, row);
      text += '\n';
    }
  }
  return text;
}

std::vector<JudgedSplit> splits_of(const std::vector<JudgedPoints>& all) {
  std::vector<JudgedSplit> splits;
  for (const JudgedPoints& one : all) splits.push_back(one.split);
  return splits;
}

}  // namespace kronite::krfd
