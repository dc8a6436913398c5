// Each method's way to its predictions at the points of curves, and settings as TOML.
#include "krfd/compare_irregular.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/fail.hpp"      // for fail
#include "io/toml_table.hpp"  // for TomlTable
#include "kronite/functional_baselines.hpp"

namespace kronite::krfd {
namespace {

using Curve = std::vector<std::pair<double, double>>;

/// The two parts of a split, and the grid.
struct Parts {
  LongCurves train, test;
  const std::vector<double>& grid;

  MatrixView<const double> grid_view() const {
    return {grid.data(), std::ssize(grid) / train.dimensions(), train.dimensions()};
  }
  MatrixView<const double> y_test() const { return {test.y.data(), std::ssize(test.y), 1}; }
};

Judged by_evidence(Device& device, const Parts& parts, const IrregularCompareSettings& settings,
                   bool ridge, const Progress& progress) {
  EvidenceTuning tuning;
  tuning.starts = settings.starts;
  tuning.seed = settings.seed;
  tuning.tolerance = 1e-2;
  tuning.progress = progress;
  IrregularSettings start;
  start.ridge = ridge;
  const LongCurves some = some_systems(parts.train, settings.tune_on, settings.seed);
  const IrregularSettings best =
      tune_settings(device, some, parts.grid, suggested(start, some, parts.grid), tuning).best;
  return judge_points(device, fit_settings(device, parts.train, parts.grid, best), parts.test,
                      settings.complete && !ridge);
}

Judged by_krsfd(Device& device, const Parts& parts, const IrregularCompareSettings& settings) {
  IrregularSettings given;
  given.ridge = true;
  given.krsfd = settings.krsfd_given;
  return judge_points(device, fit_settings(device, parts.train, parts.grid, given), parts.test,
                      false);
}

/// The pair of least absolute error at the points of systems that are left out fold by fold.
Judged by_flm(Device& device, const Parts& parts, const IrregularCompareSettings& settings,
              const Progress& progress) {
  FlmOptions best;
  best.sigma_t = settings.flm_sigmas.front();
  best.lambda = settings.flm_lambdas.front();
  if (settings.flm_sigmas.size() * settings.flm_lambdas.size() > 1) {
    const auto fold = folds_by_features(parts.train.x.view(), settings.folds, settings.seed);
    const std::int64_t folds = *std::max_element(fold.begin(), fold.end()) + 1;
    if (folds < 2)
      fail(Errc::invalid_argument,
           "the functional linear model cannot be tuned: all systems that it learns from have the "
           "same features");
    std::vector<LongCurves> kept, left;
    for (std::int64_t f = 0; f < folds; ++f) {
      std::vector<std::int64_t> in, out;
      for (std::size_t i = 0; i < fold.size(); ++i)
        (fold[i] == f ? out : in).push_back(static_cast<std::int64_t>(i));
      kept.push_back(parts.train.rows(in));
      left.push_back(parts.train.rows(out));
    }
    double least = std::numeric_limits<double>::infinity();
    long long done = 0;
    for (const double sigma : settings.flm_sigmas)
      for (const double lambda : settings.flm_lambdas) {
        FlmOptions options;
        options.sigma_t = sigma;
        options.lambda = lambda;
        double error = 0;
        for (std::size_t f = 0; f < kept.size(); ++f) {
          const FlmModel model =
              fit_flm(device, kept[f].x.view(), kept[f].observations(), parts.grid_view(), options);
          const std::vector<double> at = model.predict(device, left[f].x.view(), left[f].points());
          for (std::size_t n = 0; n < at.size(); ++n) error += std::abs(at[n] - left[f].y[n]);
          if (!progress(++done, 0)) fail(Errc::cancelled, "the comparison was stopped");
        }
        if (error < least) {
          least = error;
          best = options;
        }
      }
  }
  const FlmModel model =
      fit_flm(device, parts.train.x.view(), parts.train.observations(), parts.grid_view(), best);
  return judge_means(model.predict(device, parts.test.x.view(), parts.test.points()),
                     parts.y_test());
}

/// Trained at the points of the grid on straight lines between observations, and read off between
/// them in the same way.
Judged by_krr(Device& device, const Parts& parts, const IrregularCompareSettings& settings,
              bool per_point) {
  std::vector<double> grid = parts.grid;
  std::sort(grid.begin(), grid.end());
  const std::vector<double> y = interpolated(parts.train, grid);
  KrrSearch search;
  search.sigmas = settings.krr_sigmas;
  search.lambdas = settings.krr_lambdas;
  search.per_point = per_point;
  search.fold = folds_by_features(parts.train.x.view(), settings.folds, settings.seed);
  const std::int64_t points = std::ssize(grid);
  const KrrTuned tuned =
      tune_krr(device, parts.train.x.view(), {y.data(), parts.train.x.rows, points}, search);
  const std::vector<double> predicted = tuned.model.predict(device, parts.test.x.view());
  std::vector<Curve> curves(static_cast<std::size_t>(parts.test.x.rows));
  for (std::size_t k = 0; k < predicted.size(); ++k)
    curves[k / grid.size()].emplace_back(grid[k % grid.size()], predicted[k]);
  std::vector<double> mean;
  for (std::size_t n = 0; n < parts.test.curve.size(); ++n)
    mean.push_back(
        value_between(curves[static_cast<std::size_t>(parts.test.curve[n])], parts.test.t[n]));
  return judge_means(std::move(mean), parts.y_test());
}

}  // namespace

bool is_irregular_comparison(const std::string& path) {
  io::TomlTable data = io::TomlTable::open(path).table("data");
  std::string long_table;
  bool sparse = false;
  data.read("long", long_table);
  data.read("sparse", sparse);
  return !long_table.empty() || sparse;
}

IrregularCompareSettings read_irregular_settings(const std::string& path) {
  constexpr double kMany = 1e9, kLarge = 1e12;
  const io::Range positive{1 / kLarge, kLarge};
  IrregularCompareSettings s;
  io::TomlTable file = io::TomlTable::open(path);
  io::TomlTable data = file.table("data");
  bool sparse = false;
  data.read("x", s.x);
  data.read("long", s.path);
  data.read("id_column", s.names.id);
  data.read("t_columns", s.names.t, 1, 1000);
  data.read("y_column", s.names.y);
  data.read("sparse", sparse);
  data.read("systems", s.systems, {4, kMany});
  data.read("seed", s.data_seed);
  data.read("grid", s.grid);
  data.read("grid_points", s.grid_points, {1, kMany});
  data.finish();
  if (s.x.empty() != s.path.empty())
    fail(Errc::parse, "{}: x and long belong together", data.where("long"));
  if (sparse && !s.path.empty())
    fail(Errc::parse, "{}: sparse asks for artificial curves, and long for those of a table",
         data.where("sparse"));
  io::TomlTable splits = file.table("splits");
  splits.read("count", s.splits, {1, kMany});
  splits.read("test_share", s.test_share, {1e-6, 1 - 1e-6});
  splits.read("seed", s.seed);
  splits.read("test_ids", s.test_ids);
  splits.finish();
  if (!s.test_ids.empty()) s.splits = 1;
  io::TomlTable tuning = file.table("tuning");
  tuning.read("krfd", s.krfd);
  tuning.read("krsfd", s.krsfd);
  tuning.read("starts", s.starts, {1, 1000});
  tuning.read("tune_on", s.tune_on, {0, kMany});
  tuning.read("folds", s.folds, {2, kMany});
  tuning.read("complete", s.complete);
  tuning.finish();
  io::TomlTable krsfd = file.table("krsfd");
  KrsfdOptions& o = s.krsfd_given;
  const double none = o.sigma_x;
  read_kernel(krsfd, "kernel_x", o.kernel_x);
  read_kernel(krsfd, "kernel_t", o.kernel_t);
  o.sigma_x = 0;
  krsfd.read("sigma_x", o.sigma_x, positive);
  s.given = o.sigma_x > 0;
  if (!s.given) o.sigma_x = none;
  krsfd.read("sigma_t", o.sigma_t, positive);
  krsfd.read("lambda", o.lambda, positive);
  krsfd.read("zero_ratio_x", o.zero_ratio_x, {0, 1 - 1e-12});
  krsfd.read("zero_ratio_t", o.zero_ratio_t, {0, 1 - 1e-12});
  krsfd.read("compat", o.compat);
  krsfd.finish();
  io::TomlTable krr = file.table("krr");
  krr.read("sigmas", s.krr_sigmas, positive, 1, 1000);
  krr.read("lambdas", s.krr_lambdas, positive, 1, 1000);
  krr.finish();
  io::TomlTable flm = file.table("flm");
  flm.read("sigmas_t", s.flm_sigmas, positive, 1, 1000);
  flm.read("lambdas", s.flm_lambdas, positive, 1, 1000);
  flm.finish();
  file.finish();
  return s;
}

std::vector<ComparedSplit> compare_irregular(
    Device& device, const IrregularCompareSettings& settings, const LongCurves& curves,
    const std::vector<double>& grid, const Split& split, int number,
    const std::function<bool(const std::string&)>& progress) {
  const Parts parts{curves.rows(split.train), curves.rows(split.test), grid};
  ComparedMethods all(number, progress);
  if (settings.krfd)
    all.run("KRFD, evidence", [&](const Progress& step) {
      return by_evidence(device, parts, settings, false, step);
    });
  if (settings.krsfd)
    all.run("KRSFD, evidence",
            [&](const Progress& step) { return by_evidence(device, parts, settings, true, step); });
  if (settings.given)
    all.run("KRSFD, as given", [&](const Progress&) { return by_krsfd(device, parts, settings); });
  all.run("FLM", [&](const Progress& step) { return by_flm(device, parts, settings, step); });
  if (curves.dimensions() > 1) return all.take();
  all.run("KRRs on interpolated curves, one setting",
          [&](const Progress&) { return by_krr(device, parts, settings, false); });
  all.run("KRRs on interpolated curves, tuned at each point",
          [&](const Progress&) { return by_krr(device, parts, settings, true); });
  return all.take();
}

}  // namespace kronite::krfd
