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
  formula,        ///< templates one by one; polymorphs, of one reduced formula, stay together
  structure_type  ///< templates joined by dissimilarities <= kSameStructureType stay together
};
inline constexpr double kSameStructureType = 0.1;

/// How labelled pairs are drawn from a library (npj Comput. Mater. 10 (2024), Shotgun CSP).
struct PairOptions {
  double tau = 0.3;  ///< alike: dissimilarity <= tau
  /// Of each ratio label at most this share of the part's templates (of all labels) makes pairs,
  /// drawn at random, two at least; 1: all of them.
  double cap = 0.01;
  /// The same for the training part alone; 0: as cap. So a network can learn from all pairs and
  /// still be judged on the published ones.
  double training_cap = 0;
  /// Of each ratio label and part at most so many alike pairs, drawn at random, so that large
  /// labels do not drown the rest; 0: all of them.
  std::int64_t most_alike_per_label = 0;
  /// In the training part so many unlike pairs are drawn for each alike one of a label, 1 as
  /// published. With another number the networks learn from what a query meets; p still speaks of
  /// pairs half of which are alike, as the bias of the last layer is moved by the log odds.
  double unlike_per_alike = 1;
  HoldOut hold_out = HoldOut::formula;
  std::array<double, 3> parts{0.6, 0.2, 0.2};  ///< training, validation, test; they add up to 1
  std::int64_t least_members = 10;  ///< labels with fewer templates are split as one pool
  std::uint64_t seed = 0;
  std::uint32_t draw = 0;  ///< another number: other templates and pairs of the same split
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

/// Splits the templates label by label, then draws pairs inside each part and ratio label: all
/// alike ones and as many random unlike ones (all, if there are fewer). Pairs come label by label,
/// alike ones first, ascending; first < second. Templates whose reduced formula is one of
/// `excluded_formulas` or with an element outside the embedded table take no part. The same on
/// every device and for any number of threads. Waits.
/// @throws Error invalid_argument when the library holds no fingerprints, options make no sense, or
/// no training pair is alike; parse for a formula that cannot be read; corrupt.
PairData make_pairs(Device& device, const TemplateLibrary& library, const PairOptions& options,
                    const std::vector<std::string>& excluded_formulas = {});

/// How well probabilities tell alike from unlike pairs; all zero without pairs.
struct PairMetrics {
  std::int64_t pairs = 0, alike = 0;
  double accuracy = 0;  ///< ACC, at p > 0.5
  /// AP: sum of the gains in recall times precision over all thresholds; 0 with no alike pair.
  double average_precision = 0;
  double mean_accuracy = 0;           ///< MACC: mean of ACC over ratio labels
  double mean_average_precision = 0;  ///< MAP: mean of AP over ratio labels with an alike pair
};
/// p: P(alike) of each pair.
/// @throws Error invalid_argument when p is not one probability per pair; NaN is none.
PairMetrics pair_metrics(const PairPart& part, const std::vector<float>& p);

/// Predicted against observed frequency, in bins of equal width: low <= p < high, and p = 1 in the
/// last one.
struct ReliabilityBin {
  double low = 0, high = 0;  ///< of p
  std::int64_t pairs = 0;
  double mean_p = 0, alike = 0;  ///< means over the pairs of the bin; NaN when there are none
};
/// @throws Error as pair_metrics(); invalid_argument for bins < 1.
std::vector<ReliabilityBin> reliability(const PairPart& part, const std::vector<float>& p,
                                        int bins = 10);
/// Expected calibration error: the mean of |mean_p - alike| weighted by pairs; 0 without pairs.
double calibration_error(const std::vector<ReliabilityBin>& bins);

/// What only people know of a training; empty texts stay out of the model's card.
struct CardTexts {
  std::string data;     ///< what the library was made of, with its source
  std::string licence;  ///< of the model
  std::string metrics;  ///< how good it is, by another training with parts held out
};

/// Members have seeds of their own: fit.seed, fit.seed + 1, ...
struct TrainOptions {
  PairOptions pairs;
  learn::NetworkShape network;
  learn::FitOptions fit;
  int members = 5;
  /// Every member on a split of its own (seeds pairs.seed, pairs.seed + 1, ...), as published; else
  /// all on one split, each with pairs drawn for it (draws pairs.draw, pairs.draw + 1, ...).
  bool split_per_member = true;
  std::string name = "unnamed";
  CardTexts card;
};

/// How good probabilities are on the parts that training has not seen.
struct Judgement {
  PairMetrics validation, test;
  std::vector<ReliabilityBin> reliability;  ///< on the validation part; none without it
};

/// A single network.
struct MemberReport : Judgement {
  std::uint64_t split_seed = 0;
  std::int64_t training_pairs = 0, alike_training_pairs = 0;
  int best_epoch = 0;
  std::vector<learn::EpochRecord> history;
};

struct TrainResult {
  Model model;
  std::vector<MemberReport> members;
  /// All members together, on the pairs of the first one. All zero where members have splits of
  /// their own: what one has not seen, another was trained on.
  Judgement ensemble;
};

/// Where a training run stands; told after every epoch.
struct TrainProgress {
  int member = 0, members = 0;  ///< member from 1
  const learn::EpochRecord* epoch = nullptr;
  int best_epoch = 0, patience = 0, max_epochs = 0;
  int side_by_side = 1;  ///< members that are trained at the same time, at most
};

struct TrainHooks {
  std::function<bool(const TrainProgress&)> progress;  ///< false: stop, Error cancelled
  /// A file that the run's state is kept in, and gone on from when it is there; empty: none. It
  /// stays when train() returns: remove it once the model is safe.
  std::string checkpoint;
};

/// Trains an ensemble and judges each network on its validation and test part. Templates are
/// described and standardised by the library's own statistics. Gone on from a checkpoint on the
/// same device, the model is the same to the last bit as without the interruption.
/// @throws Error as make_pairs() and learn::fit(), naming the network; invalid_argument when the
/// checkpoint belongs to another library or other options; corrupt when it is damaged; io.
TrainResult train(Device& device, const TemplateLibrary& library, const TrainOptions& options,
                  const std::vector<std::string>& excluded_formulas = {},
                  const TrainHooks& hooks = {});
/// The same model, its members trained side by side, each on one of the devices: on GPUs, or on
/// one that is named more than once, whose streams then overlap. hooks.progress is called by their
/// threads, one at a time. Where members fail, the error is that of the first; later ones stop.
TrainResult train(std::vector<Device>& devices, const TemplateLibrary& library,
                  const TrainOptions& options,
                  const std::vector<std::string>& excluded_formulas = {},
                  const TrainHooks& hooks = {});

}  // namespace kronite::csp
