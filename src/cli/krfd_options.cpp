// Options that several commands of functional regression have.
#include "cli/krfd_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/fail.hpp"          // for fail
#include "base/printable.hpp"     // for printable
#include "cli/terminal.hpp"       // for ProgressLine
#include "io/csv.hpp"             // for append_csv_numbers
#include "math/kernel_names.hpp"  // for kernel_names, name_of
#include "math/random.hpp"        // for Random

namespace kronite::cli {
namespace {

/// Evaluations of the evidence that one start takes, more or less; for the line of progress.
constexpr int kEvaluationsOfAStart = 60;

KernelKind kind_of(const std::optional<std::string>& name) {
  if (!name) return KernelKind::gaussian;
  const auto& names = math::kernel_names();
  return static_cast<KernelKind>(std::find(names.begin(), names.end(), *name) - names.begin());
}

/// Why a text is no list of length scales; empty when it is one.
std::string check_lengths(const std::string& text) {
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    double value = 0;
    const auto [stop, error] = std::from_chars(text.data() + begin, text.data() + end, value);
    if (error != std::errc() || stop != text.data() + end || !(value > 0) || !std::isfinite(value))
      return fmt::format("\"{}\" is no number above 0, nor several with commas between them",
                         printable(text));
    begin = end + 1;
  }
  return "";
}

void read_lengths(const std::string& text, krfd::Kernel& kernel) {
  if (text.empty()) return;
  kernel.length_scales.clear();
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    double value = 0;
    std::from_chars(text.data() + begin, text.data() + end, value);
    kernel.length_scales.push_back(value);
    begin = end + 1;
  }
}

/// Some of the systems for tuning, drawn at random; all where none is asked for.
Curves tuned_on(const Curves& curves, const TuneOptions& options) {
  if (options.tune_on == 0 || options.tune_on >= curves.x.rows) return curves;
  std::vector<std::int64_t> rows(static_cast<std::size_t>(curves.x.rows));
  std::iota(rows.begin(), rows.end(), 0);
  math::Random(options.seed).shuffle(std::span<std::int64_t>(rows));
  rows.resize(static_cast<std::size_t>(options.tune_on));
  std::sort(rows.begin(), rows.end());
  return curves.rows(rows);
}

}  // namespace

Curves Curves::rows(const std::vector<std::int64_t>& some) const {
  return {x.rows_of(some), y.rows_of(some), t};
}

void CurveOptions::add(CLI::App& command) {
  command
      .add_option("--x", x,
                  "Features, a row for each system: .csv with a header and, if you like, a first\n"
                  "column called id, name or formula; or .npy")
      ->required()
      ->type_name("FILE");
  CLI::Option* of_y =
      command.add_option("--y", y, "Curves, a row for each system and a column for each point");
  CLI::Option* of_t = command.add_option(
      "--t", t, "Points, a row for each column of --y: one coordinate or several");
  of_y->type_name("FILE");
  of_t->type_name("FILE");
  own.add(command)->excludes(of_y)->excludes(of_t);
}

Curves CurveOptions::read() const {
  if (y.empty() || t.empty())
    fail(Errc::invalid_argument,
         "--y and --t are expected, or --long for curves with points of their own");
  Curves curves{io::read_matrix_table(x), io::read_matrix_table(y), io::read_matrix_table(t)};
  if (curves.x.rows != curves.y.rows)
    fail(Errc::invalid_argument, "{} has {} systems, and {} has {} curves", x, curves.x.rows, y,
         curves.y.rows);
  if (curves.t.rows != curves.y.cols)
    fail(Errc::invalid_argument, "{} has {} points, and the curves of {} have {} values", t,
         curves.t.rows, y, curves.y.cols);
  if (!curves.x.names.empty() && !curves.y.names.empty())
    for (std::int64_t i = 0; i < curves.x.rows; ++i)
      if (curves.x.name_of(i) != curves.y.name_of(i))
        fail(Errc::invalid_argument, "{} is {} here and {} in {}; rows of both belong together",
             curves.y.where(i), printable(curves.y.name_of(i)), printable(curves.x.name_of(i)), x);
  return curves;
}

