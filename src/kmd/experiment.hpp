// Experiments: learners on descriptors of mixtures, over the same seeded splits, and how well they
// predict (docs/experiments.md).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kmd/file_settings.hpp"   // for Kind
#include "kronite/device.hpp"      // for Device
#include "kronite/forest.hpp"      // for ForestOptions
#include "kronite/kmd.hpp"         // for Components, Settings, Unknown, Weights
#include "kronite/regression.hpp"  // for RowParts, RowFitOptions, KernelRidgeOptions

namespace kronite::kmd {

// --- settings ------------------------------------------------------------------------------------

/// Where rows come from. Either targets or a class column.
struct DataSettings {
  std::string formula = "formula";  ///< column of formulas; of names of mixtures with weights
  std::vector<std::string> targets;
  std::string classes;
  std::string unit;  ///< of the targets, for tables
  Unknown unknown = Unknown::refuse;
};

enum class SplitKind { random, folds };

struct SplitSettings {
  SplitKind kind = SplitKind::random;
  int count = 5;                               ///< random splits, or folds
  std::array<double, 3> parts{0.8, 0.1, 0.1};  ///< of random splits
  double validation = 0.1;                     ///< share of the rows outside of a fold
  bool by_formula = true;                      ///< rows of one reduced formula stay together
  std::uint64_t seed = 0;
};

struct DescriptorSettings {
  std::string name;
  Kind kind = Kind::kernel_mean;
  Settings settings;  ///< of kernel means
};

enum class LearnerKind { network, kernel_ridge, forest };

struct LearnerSettings {
  std::string name;
  LearnerKind kind = LearnerKind::network;
  learn::RowFitOptions network;
  int members = 1;  ///< networks of the ensemble, from seeds of their own
  /// The loss of a row of a class counts (n / (classes n_class))^balance: 0 each the same, 1 every
  /// class the same.
  double balance = 0;
  learn::KernelRidgeOptions ridge;
  learn::ForestOptions forest;
};

struct ExperimentSettings {
  std::string title;
  DataSettings data;
  SplitSettings splits;
  std::vector<DescriptorSettings> descriptors;
  std::vector<LearnerSettings> learners;

  bool classifies() const { return !data.classes.empty(); }
};

/// Settings as TOML (docs/formats.md). @throws Error io; parse, naming file and line.
ExperimentSettings read_experiment_config(const std::string& path);
/// Of a text; `name` stands for the file in messages.
ExperimentSettings parse_experiment_config(std::string_view text, const std::string& name);

// --- data ----------------------------------------------------------------------------------------

/// Rows with everything that is to be predicted.
struct ExperimentData {
  std::vector<std::string> names;  ///< as the table has them
  Weights weights;
  std::vector<double> values;            ///< n x targets
  std::vector<std::int32_t> classes;     ///< n, or empty
  std::vector<std::string> class_names;  ///< in the order of their first rows
  std::vector<std::int64_t> groups;      ///< of each row: rows of one formula (or name) share one
  std::int64_t without_target = 0;       ///< rows left out because a cell is empty
  std::int64_t unknown = 0;              ///< and for elements that are no component

