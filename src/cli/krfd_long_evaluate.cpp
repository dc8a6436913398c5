// kronite krfd evaluate on curves with points of their own.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "base/fail.hpp"               // for fail
#include "cli/kmd_options.hpp"         // for DeviceOption
#include "cli/krfd_long.hpp"           // for LongOptions
#include "cli/krfd_options.hpp"        // for CurveOptions, HyperOptions, TuneOptions
#include "cli/terminal.hpp"            // for Table
#include "io/atomic_file.hpp"          // for write_file
#include "io/folder.hpp"               // for make_folder
#include "krfd/compare_irregular.hpp"  // for split_by_features, judge_points
#include "krfd/irregular_report.hpp"   // for JudgedPoints and the figures

namespace kronite::cli {
namespace {

/// Points at which a curve is drawn in the figure.
constexpr std::size_t kFinePoints = 80;

krfd::CurveView view_of(Device& on, const krfd::AnyModel& model, const krfd::LongCurves& test,
                        std::int64_t system, const LongEvaluation& how, std::uint64_t seed) {
  const krfd::LongCurves one = test.rows({system});
  std::vector<std::pair<double, double>> observed;
  for (std::size_t n = 0; n < one.y.size(); ++n) observed.emplace_back(one.t[n], one.y[n]);
  std::sort(observed.begin(), observed.end());
  krfd::CurveView view;
  view.name = one.x.name_of(0);
  for (const auto& [t, y] : observed) {
    view.t_observed.push_back(t);
    view.y.push_back(y);
  }
  const double low = observed.front().first, high = observed.back().first;
  const std::size_t points = low < high ? kFinePoints : 1;
  for (std::size_t k = 0; k < points; ++k)
    view.t.push_back(points == 1 ? low
                                 : low + (high - low) * static_cast<double>(k) /
                                             static_cast<double>(points - 1));
  const MatrixView<const double> t{view.t.data(), std::ssize(view.t), 1};
  krfd::MeanAndStd band = krfd::band_of(on, model, one.x.view(), t, {true});
  view.mean = std::move(band.mean);
  view.deviation_measured = std::move(band.std);
  if (how.draws > 0) {
    krfd::SampleOptions sample;
    sample.count = how.draws;
    sample.seed = seed;
    view.draws = krfd::draws_of(on, model, one.x.view(), t, sample);
  }
  return view;
}

void write(const LongEvaluation& how, const std::vector<krfd::JudgedPoints>& all,
           const std::vector<krfd::CurveView>& views) {
  const auto path = [&](const char* name) {
    return (std::filesystem::path(how.out) / name).string();
  };
  const std::vector<krfd::JudgedSplit> splits = krfd::splits_of(all);
  io::write_file(path("metrics.csv"), krfd::metrics_csv(splits));
  io::write_file(path("predictions.csv"), krfd::point_predictions_csv(all));
  io::write_file(path("parity.svg"), krfd::parity_svg(splits));
  io::write_file(path("residuals.svg"), krfd::point_residuals_svg(all));
  if (!views.empty())
    io::write_file(path("curves.svg"),
                   krfd::views_svg(views, all.front().test.coordinates.front()));
  fmt::print("{}: metrics.csv, predictions.csv, parity.svg, residuals.svg{}\n", how.out,
             views.empty() ? "" : ", curves.svg");
}

}  // namespace

void evaluate_long(const CurveOptions& files, const HyperOptions& hyper, const TuneOptions& tuning,
                   const DeviceOption& device, const LongEvaluation& how) {
  const LongOptions& own = files.own;
  krfd::IrregularSettings settings = own.settings(hyper);
  const krfd::LongCurves curves = own.read(files.x);
  const std::vector<double> grid = own.grid_for(curves);
  std::vector<krfd::Split> parts;
  if (!how.test_ids.empty())
    parts.push_back(krfd::named_split(curves.x.names, curves.x.path, how.test_ids));
  else
    for (int s = 0; s < how.splits; ++s)
      parts.push_back(krfd::split_by_features(curves.x.view(), how.test_share,
                                              tuning.seed + static_cast<std::uint64_t>(s)));
  if (!how.out.empty()) io::make_folder(how.out);
  Device on =
      device.open(irregular_work(std::ssize(curves.y), curves.x.rows, std::ssize(grid)) * 100);
  std::vector<krfd::JudgedPoints> all;
  std::vector<krfd::CurveView> views;
  Table table({"split", "systems", "measurements", "MAE", "RMSE", "R2", "correlation^2", "in 68 %",
               "in 95 %"});
  for (const krfd::Split& split : parts) {
    stop_if_interrupted();
    const krfd::LongCurves train = curves.rows(split.train);
    if (!own.any(hyper) && (all.empty() || !how.tune_once))
      settings = tune_long(on, train, grid, own, hyper, tuning).best;
    const krfd::AnyModel model = krfd::fit_settings(on, train, grid, settings);
    krfd::JudgedPoints judged{{}, curves.rows(split.test)};
    judged.split.names = judged.test.x.names;
    judged.split.y = judged.test.y;
    judged.split.judged = krfd::judge_points(on, model, judged.test);
    const krfd::Judged& j = judged.split.judged;
    table.add({fmt::format("{}", all.size() + 1), fmt::format("{}", split.test.size()),
               fmt::format("{}", judged.test.y.size()), fmt::format("{:.4g}", j.errors.mae),
               fmt::format("{:.4g}", j.errors.rmse), fmt::format("{:.4f}", j.errors.r2),
               fmt::format("{:.4f}", j.errors.correlation2), fmt::format("{:.3f}", j.within_68),
               fmt::format("{:.3f}", j.within_95)});
    if (all.empty() && !how.out.empty() && curves.dimensions() == 1)
      for (const std::int64_t system : krfd::shown_systems(judged))
        views.push_back(view_of(on, model, judged.test, system, how, tuning.seed));
    all.push_back(std::move(judged));
  }
  table.print();
  print_means(krfd::splits_of(all));
  if (!own.any(hyper)) fmt::print("hyper-parameters of the last split: {}\n", as_options(settings));
  if (!how.out.empty()) write(how, all, views);
}

}  // namespace kronite::cli