void HyperOptions::add(CLI::App& command) {
  const auto kernel = [&](const char* name, std::optional<std::string>& value, const char* help) {
    command.add_option(name, value, help)
        ->check(CLI::IsMember(math::kernel_names()).description(""))
        ->type_name(fmt::format("{}", fmt::join(math::kernel_names(), "|")));
  };
  kernel("--kernel-x", kernel_x,
         "Kernel function of the features [gaussian; cross-validation tries laplacian too]");
  kernel("--kernel-t", kernel_t, "Kernel function of the points [the same]");
  const auto lengths = [&](const char* name, std::string& value, const char* help) {
    command.add_option(name, value, help)->check(check_lengths)->type_name("S[,S...]");
  };
  lengths("--sigma-g", sigma_g,
          "Length scale of the features for the variation along t [1]; several with commas:\n"
          "one for each feature");
  lengths("--sigma-t", sigma_t, "Length scale of the points [1]");
  lengths("--sigma-m", sigma_m, "Length scale of the features for the constant of a system [1]");
  const auto lambda = [&](const char* name, std::optional<double>& value, const char* help) {
    command.add_option(name, value, help)
        ->check(CLI::PositiveNumber.description(""))
        ->type_name("L");
  };
  lambda("--lambda-g", lambda_g, "Penalty along the features [1/16]");
  lambda("--lambda-t", lambda_t, "Penalty along the points [1/16]");
  lambda("--lambda-m", lambda_m, "Penalty of the constants [1/16]");
  command
      .add_option("--noise-rule", noise_rule,
                  "Variance of the noise: map, the mode that the original program takes, or\n"
                  "conjugate, its mean for hyper-parameters of large evidence")
      ->check(CLI::IsMember({"map", "conjugate"}).description(""))
      ->type_name("map|conjugate")
      ->capture_default_str();
  command.add_option("--alpha", alpha, "Shape of the prior of that variance, inverse gamma")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("A")
      ->capture_default_str();
  command.add_option("--beta", beta, "Scale of that prior")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("B")
      ->capture_default_str();
}

bool HyperOptions::any() const {
  return !sigma_g.empty() || !sigma_t.empty() || !sigma_m.empty() || lambda_g || lambda_t ||
         lambda_m;
}

krfd::Hyperparameters HyperOptions::hyper() const {
  krfd::Hyperparameters h;
  h.g.kind = h.m.kind = kind_of(kernel_x);
  h.t.kind = kind_of(kernel_t);
  read_lengths(sigma_g, h.g);
  read_lengths(sigma_t, h.t);
  read_lengths(sigma_m, h.m);
  h.lambda_g = lambda_g.value_or(h.lambda_g);
  h.lambda_t = lambda_t.value_or(h.lambda_t);
  h.lambda_m = lambda_m.value_or(h.lambda_m);
  return h;
}

krfd::FitOptions HyperOptions::fit_options() const {
  krfd::FitOptions options;
  options.noise_prior = {alpha, beta};
  options.noise = noise_rule == "map" ? krfd::NoiseRule::map : krfd::NoiseRule::conjugate;
  return options;
}

