// The learned metric: compositions become points whose distances say whether their structures are
// alike. A ranker of its own, and its training.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kronite/csp.hpp"           // for Ranker
#include "kronite/csp_training.hpp"  // for HoldOut, CardTexts, TrainHooks
#include "kronite/embedding.hpp"     // for MetricNetwork
#include "kronite/learn.hpp"         // for FitOptions, EpochRecord
#include "kronite/templates.hpp"     // for TemplateLibrary

namespace kronite::csp {

/// A query and the templates of its ratio, of other formulas, have the logits that MetricNetwork
/// gives; P(t) is the softmax over these templates and "none of these", the mean over the members.
///
/// Rows of compositions hold the 290-value descriptor, standardised by `mean` and `std`, then room
/// for the learned vectors of `slots` elements, ordered by amount (descending), then by
/// electronegativity; then for each slot the 58 features of its element, z-scored (ddof 1) over the
/// elements of the table, its learned vector, its atomic fraction, and 1. Where there is no further
/// element, all are 0. Rows of traits hold a template's 244 fingerprint values, the logarithm of
/// its volume per atom in Å^3, and its volume over what the library's atomic volumes say,
/// standardised by `trait_mean` and `trait_std`.
struct Metric {
  std::vector<MetricNetwork> members;
  std::int64_t slots = 0;
  std::int64_t vector = 0;                    ///< values of a learned vector
  std::vector<double> mean, std;              ///< of the descriptor, one value per column (290)
  std::vector<double> trait_mean, trait_std;  ///< 246, or empty: templates have no traits
  std::string element_table;                  ///< hash of the element table
  double tau = 0.1;  ///< dissimilarity up to which two structures count as alike
  /// As Model::card.
  std::vector<std::pair<std::string, std::string>> card;

  std::int64_t inputs() const;  ///< of a row of a composition
  std::int64_t parameters() const;
  /// @throws Error invalid_argument when its parts do not fit each other or a number is not usable.
  void check() const;
  /// 16 hexadecimal digits that name what decides its probabilities.
  std::string hash() const;
  /// Value of a key of the card; empty when it is not there.
  std::string card_value(const std::string& key) const;
};

/// @throws Error io; corrupt, naming what is wrong; invalid_argument for the file of a classifier.
Metric read_metric(const std::string& path);
/// Under a temporary name, then renamed; the same metric gives the same bytes.
/// @throws Error io; invalid_argument as Metric::check().
void write_metric(const Metric& metric, const std::string& path);

/// Whether a file holds a metric, and not a classifier. @throws Error io; corrupt.
bool holds_metric(const std::string& path);

/// Metrics inside the library, the best one first.
std::vector<std::string> embedded_metrics();
/// @throws Error invalid_argument, naming the metrics there are.
Metric embedded_metric(const std::string& name);
/// The metric at a path, or that of this name inside the library, as open_model().
/// @throws Error as read_metric(), embedded_metric().
Metric open_metric(const std::string& name_or_path);
/// Whether open_metric() is the one to open it, and not open_model(). @throws Error io; corrupt.
bool names_a_metric(const std::string& name_or_path);

/// A metric at work. The points of a ratio's templates are computed at the first query of that
/// ratio. On the CPU they stay with this, once for all threads; else with the device, as the
/// networks do, and go with it or with this. May be used from several threads, one device each.
class MetricRanker : public Ranker {
 public:
  /// `table` must outlive this.
  /// @throws Error invalid_argument when `table` is not the one that the metric was trained with,
  /// or as Metric::check().
  explicit MetricRanker(Metric metric, const ElementTable& table = ElementTable::embedded());

  const Metric& metric() const { return *metric_; }
  std::string name() const override { return "metric"; }
  /// 0.01: p is shared among all structures that the templates of the ratio have, and so is seldom
  /// large (docs/metric.md).
  double cutoff() const override { return 0.01; }
  /// p = the sum of P over the templates that are alike with t, t included: the probability that
  /// t's structure is alike with the query's. p_std: its standard deviation over the members (ddof
  /// 1; NaN where there is only one). The first 50 places go to those that cover most of what the
  /// places before them leave, so that different structures come first: score = sum_k left_k
  /// exp(-(d / tau)^2), d the dissimilarity of t and template k, left at first P. The rest follows
  /// by P; score = P times the last of these. In a library without fingerprints p = P, by which all
  /// are ordered. Templates of the query's own formula do not count for the others; each gets the p
  /// that it would have if it did, and that as its score.
  /// @throws Error numerical when the metric gives no number; unavailable when it knows traits and
  /// the library has no fingerprints.
  std::vector<Scored> rank(Device& device, const Composition& query, const TemplateLibrary& library,
                           TemplateRange range) const override;

