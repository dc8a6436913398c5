// What the commands of functional regression share: tables of curves, hyper-parameters, tuning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/krfd_long.hpp"      // for LongOptions
#include "io/matrix_table.hpp"    // for MatrixTable
#include "krfd/judge_report.hpp"  // for JudgedSplit
#include "kronite/device.hpp"     // for Device
#include "kronite/krfd.hpp"       // for Hyperparameters, FitOptions

namespace CLI {
class App;
}

namespace kronite::cli {

/// Systems and the curve of each, at common points.
struct Curves {
  io::MatrixTable x, y, t;
  /// These rows of x and y, in this order.
  Curves rows(const std::vector<std::int64_t>& some) const;
};

/// --x, and --y and --t or --long.
struct CurveOptions {
  std::string x, y, t;
  LongOptions own{};  ///< points of their own

  void add(CLI::App& command);
  /// Curves at common points. @throws Error io; parse; invalid_argument when rows or columns do not
  /// fit each other.
  Curves read() const;
};

/// --kernel-x, --sigma-g, --lambda-g, --noise-rule and the like.
struct HyperOptions {
  std::optional<std::string> kernel_x, kernel_t;
  std::string noise_rule = "map";
  std::string sigma_g, sigma_t, sigma_m;  ///< numbers with commas between them; empty: not given
  std::optional<double> lambda_g, lambda_t, lambda_m;
  double alpha = 1, beta = 1;

  void add(CLI::App& command);
  /// Whether one of the six numbers was given.
  bool any() const;
  /// What was given, and the defaults of the library for the rest.
  krfd::Hyperparameters hyper() const;
  krfd::FitOptions fit_options() const;
};

/// --starts, --ard, --trials, --folds, --journal, --seed, --tune-on.
struct TuneOptions {
  int starts = 3, trials = 300, folds = 5;
  bool ard = false;
  std::string journal;
  std::uint64_t seed = 0;
  std::int64_t tune_on = 0;

  void add(CLI::App& command);
  /// With --ard as many length scales of X as there are columns, where one is given.
  void widen(krfd::Hyperparameters& hyper, std::int64_t columns) const;
};

struct Tuned {
  krfd::Hyperparameters hyper;
  std::string how;  ///< "evidence, log p = -13357.6 after 84 evaluations on 750 systems"
  krfd::EvidenceTuned evidence;
  std::optional<krfd::SearchResult> search;
};

/// With a line of progress; Ctrl-C ends it. @throws Error as the library; cancelled.
Tuned tune_by_evidence(Device& device, const Curves& curves, const HyperOptions& hyper,
                       const TuneOptions& options);
Tuned tune_by_cross_validation(Device& device, const Curves& curves, const HyperOptions& hyper,
                               const TuneOptions& options);

/// "--kernel-x gaussian --sigma-g 1.96 ...": what makes the same hyper-parameters again.
std::string as_options(const krfd::Hyperparameters& hyper);
/// Reads back exactly.
std::string number_text(double value);
/// Mean and standard deviation over splits, where there are several.
void print_means(const std::vector<krfd::JudgedSplit>& splits);
/// "1.963", or the least and the most of several: "0.52 to 8.1 (5)".
std::string lengths_text(const krfd::Kernel& kernel);

/// One name for each point: "0.04", of several coordinates "0.04;1".
std::vector<std::string> point_names(MatrixView<const double> t);

/// Operations of one evaluation of the evidence, or of one fit with bands.
double fit_work(std::int64_t systems, std::int64_t points);

/// Ends with Errc::cancelled after Ctrl-C.
void stop_if_interrupted();

}  // namespace kronite::cli