void TuneOptions::add(CLI::App& command) {
  command.add_option("--starts", starts, "Climbs of the evidence from different starts")
      ->check(CLI::Range(1, 1000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command.add_flag("--ard", ard, "Evidence: a length scale of its own for each feature");
  command.add_option("--trials", trials, "Cross-validation: hyper-parameters to try in all")
      ->check(CLI::Range(1, 10000000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--folds", folds, "Cross-validation: parts that the systems fall into")
      ->check(CLI::Range(2, 1000000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option("--journal", journal,
                  "Cross-validation: its trials, a line each; where the file is there the search\n"
                  "goes on, and several processes may share it")
      ->type_name("FILE");
  command
      .add_option("--tune-on", tune_on,
                  "Tune on so many systems, drawn at random; 0: on all. The time grows with the\n"
                  "third power")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40).description(""))
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--seed", seed, "Seed of starts, trials and folds")
      ->type_name("N")
      ->capture_default_str();
}

void TuneOptions::widen(krfd::Hyperparameters& hyper, std::int64_t columns) const {
  if (!ard) return;
  for (krfd::Kernel* kernel : {&hyper.g, &hyper.m})
    if (kernel->length_scales.size() == 1)
      kernel->length_scales.assign(static_cast<std::size_t>(columns),
                                   kernel->length_scales.front());
}

Tuned tune_by_evidence(Device& device, const Curves& all, const HyperOptions& hyper,
                       const TuneOptions& options) {
  const Curves curves = tuned_on(all, options);
  krfd::EvidenceTuning tuning;
  tuning.start = hyper.hyper();
  options.widen(tuning.start, curves.x.cols);
  tuning.starts = options.starts;
  tuning.seed = options.seed;
  tuning.noise_prior = {hyper.alpha, hyper.beta};
  ProgressLine line("evaluating the evidence", true);
  const long long expected = static_cast<long long>(options.starts) * kEvaluationsOfAStart;
  tuning.progress = [&](long long done, long long) {
    return line(done, done < expected ? expected : 0);
  };
  Tuned tuned;
  tuned.evidence =
      krfd::tune_by_evidence(device, curves.x.view(), curves.t.view(), curves.y.view(), tuning);
  line.clear();
  tuned.hyper = tuned.evidence.best.hyper;
  int evaluations = 0;
  for (const auto& climb : tuned.evidence.climbs) evaluations += climb.evaluations;
  tuned.how = fmt::format("evidence, log p = {:.1f} after {} evaluations on {} systems",
                          tuned.evidence.best.log_evidence, evaluations, curves.x.rows);
  return tuned;
}

Tuned tune_by_cross_validation(Device& device, const Curves& all, const HyperOptions& hyper,
                               const TuneOptions& options) {
  if (hyper.any() || options.ard)
    fail(Errc::invalid_argument,
         "cross-validation searches everywhere, with one length scale for all features: leave out "
         "--sigma-..., --lambda-... and --ard");
  const Curves curves = tuned_on(all, options);
  if (curves.x.rows < 2)
    fail(Errc::invalid_argument, "{}: cross-validation takes two systems at least", curves.x.path);
  krfd::SearchOptions search;
  search.trials = options.trials;
  search.seed = options.seed;
  search.journal = options.journal;
  search.fold = krfd::random_folds(
      curves.x.rows, static_cast<int>(std::min<std::int64_t>(options.folds, curves.x.rows)),
      options.seed);
  ProgressLine line("trying hyper-parameters");
  search.progress = [&](long long done, long long total) { return line(done, total); };
  if (hyper.kernel_x) search.kinds_x = {kind_of(hyper.kernel_x)};
  if (hyper.kernel_t) search.kinds_t = {kind_of(hyper.kernel_t)};
  Tuned tuned;
  try {
    tuned.search = krfd::tune_by_cross_validation(device, curves.x.view(), curves.t.view(),
                                                  curves.y.view(), search);
  } catch (const Error& e) {
    if (e.code() != Errc::cancelled || options.journal.empty()) throw;
    fail(Errc::cancelled, "stopped; the finished trials are in {}, and the same command goes on",
         options.journal);
  }
  line.clear();
  tuned.hyper = tuned.search->hyper;
  tuned.how =
      fmt::format("cross-validation, MAE {:.6g} in trial {} of {} on {} systems", tuned.search->mae,
                  tuned.search->trial, tuned.search->trials, curves.x.rows);
  return tuned;
}

std::string number_text(double value) {
  std::string text;
  io::append_csv_numbers(text, {&value, 1});
  return text.substr(1);
}

std::string as_options(const krfd::Hyperparameters& h) {
  const auto lengths = [](const krfd::Kernel& kernel) {
    std::string text;
    for (const double length : kernel.length_scales)
      text += (text.empty() ? "" : ",") + number_text(length);
    return text;
  };
  return fmt::format(
      "--kernel-x {} --kernel-t {} --sigma-g {} --sigma-t {} --sigma-m {} --lambda-g {} "
      "--lambda-t {} --lambda-m {}",
      math::name_of(h.g.kind), math::name_of(h.t.kind), lengths(h.g), lengths(h.t), lengths(h.m),
      number_text(h.lambda_g), number_text(h.lambda_t), number_text(h.lambda_m));
}

void print_means(const std::vector<krfd::JudgedSplit>& splits) {
  if (splits.size() > 1) {
    std::vector<double> mae, rmse, r2;
    for (const auto& split : splits) {
      mae.push_back(split.judged.errors.mae);
      rmse.push_back(split.judged.errors.rmse);
      r2.push_back(split.judged.errors.r2);
    }
    const auto both = [](const std::vector<double>& values) {
      const auto m = krfd::over_splits(values);
      return fmt::format("{:.4g} ± {:.2g}", m.mean, m.deviation);
    };
    fmt::print("mean ± standard deviation: MAE {}, RMSE {}, R2 {}\n", both(mae), both(rmse),
               both(r2));
  }
}

std::string lengths_text(const krfd::Kernel& kernel) {
  const auto [low, high] =
      std::minmax_element(kernel.length_scales.begin(), kernel.length_scales.end());
  if (kernel.length_scales.size() == 1) return fmt::format("{:.4g}", *low);
  return fmt::format("{:.3g} to {:.3g} ({})", *low, *high, kernel.length_scales.size());
}

std::vector<std::string> point_names(MatrixView<const double> t) {
  std::vector<std::string> names;
  for (std::int64_t j = 0; j < t.rows; ++j) {
    std::string name;
    for (std::int64_t k = 0; k < t.cols; ++k)
      name += (k == 0 ? "" : ";") + number_text(t.row(j)[k]);
    names.push_back(name);
  }
  return names;
}

double fit_work(std::int64_t systems, std::int64_t points) {
  const auto n = static_cast<double>(systems), m = static_cast<double>(points);
  return 13 * n * n * n + 9 * m * m * m + 6 * n * m * (n + m);
}

void stop_if_interrupted() {
  if (interrupted()) fail(Errc::cancelled, "stopped");
}

}  // namespace kronite::cli
