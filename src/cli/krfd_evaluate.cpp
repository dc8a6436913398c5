// kronite krfd evaluate: how well curves are predicted that were not learned from.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>

#include "base/fail.hpp"               // for fail
#include "cli/kmd_options.hpp"         // for DeviceOption
#include "cli/krfd.hpp"                // for add_krfd_evaluate
#include "cli/krfd_options.hpp"        // for CurveOptions, HyperOptions, TuneOptions
#include "cli/terminal.hpp"            // for Table, print_message
#include "io/atomic_file.hpp"          // for write_file
#include "io/folder.hpp"               // for make_folder
#include "krfd/compare_irregular.hpp"  // for named_split
#include "krfd/judge_report.hpp"       // for JudgedSplit and the figures
#include "krfd/learning_curve.hpp"     // for LearningPoint

namespace kronite::cli {
namespace {

struct EvaluateCommand {
  CurveOptions files;
  HyperOptions hyper;
  TuneOptions tuning;
  DeviceOption device;
  std::string test_ids, groups, out;
  std::vector<std::int64_t> curve;  ///< numbers of systems, of the learning curve
  int splits = 5, draws = 5;
  double test_share = 0.25;
  bool tune_once = false;

  void run() const;

 private:
  std::vector<krfd::Split> make_splits(const Curves& curves) const;
  krfd::Split named_split(const Curves& curves) const;
  krfd::JudgedSplit judged(Device& on, const Curves& curves, const krfd::Split& split,
                           const krfd::Hyperparameters& h, bool draw) const;
  std::vector<krfd::LearningPoint> learning_curve(Device& on, const Curves& curves,
                                                  const krfd::Split& split,
                                                  const krfd::JudgedSplit& whole,
                                                  const krfd::Hyperparameters& h, int number) const;
  void write(const Curves& curves, const std::vector<krfd::JudgedSplit>& all,
             const std::vector<krfd::LearningPoint>& learned) const;
};

krfd::Split EvaluateCommand::named_split(const Curves& curves) const {
  const auto& names = curves.x.names.empty() ? curves.y.names : curves.x.names;
  if (names.empty())
    fail(Errc::invalid_argument,
         "--test-ids is for tables with names of systems; {} and {} have none", curves.x.path,
         curves.y.path);
  return krfd::named_split(names, curves.x.path, test_ids);
}

std::vector<krfd::Split> EvaluateCommand::make_splits(const Curves& curves) const {
  if (!test_ids.empty()) return {named_split(curves)};
  std::vector<std::int64_t> group;
  if (!groups.empty()) group = krfd::read_groups(groups, curves.x.rows);
  std::vector<krfd::Split> all;
  for (int s = 0; s < splits; ++s)
    all.push_back(krfd::random_split(curves.x.rows, test_share,
                                     tuning.seed + static_cast<std::uint64_t>(s), group));
  return all;
}

krfd::JudgedSplit EvaluateCommand::judged(Device& on, const Curves& curves,
                                          const krfd::Split& split, const krfd::Hyperparameters& h,
                                          bool draw) const {
  const Curves train = curves.rows(split.train), test = curves.rows(split.test);
  const krfd::Model model =
      krfd::fit(on, train.x.view(), train.t.view(), train.y.view(), h, hyper.fit_options());
  krfd::JudgedSplit result;
  for (std::int64_t i = 0; i < test.x.rows; ++i)
    result.names.push_back(test.x.names.empty() ? test.y.name_of(i) : test.x.name_of(i));
  result.y = test.y.values;
  result.judged = krfd::judge(on, model, test.x.view(), test.y.view());
  if (draw && draws > 0 && !out.empty()) {
    krfd::SampleOptions sample;
    sample.count = draws;
    sample.seed = tuning.seed;
    result.draws = model.sample(on, test.x.view(), test.t.view(), sample);
  }
  return result;
}

/// The same test part, by models that have learned from fewer systems.
std::vector<krfd::LearningPoint> EvaluateCommand::learning_curve(Device& on, const Curves& curves,
                                                                 const krfd::Split& split,
                                                                 const krfd::JudgedSplit& whole,
                                                                 const krfd::Hyperparameters& h,
                                                                 int number) const {
  std::vector<krfd::LearningPoint> points;
  const auto add = [&](std::int64_t systems, const krfd::Judged& judged) {
    points.push_back({systems, number, judged.errors, judged.within_68, judged.within_95});
  };
  for (const std::int64_t size : curve) {
    stop_if_interrupted();
    krfd::Split part{krfd::learning_part(split.train, size, tuning.seed), split.test};
    const bool tuned = !hyper.any() && !tune_once;
    add(size, judged(on, curves, part,
                     tuned ? tune_by_evidence(on, curves.rows(part.train), hyper, tuning).hyper : h,
                     false)
                  .judged);
  }
  add(std::ssize(split.train), whole.judged);
  return points;
}

/// Mean and standard deviation over the splits for each number of systems.
void print_learning_curve(const std::vector<krfd::LearningPoint>& points) {
  std::map<std::int64_t, std::vector<const krfd::LearningPoint*>> of_size;
  for (const krfd::LearningPoint& point : points) of_size[point.systems].push_back(&point);
  Table table({"learned from", "MAE", "RMSE", "R2", "in 68 %", "in 95 %"});
  for (const auto& [systems, some] : of_size) {
    const auto cell = [&](const auto& value, const char* format) {
      std::vector<double> values;
      for (const krfd::LearningPoint* point : some) values.push_back(value(*point));
      return fmt::format(fmt::runtime(format), krfd::over_splits(values).mean);
    };
    table.add({fmt::format("{}", systems),
               cell([](const auto& p) { return p.errors.mae; }, "{:.4g}"),
               cell([](const auto& p) { return p.errors.rmse; }, "{:.4g}"),
               cell([](const auto& p) { return p.errors.r2; }, "{:.4f}"),
               cell([](const auto& p) { return p.within_68; }, "{:.3f}"),
               cell([](const auto& p) { return p.within_95; }, "{:.3f}")});
  }
  table.print();
}

void EvaluateCommand::write(const Curves& curves, const std::vector<krfd::JudgedSplit>& all,
                            const std::vector<krfd::LearningPoint>& learned) const {
  const auto path = [&](const char* name) { return (std::filesystem::path(out) / name).string(); };
  io::write_file(path("metrics.csv"), krfd::metrics_csv(all));
  io::write_file(path("predictions.csv"), krfd::predictions_csv(all, point_names(curves.t.view())));
  io::write_file(path("parity.svg"), krfd::parity_svg(all));
  if (curves.t.cols == 1) {
    io::write_file(path("curves.svg"), krfd::curves_svg(all.front(), curves.t.values));
    io::write_file(path("residuals.svg"), krfd::residuals_svg(all, curves.t.values));
  }
  if (!learned.empty()) {
    io::write_file(path("learning_curve.csv"), krfd::learning_curve_csv(learned));
    io::write_file(path("learning_curve.svg"), krfd::learning_curve_svg(learned));
  }
  fmt::print("{}: metrics.csv, predictions.csv, parity.svg{}{}\n", out,
             curves.t.cols == 1 ? ", curves.svg, residuals.svg" : "",
             learned.empty() ? "" : ", learning_curve.csv, learning_curve.svg");
}

void EvaluateCommand::run() const {
  if (files.own.given()) {
    if (!groups.empty() || !curve.empty())
      fail(Errc::invalid_argument, "{} is for curves at common points",
           groups.empty() ? "--learning-curve" : "--groups");
    return evaluate_long(files, hyper, tuning, device,
                         {test_ids, out, splits, draws, test_share, tune_once});
  }
  const Curves curves = files.read();
  const std::vector<krfd::Split> parts = make_splits(curves);
  if (!out.empty()) io::make_folder(out);
  Device on = device.open(fit_work(curves.x.rows, curves.t.rows) * 100);
  std::vector<krfd::JudgedSplit> all;
  std::vector<krfd::LearningPoint> learned;
  Table table({"split", "systems", "MAE", "RMSE", "R2", "correlation^2", "in 68 %", "in 95 %",
               "sigma_g", "sigma_t", "sigma_m"});
  krfd::Hyperparameters h = hyper.hyper();
  for (const krfd::Split& split : parts) {
    stop_if_interrupted();
    if (!hyper.any() && (all.empty() || !tune_once))
      h = tune_by_evidence(on, curves.rows(split.train), hyper, tuning).hyper;
    all.push_back(judged(on, curves, split, h, all.empty()));
    if (!curve.empty()) {
      const auto more =
          learning_curve(on, curves, split, all.back(), h, static_cast<int>(all.size()));
      learned.insert(learned.end(), more.begin(), more.end());
    }
    const krfd::Judged& j = all.back().judged;
    table.add({fmt::format("{}", all.size()), fmt::format("{}", split.test.size()),
               fmt::format("{:.4g}", j.errors.mae), fmt::format("{:.4g}", j.errors.rmse),
               fmt::format("{:.4f}", j.errors.r2), fmt::format("{:.4f}", j.errors.correlation2),
               fmt::format("{:.3f}", j.within_68), fmt::format("{:.3f}", j.within_95),
               lengths_text(h.g), lengths_text(h.t), lengths_text(h.m)});
  }
  table.print();
  print_means(all);
  if (!learned.empty()) print_learning_curve(learned);
  if (!out.empty()) write(curves, all, learned);
}

}  // namespace

void add_krfd_evaluate(CLI::App& krfd) {
  CLI::App* app = krfd.add_subcommand(
      "evaluate",
      "Splits systems at random, fits one part, predicts the other: errors, how many measured\n"
      "values lie in the bands, figures. Hyper-parameters are those of largest evidence on each\n"
      "part to learn from, or those given. With --long, systems of equal features stay in one "
      "part");
  const auto command = std::make_shared<EvaluateCommand>();
  command->files.add(*app);
  CLI::Option* splits = app->add_option("--splits", command->splits, "Random splits")
                            ->check(CLI::Range(1, 100000).description(""))
                            ->type_name("N")
                            ->capture_default_str();
  app->add_option("--test-share", command->test_share, "Share of the systems to test on")
      ->check(CLI::Range(1e-6, 1 - 1e-6).description(""))
      ->type_name("P")
      ->capture_default_str();
  app->add_option("--test-ids", command->test_ids,
                  "Instead: test on these systems, a name a line, and learn from the others")
      ->excludes(splits)
      ->type_name("FILE");
  app->add_option("--groups", command->groups,
                  "Systems of one group fall into one part: the name of a group on each line, in\n"
                  "the order of the systems")
      ->check(CLI::ExistingFile.description(""))
      ->excludes("--test-ids")
      ->type_name("FILE");
  app->add_option("--learning-curve", command->curve,
                  "Also learn from so many of the systems, such as 50,100,200, and predict the\n"
                  "same others")
      ->delimiter(',')
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40).description(""))
      ->type_name("N[,N...]");
  app->add_flag("--tune-once", command->tune_once,
                "Take the hyper-parameters of the first split for all of them");
  command->hyper.add(*app);
  command->tuning.add(*app);
  app->add_option("--draws", command->draws, "Functions from the posterior in the figure of curves")
      ->check(CLI::Range(0, 1000).description(""))
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--out", command->out, "Folder for tables (.csv) and figures (.svg)")
      ->type_name("DIR");
  command->device.add(*app);
  app->footer(
      "Examples: kronite krfd evaluate --x curves/X.csv --y curves/Y.csv --t curves/t.csv \\\n"
      "            --splits 5 --out judged\n"
      "          kronite krfd evaluate --x curves/X.csv --long curves/long.csv --out judged");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