  std::unique_ptr<Ranker> among(const TemplateLibrary& library,
                                std::vector<bool> usable) const override;

  /// Points of compositions, row by row: compositions x width of that member, host memory.
  /// @throws Error invalid_argument when an element is not in the table or there is no such member.
  std::vector<float> embed(Device& device, const std::vector<Composition>& compositions,
                           std::size_t member = 0) const;

 private:
  struct Cache;
  explicit MetricRanker(std::shared_ptr<Cache> cache);

  std::shared_ptr<const Metric> metric_;
  std::shared_ptr<Cache> cache_;
};

/// @throws Error as MetricRanker.
std::unique_ptr<Ranker> metric_ranker(Metric metric,
                                      const ElementTable& table = ElementTable::embedded());

// --- training -----------------------------------------------------------------------------------

/// What a metric is made of; a part that is 0 wide is not there. Networks have hidden layers with
/// ReLU.
struct MetricParts {
  std::int64_t descriptor_linear = 96;  ///< outputs of a matrix on the descriptor
  /// Of a network on the descriptor and the learned vectors of all slots.
  std::vector<std::int64_t> descriptor_hidden{256};
  std::int64_t descriptor_outputs = 96;
  std::int64_t slots = 5;
  std::int64_t vector = 24;       ///< values of the learned vector of an element
  bool slots_share = true;        ///< one matrix and network for all slots, else one for each
  std::int64_t slot_linear = 24;  ///< as above, per slot
  std::vector<std::int64_t> slot_hidden{128};
  std::int64_t slot_outputs = 48;
  std::vector<std::int64_t> shift_hidden{256};  ///< of the template's shift by its traits; empty: 0
  std::vector<std::int64_t> bias_hidden{64};    ///< of its bias by its traits; empty: 0
  std::vector<std::int64_t> none_hidden{32};    ///< of the logit of none; empty: one number
  double dropout = 0.25;  ///< share of the hidden values dropped in a training step, in [0, 1)
};

struct MetricOptions {
  double tau = 0.1;  ///< alike: dissimilarity <= tau
  HoldOut hold_out = HoldOut::formula;
  std::array<double, 3> parts{0.9, 0.1, 0.0};  ///< training, validation, test; they add up to 1
  std::int64_t least_members = 10;  ///< labels with fewer templates are split as one pool
  std::uint64_t split_seed = 0;
  MetricParts parts_of;
  /// All logits are divided by it in the end, so that p means what it says; 0: what makes the loss
  /// on the validation part least (Guo et al., ICML 2017), 1 where there is no such part.
  double temperature = 0;
  /// batch: queries of a step. Validation accuracy: the share of queries whose best template is
  /// alike. seed: members have seed, seed + 1, ...
  learn::FitOptions fit{512, 2e-3, true, 16, 0, 0, 0.1, 1e-4};
  int members = 1;
  std::string name = "unnamed";
  CardTexts card;
};

/// How good a metric is on queries against the training templates of their ratio. All queries
/// count, also those without an alike template.
struct MetricJudgement {
  std::int64_t queries = 0;
  std::int64_t answerable = 0;           ///< with an alike template
  double loss = 0;                       ///< mean; 0 without queries, as the shares
  double top1 = 0, top5 = 0, top10 = 0;  ///< share with an alike template among the best
  /// Of every query and template: P summed over the templates alike with it, against being alike.
  std::vector<ReliabilityBin> reliability;
};

struct MetricReport {
  MetricJudgement validation, test;
  int best_epoch = 0;
  std::vector<learn::EpochRecord> history;
};

struct MetricResult {
  Metric metric;
  std::vector<MetricReport> members;
  MetricReport all;        ///< all members together; no epochs
  double temperature = 1;  ///< by which logits were divided; judgements are of what came out
  std::int64_t training_templates = 0;
  std::int64_t pairs = 0;  ///< of an epoch
};

/// Trains the members, one after the other, on one split. Each training template is a query among
/// the other training templates of its ratio; of its own formula it meets none.
/// @throws Error as learn::fit(), naming the member; invalid_argument when the library holds no
/// fingerprints, options make no sense or the checkpoint is of another training; parse for a
/// formula that cannot be read; corrupt; io; cancelled.
MetricResult train_metric(Device& device, const TemplateLibrary& library,
                          const MetricOptions& options,
                          const std::vector<std::string>& excluded_formulas = {},
                          const TrainHooks& hooks = {});
/// Its members side by side, as train() does it on several devices.
MetricResult train_metric(std::vector<Device>& devices, const TemplateLibrary& library,
                          const MetricOptions& options,
                          const std::vector<std::string>& excluded_formulas = {},
                          const TrainHooks& hooks = {});

}  // namespace kronite::csp
