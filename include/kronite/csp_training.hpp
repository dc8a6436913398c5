// Training of template rankers on a library of known crystals.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kronite/learn.hpp"      // for NetworkShape, FitOptions, LabelledPairs
#include "kronite/model.hpp"      // for Model
#include "kronite/templates.hpp"  // for TemplateLibrary

namespace kronite::csp {

/// What is kept apart when templates are split into parts.
enum class HoldOut {
  formula,        ///< templates one by one, inside each ratio label
  structure_type  ///< whole groups of templates joined by dissimilarities <= 0.1, inside each label
};

/// How labelled pairs are drawn from a library (npj Comput. Mater. 10 (2024), Shotgun CSP).
struct PairOptions {
  double tau = 0.3;  ///< alike: dissimilarity <= tau
  /// At most this share of a part's templates per ratio label; 1: all of them.
  double cap = 0.01;
  HoldOut hold_out = HoldOut::formula;
  std::array<double, 3> parts{0.6, 0.2, 0.2};  ///< training, validation, test; they add up to 1
  std::int64_t least_members = 10;  ///< labels with fewer templates are split as one pool
  std::uint64_t seed = 0;
};

/// Pairs of one part. Indices are those of the library.
struct PairPart {
  std::vector<std::int32_t> templates;  ///< of the part, before the cap, ascending
  learn::LabelledPairs pairs;
  std::vector<std::int32_t> ratio;  ///< of each pair: index into TemplateLibrary::ratios()
};

struct PairData {
  PairPart training, validation, test;
};

/// Splits the templates, then draws pairs inside each part and ratio label: all alike ones and as
/// many random unlike ones (all, if there are fewer). Templates whose formula is in
/// `excluded_formulas` (reduced) or with an element outside the embedded table take no part. The
/// same for any number of threads.
/// @throws Error invalid_argument when the library holds no fingerprints, options make no sense, or
/// no pair is alike.
PairData make_pairs(Device& device, const TemplateLibrary& library, const PairOptions& options,
                    const std::vector<std::string>& excluded_formulas = {});

/// How well probabilities tell alike from unlike pairs.
struct PairMetrics {
  std::int64_t pairs = 0, alike = 0;
  double accuracy = 0;                ///< ACC, at p > 0.5
  double average_precision = 0;       ///< AP: area under the precision-recall steps
  double mean_accuracy = 0;           ///< MACC: mean of ACC over ratio labels
  double mean_average_precision = 0;  ///< MAP: mean of AP over ratio labels with an alike pair
};
PairMetrics pair_metrics(const PairPart& part, const std::vector<float>& p);

/// Predicted against observed frequency, in bins of equal width.
struct ReliabilityBin {
  double low = 0, high = 0;  ///< of p
  std::int64_t pairs = 0;
  double mean_p = 0, alike = 0;  ///< means over the pairs of the bin; NaN when there are none
};
std::vector<ReliabilityBin> reliability(const PairPart& part, const std::vector<float>& p,
                                        int bins = 10);
/// Mean of |mean_p - alike| weighted by pairs.
double calibration_error(const std::vector<ReliabilityBin>& bins);

struct TrainOptions {
  PairOptions pairs;
  learn::NetworkShape network;
  learn::FitOptions fit;
  int members = 5;
  /// Every member on a split of its own (seeds pairs.seed, pairs.seed + 1, ...), as published; else
  /// all members on one split, with their own unlike pairs, first weights and order.
  bool split_per_member = true;
  std::uint64_t seed = 0;
  std::string name = "unnamed";
};

struct MemberReport {
  std::uint64_t split_seed = 0;
  std::int64_t training_pairs = 0, validation_pairs = 0, test_pairs = 0;
  int best_epoch = 0;
  std::vector<learn::EpochRecord> history;
  PairMetrics validation, test;             ///< of this network alone; no pairs: all zero
  std::vector<ReliabilityBin> reliability;  ///< on the validation part
};

struct TrainResult {
  Model model;
  std::vector<MemberReport> members;
};

/// Where a training run stands; told after every epoch.
struct TrainProgress {
  int member = 0, members = 0;  ///< member from 1
  const learn::EpochRecord* epoch = nullptr;
  int best_epoch = 0, patience = 0, max_epochs = 0;
};

struct TrainHooks {
  std::function<bool(const TrainProgress&)> progress;  ///< false: stop, Error cancelled
  /// A file that the run's state is kept in, and gone on from when it is there; empty: none.
  std::string checkpoint;
};

/// Trains an ensemble and judges each network on its test part. Templates are described and
/// standardised by the library's own statistics; descriptors go to the device once.
/// @throws Error as make_pairs() and learn::fit(); invalid_argument when the checkpoint belongs to
/// another library or other options.
TrainResult train(Device& device, const TemplateLibrary& library, const TrainOptions& options,
                  const std::vector<std::string>& excluded_formulas = {},
                  const TrainHooks& hooks = {});

}  // namespace kronite::csp
