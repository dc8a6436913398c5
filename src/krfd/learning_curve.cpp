// Nested parts to learn from, and their table and figure.
#include "krfd/learning_curve.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <utility>

#include "base/fail.hpp"    // for fail
#include "io/csv.hpp"       // for append_csv_numbers
#include "io/plot.hpp"      // for plot_svg
#include "math/random.hpp"  // for Random

namespace kronite::krfd {
namespace {

/// Mean and area of one standard deviation of a number over the splits.
io::Series over_systems(const char* label, int colour, const std::vector<LearningPoint>& points,
                        double Errors::*error) {
  std::map<std::int64_t, std::vector<double>> of_size;
  for (const LearningPoint& point : points) of_size[point.systems].push_back(point.errors.*error);
  io::Series series;
  series.label = label;
  series.mark = io::Mark::line_and_points;
  series.colour = colour;
  for (const auto& [systems, values] : of_size) {
    const MeanAndDeviation both = over_splits(values);
    const double wide = std::isnan(both.deviation) ? 0 : both.deviation;
    series.x.push_back(static_cast<double>(systems));
    series.y.push_back(both.mean);
    series.low.push_back(both.mean - wide);
    series.high.push_back(both.mean + wide);
  }
  return series;
}

}  // namespace

std::vector<std::int64_t> learning_part(const std::vector<std::int64_t>& train, std::int64_t size,
                                        std::uint64_t seed) {
  if (size < 1 || size > std::ssize(train))
    fail(Errc::invalid_argument,
         "a point of the learning curve has {} systems; there are {} to learn from", size,
         train.size());
  std::vector<std::int64_t> rows = train;
  math::Random(seed).shuffle(std::span<std::int64_t>(rows));
  rows.resize(static_cast<std::size_t>(size));
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::string learning_curve_csv(const std::vector<LearningPoint>& points) {
  std::string text = "systems,split,MAE,RMSE,R2,correlation2,within_68,within_95\n";
  for (const LearningPoint& point : points) {
    text += fmt::format("{},{}", point.systems, point.split);
    for (const double value : {point.errors.mae, point.errors.rmse, point.errors.r2,
                               point.errors.correlation2, point.within_68, point.within_95})
      if (std::isnan(value))
        text += ',';
      else
        io::append_csv_numbers(text, {&value, 1});
    text += '\n';
  }
  return text;
}

std::string learning_curve_svg(const std::vector<LearningPoint>& points) {
  io::Panel panel;
  panel.title = "Errors on systems that were not learned from";
  panel.x = {"systems to learn from", 0, io::Axis::kAutomatic};
  panel.y = {"error", 0, io::Axis::kAutomatic};
  panel.series = {over_systems("MAE", 0, points, &Errors::mae),
                  over_systems("RMSE", 1, points, &Errors::rmse)};
  return io::plot_svg({"", {std::move(panel)}, 360, 240});
}

}  // namespace kronite::krfd