  std::int64_t rows() const { return static_cast<std::int64_t>(names.size()); }
};

/// Reads a CSV table. A formula may be a Python dictionary of amounts, {'Zn': 58.0, 'Mg': 40.0}.
/// With `weights`, a table of weights, rows are mixtures that are found there by name.
/// @throws Error io; parse, naming file and line.
ExperimentData read_experiment_data(const std::string& path, const DataSettings& settings,
                                    const Components& components, const std::string& weights = {});

/// "SiO2" or "{'Si': 1, 'O': 2}". @throws Error parse.
Composition parse_amounts(std::string_view text);

// --- splits --------------------------------------------------------------------------------------

/// All splits. Rows of a group are in one part; with classes, each class is split by itself (a
/// group goes by the class of its first row). The test parts of folds are disjoint and hold every
/// row. groups: n; classes: n or empty.
/// @throws Error invalid_argument when there are fewer groups than folds, or a part is empty.
std::vector<learn::RowParts> experiment_splits(const SplitSettings& settings,
                                               const std::vector<std::int64_t>& groups,
                                               const std::vector<std::int32_t>& classes);

// --- the run -------------------------------------------------------------------------------------

/// What is measured of predictions, in this order: MAE, RMSE, R2 of each target; or recall,
/// precision, F1 of each class, macro F1 and accuracy. The one to compare by is the first MAE or
/// the macro F1.
std::vector<std::string> metric_names(const ExperimentSettings& settings,
                                      const ExperimentData& data);
std::size_t main_metric(const ExperimentSettings& settings, const ExperimentData& data);

/// Of one learner on one descriptor and split.
struct Trial {
  std::size_t split = 0, descriptor = 0, learner = 0;
  std::vector<double> metrics;     ///< on the test part
  std::vector<double> validation;  ///< the same on the validation part, which choices were made by
  std::vector<double> predicted;   ///< test rows x targets, or x classes (probabilities)
  std::vector<int> best_epochs;    ///< of the members of a network ensemble
  double length_scale = 0, ridge = 0;  ///< chosen; of kernel ridge
  double seconds = 0;
};

struct DescriptorInfo {
  std::int64_t width = 0;
  Settings settings;  ///< as chosen; of kernel means
  std::string hash;   ///< of kernel means
};

struct Experiment {
  std::vector<learn::RowParts> splits;
  std::vector<DescriptorInfo> descriptors;
  std::vector<Trial> trials;  ///< split by split, then by descriptor, then by learner
};

/// Where a run is.
struct ExperimentProgress {
  std::size_t trial = 0, trials = 0;  ///< done, of all
  std::size_t split = 0, descriptor = 0, learner = 0;
  int epoch = 0, epochs = 0;  ///< of the whole ensemble, or trees; 0 of 0 of kernel ridge
};

struct ExperimentHooks {
  /// False stops with Error cancelled.
  std::function<bool(const ExperimentProgress&)> progress;
  std::function<void(const Trial&)> finished;  ///< after each
};

/// Splits, describes and trains. Early stopping, length scale and ridge go by the validation part.
/// @throws Error invalid_argument; cancelled; numerical; out_of_memory.
Experiment run_experiment(Device& device, const ExperimentSettings& settings,
                          const ExperimentData& data, const Components& components,
                          const ExperimentHooks& hooks = {});

// --- summaries -----------------------------------------------------------------------------------

/// Over splits. std: over n - 1, NaN of a single split.
struct Spread {
  double mean = 0, std = 0;
};
Spread spread_of(const std::vector<double>& values);

/// Quantile of Student's t with `freedom` >= 1 degrees: P(T <= t) = p, 0 < p < 1.
double student_quantile(double p, int freedom);

/// Mean of a_s - b_s over splits, and its 95 % intervals by Student's t: `low` to `high` as if
/// splits were independent; `wide_low` to `wide_high` with the variance times 1/n + test/training
/// instead of 1/n, for splits that share rows (Nadeau and Bengio, Machine Learning 52 (2003) 239).
/// NaN of a single split.
struct PairedDifference {
  double mean = 0, low = 0, high = 0, wide_low = 0, wide_high = 0;
};
/// test_share: rows of the test part over those of training.
/// @throws Error invalid_argument for two sizes or no values.
PairedDifference paired_difference(const std::vector<double>& a, const std::vector<double>& b,
                                   double test_share);

/// The values of a metric over splits; of the test parts, or of the validation parts.
std::vector<double> metric_over_splits(const Experiment& experiment, std::size_t descriptor,
                                       std::size_t learner, std::size_t metric,
                                       bool validation = false);
/// Mean over splits of test rows over training rows.
double test_share(const Experiment& experiment);

}  // namespace kronite::kmd
