// Settings as TOML, and each method's way to its predictions.
#include "krfd/compare.hpp"

#include <chrono>
#include <limits>
#include <numeric>

#include "base/fail.hpp"          // for fail
#include "io/toml_table.hpp"      // for TomlTable
#include "math/kernel_names.hpp"  // for kernel_names

namespace kronite::krfd {
namespace {

std::vector<double> rows_of(MatrixView<const double> m, const std::vector<std::int64_t>& rows) {
  std::vector<double> values;
  for (const std::int64_t i : rows) values.insert(values.end(), m.row(i), m.row(i) + m.cols);
  return values;
}

/// The two parts of a split.
struct Parts {
  std::vector<double> x_values, y_values, x_test_values, y_test_values;
  MatrixView<const double> x, y, x_test, y_test, t;
  std::vector<std::int64_t> groups;  ///< of the systems to learn from; or empty

  Parts(MatrixView<const double> all_x, MatrixView<const double> all_t,
        MatrixView<const double> all_y, const Split& split,
        const std::vector<std::int64_t>& all_groups)
      : x_values(rows_of(all_x, split.train)),
        y_values(rows_of(all_y, split.train)),
        x_test_values(rows_of(all_x, split.test)),
        y_test_values(rows_of(all_y, split.test)),
        x(x_values.data(), std::ssize(split.train), all_x.cols),
        y(y_values.data(), std::ssize(split.train), all_y.cols),
        x_test(x_test_values.data(), std::ssize(split.test), all_x.cols),
        y_test(y_test_values.data(), std::ssize(split.test), all_y.cols),
        t(all_t) {
    if (all_groups.empty()) return;
    for (const std::int64_t row : split.train)
      groups.push_back(all_groups[static_cast<std::size_t>(row)]);
  }
};

/// Of the search by cross-validation.
constexpr int kSearchFolds = 5;

Judged by_evidence(Device& device, const Parts& parts, const CompareSettings& settings,
                   const Progress& progress) {
  EvidenceTuning tuning;
  tuning.start.g.kind = tuning.start.m.kind = settings.kernel_x;
  tuning.start.t.kind = settings.kernel_t;
  tuning.starts = settings.starts;
  tuning.seed = settings.seed;
  tuning.progress = progress;
  const std::int64_t n = parts.x.rows;
  std::vector<std::int64_t> rows(static_cast<std::size_t>(n));
  std::iota(rows.begin(), rows.end(), 0);
  if (settings.tune_on > 0 && settings.tune_on < n)
    rows = random_split(n, static_cast<double>(settings.tune_on) / static_cast<double>(n),
                        settings.seed)
               .test;
  const std::vector<double> x = rows_of(parts.x, rows), y = rows_of(parts.y, rows);
  const EvidenceTuned tuned =
      tune_by_evidence(device, {x.data(), std::ssize(rows), parts.x.cols}, parts.t,
                       {y.data(), std::ssize(rows), parts.y.cols}, tuning);
  const Model model = fit(device, parts.x, parts.t, parts.y, tuned.best.hyper);
  return judge(device, model, parts.x_test, parts.y_test);
}

Judged by_cross_validation(Device& device, const Parts& parts, const CompareSettings& settings,
                           const Progress& progress) {
  SearchOptions search;
  search.trials = settings.trials;
  search.seed = settings.seed;
  search.progress = progress;
  if (!parts.groups.empty())
    search.fold = random_folds_of(parts.groups, parts.x.rows, kSearchFolds, settings.seed);
  const SearchResult found = tune_by_cross_validation(device, parts.x, parts.t, parts.y, search);
  const Model model = fit(device, parts.x, parts.t, parts.y, found.hyper);
  return judge(device, model, parts.x_test, parts.y_test);
}

Judged by_krr(Device& device, const Parts& parts, const CompareSettings& settings, bool per_point) {
  KrrSearch search;
  search.kernel = settings.krr_kernel;
  search.sigmas = settings.krr_sigmas;
  search.lambdas = settings.krr_lambdas;
  search.per_point = per_point;
  const auto fold = random_folds_of(parts.groups, parts.x.rows, settings.krr_folds, settings.seed);
  search.fold.assign(fold.begin(), fold.end());
  const KrrTuned tuned = tune_krr(device, parts.x, parts.y, search);
  return judge_means(tuned.model.predict(device, parts.x_test), parts.y_test);
}

/// Mean absolute error of FLM on systems that it has not learned from.
double flm_error(Device& device, const Parts& parts, const FlmOptions& options,
                 const std::vector<std::int32_t>& fold, int folds) {
  double sum = 0;
  for (int k = 0; k < folds; ++k) {
    Split split;
    for (std::int64_t row = 0; row < parts.x.rows; ++row)
      (fold[static_cast<std::size_t>(row)] == k ? split.test : split.train).push_back(row);
    const Parts some(parts.x, parts.t, parts.y, split, {});
    const FlmModel model = fit_flm(device, some.x, some.t, some.y, options);
    sum += judge_means(model.predict(device, some.x_test, some.t), some.y_test).errors.mae *
           static_cast<double>(some.x_test.rows);
  }
  return sum / static_cast<double>(parts.x.rows);
}

Judged by_flm(Device& device, const Parts& parts, const CompareSettings& settings,
              const Progress& progress) {
  FlmOptions options = settings.flm;
  double least = std::numeric_limits<double>::infinity();
  const auto fold = random_folds_of(parts.groups, parts.x.rows, settings.flm_folds, settings.seed);
  long long tried = 0;
  for (const double lambda : settings.flm_lambdas) {
    FlmOptions now = settings.flm;
    now.lambda = lambda;
    const double error = flm_error(device, parts, now, fold, settings.flm_folds);
    if (error < least) {
      least = error;
      options = now;
    }
    if (!progress(++tried, 0)) fail(Errc::cancelled, "the comparison was stopped");
  }
  const FlmModel model = fit_flm(device, parts.x, parts.t, parts.y, options);
  return judge_means(model.predict(device, parts.x_test, parts.t), parts.y_test);
}

}  // namespace

void ComparedMethods::run(const std::string& method,
                          const std::function<Judged(const Progress&)>& judged_by) {
  const auto step = [&](long long done, long long) {
    return !progress_ ||
           progress_(done == 0 ? method : fmt::format("{}, {} evaluations", method, done));
  };
  if (!step(0, 0)) fail(Errc::cancelled, "the comparison was stopped");
  const auto begun = std::chrono::steady_clock::now();
  const Judged judged = judged_by(step);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  all_.push_back({method, split_, judged.errors, judged.within_68, judged.within_95, took.count()});
}

void read_kernel(io::TomlTable& table, const char* key, KernelKind& kind) {
  auto number = static_cast<std::size_t>(kind);
  table.read(key, number, math::kernel_names());
  kind = static_cast<KernelKind>(number);
}

CompareSettings read_compare_settings(const std::string& path) {
  constexpr double kMany = 1e9, kLarge = 1e12;
  CompareSettings s;
  io::TomlTable file = io::TomlTable::open(path);
  io::TomlTable data = file.table("data");
  data.read("x", s.x);
  data.read("y", s.y);
  data.read("t", s.t);
  data.read("systems", s.systems, {4, kMany});
  data.read("points", s.points, {1, kMany});
  data.read("seed", s.data_seed);
  data.finish();
  if (s.x.empty() != s.y.empty() || s.x.empty() != s.t.empty())
    fail(Errc::parse, "{}: x, y and t belong together", data.where("x"));
  io::TomlTable splits = file.table("splits");
  splits.read("count", s.splits, {1, kMany});
  splits.read("test_share", s.test_share, {1e-6, 1 - 1e-6});
  splits.read("seed", s.seed);
  splits.read("groups", s.groups);
  splits.finish();
  io::TomlTable krfd = file.table("krfd");
  read_kernel(krfd, "kernel_x", s.kernel_x);
  read_kernel(krfd, "kernel_t", s.kernel_t);
  krfd.read("starts", s.starts, {1, 1000});
  krfd.read("tune_on", s.tune_on, {0, kMany});
  krfd.read("trials", s.trials, {0, kMany});
  krfd.finish();
  io::TomlTable krr = file.table("krr");
  read_kernel(krr, "kernel", s.krr_kernel);
  krr.read("sigmas", s.krr_sigmas, {1 / kLarge, kLarge}, 1, 1000);
  krr.read("lambdas", s.krr_lambdas, {1 / kLarge, kLarge}, 1, 1000);
  krr.read("folds", s.krr_folds, {2, kMany});
  krr.finish();
  io::TomlTable flm = file.table("flm");
  flm.read("sigma_t", s.flm.sigma_t, {1 / kLarge, kLarge});
  flm.read("lambda", s.flm.lambda, {1 / kLarge, kLarge});
  flm.read("lambdas", s.flm_lambdas, {1 / kLarge, kLarge}, 1, 1000);
  flm.read("folds", s.flm_folds, {2, kMany});
  flm.finish();
  file.finish();
  return s;
}

std::vector<ComparedSplit> compare_on(Device& device, const CompareSettings& settings,
                                      MatrixView<const double> x, MatrixView<const double> t,
                                      MatrixView<const double> y,
                                      const std::vector<std::int64_t>& groups, int split,
                                      const std::function<bool(const std::string&)>& progress) {
  const Parts parts(x, t, y,
                    random_split(x.rows, settings.test_share,
                                 settings.seed + static_cast<std::uint64_t>(split), groups),
                    groups);
  ComparedMethods all(split + 1, progress);
  all.run("KRFD, evidence",
          [&](const Progress& step) { return by_evidence(device, parts, settings, step); });
  if (settings.trials > 0)
    all.run("KRFD, cross-validation", [&](const Progress& step) {
      return by_cross_validation(device, parts, settings, step);
    });
  all.run("KRRs, one setting",
          [&](const Progress&) { return by_krr(device, parts, settings, false); });
  all.run("KRRs, tuned at each point",
          [&](const Progress&) { return by_krr(device, parts, settings, true); });
  all.run("FLM", [&](const Progress& step) { return by_flm(device, parts, settings, step); });
  return all.take();
}

}  // namespace kronite::krfd
