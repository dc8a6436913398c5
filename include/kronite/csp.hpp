// Crystal structure prediction by element substitution (CSPML; Comput. Mater. Sci. 211 (2022)
// 111496).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kronite/composition.hpp"  // for Composition
#include "kronite/device.hpp"       // for Device
#include "kronite/log.hpp"          // for Progress
#include "kronite/network.hpp"      // for EnsembleView, PairView, ScoreBlock
#include "kronite/structure.hpp"    // for Structure
#include "kronite/templates.hpp"    // for TemplateLibrary

namespace kronite::csp {

/// Orders the templates of one ratio for a query.
class Ranker {
 public:
  virtual ~Ranker() = default;
  virtual std::string name() const = 0;

  struct Scored {
    std::int64_t candidate = 0;  ///< index in the library
    double score = 0;            ///< larger is better
    double p = 0;                ///< probability of being alike; NaN when the ranker gives none
    double p_std = 0;            ///< its spread over the ensemble; NaN likewise
  };
  /// p above which a template is worth proposing where the caller does not say; idle where the
  /// ranker gives no p. In [0, 1).
  virtual double cutoff() const { return 0.5; }
  /// Templates of `range`, best first; equal scores in order of index. Those with an element that
  /// the ranker does not know are left out. May be called from several threads, one device each.
  virtual std::vector<Scored> rank(Device& device, const Composition& query,
                                   const TemplateLibrary& library, TemplateRange range) const = 0;

  /// The same ranker as if `library` held only its usable templates (library.size() values), for
  /// those whose scores depend on what else there is; null where they do not. It may outlive this.
  virtual std::unique_ptr<Ranker> among(const TemplateLibrary& library,
                                        std::vector<bool> usable) const;
};

/// By Euclidean distance of the standardised 290-value descriptors; score = -distance. Mean and
/// standard deviation are the library's; with a table other than the embedded one they are computed
/// over all its templates, once per library. `table` must outlive the ranker.
std::unique_ptr<Ranker> distance_ranker(const ElementTable& table = ElementTable::embedded());

/// The ranker of a model, which is a learned metric or a classifier: a file, or a name inside the
/// library; without a name the best one inside. `table` must outlive the ranker.
/// @throws Error as open_metric(), open_model(), MetricRanker and Classifier; unavailable when
/// there is no model inside.
std::unique_ptr<Ranker> open_ranker(const std::string& name_or_path = {},
                                    const ElementTable& table = ElementTable::embedded());

enum class VolumeMethod {
  scaled,      ///< by the ratio of the sums of atomic volumes fitted to the library
  as_template  ///< the template's own volume
};

/// See PredictOptions::keep_duplicates.
inline constexpr int kTemplatesPerCandidate = 20;

struct PredictOptions {
  int top = 10;
  /// Only templates with p above it are proposed; 0: all of them. In [0, 1). Without a value it is
  /// Ranker::cutoff(). Rankers that give no p pass over it.
  std::optional<double> cutoff;
  bool exclude_known = false;  ///< drop templates of the query's own formula
  /// A candidate for each template. Else crystals that are the same by match() at its default
  /// tolerances, and have one space group, are one candidate; templates are tried until there are
  /// `top` different ones, at most kTemplatesPerCandidate times as many.
  bool keep_duplicates = false;
  VolumeMethod volume = VolumeMethod::scaled;
  double symprec = 0.01;  ///< Å, for the space group
  /// Whose features decide how unlike two elements are; null: the embedded table.
  const ElementTable* table = nullptr;
  /// Told how many templates were tried, of at most how many (0 before they are ranked); may cancel
  /// between two.
  Progress progress{};
};

/// Another template that leads to the same crystal.
struct Duplicate {
  std::int64_t template_index = 0;
  std::string template_id, template_formula;
  double score = 0, p = 0;  ///< see Ranker::Scored
  double rms = 0;           ///< of the two crystals, see Match
  bool known = false;       ///< the template is the query's own formula
};

/// One proposed crystal.
struct Candidate {
  int rank = 0;                        ///< from 1
  double score = 0, p = 0, p_std = 0;  ///< see Ranker::Scored
  std::int64_t template_index = 0;
  std::string template_id, template_formula, license, source;
  std::vector<std::pair<int, int>> mapping;  ///< template element -> query element (atomic numbers)
  double mapping_cost = 0;                   ///< sum of element dissimilarities
  double volume_factor = 1;                  ///< candidate volume / template volume
  /// What was done: as_template also where `scaled` was asked for and an atomic volume is unknown.
  VolumeMethod volume = VolumeMethod::as_template;
  bool known = false;   ///< the template, or that of a duplicate, is the query's own formula
  Structure structure;  ///< conventional cell, symmetrised
  Symmetry symmetry;    ///< of its sites
  int space_group = 0;
  std::string international;
  std::vector<Duplicate> duplicates;  ///< best first; none where they are kept
};

struct Prediction {
  std::string query;           ///< reduced formula
  std::string ratio;           ///< its ratio label, such as "3:1:1"; empty when it has none
  std::int64_t templates = 0;  ///< templates of that ratio (after exclude_known)
  /// Of them, those with p above the cut-off, whether among the `top` candidates or not; without p
  /// all.
  std::int64_t likely = 0;
  /// p of the best template, likely or not: how sure the ranker is of this prediction. NaN without
  /// templates or p.
  double best_p = std::numeric_limits<double>::quiet_NaN();
  std::vector<Candidate> candidates;
  std::string note;  ///< why there are none, and what to do; else empty
};

/// Predicts the structures of one composition: templates of its ratio, ranked; elements assigned by
/// least total dissimilarity; volume rescaled; symmetrised; equal crystals merged. Only as many
/// templates are turned into structures as `top` candidates need, and only likely ones: where there
/// is none, the note says so.
/// @throws Error invalid_argument when an element of the query is in no row of the element table,
/// the composition is empty, `top` < 1, `cutoff` is outside [0, 1) or `symprec` is no length;
/// corrupt when the library is; cancelled; whatever the ranker throws.
Prediction predict(Device& device, const Composition& query, const TemplateLibrary& library,
                   const Ranker& ranker, const PredictOptions& options = {});
/// Of many compositions, shared among devices, each as predict() gives it. take(i, prediction) is
/// called for i = 0, 1, ... in this order, and options.progress with the compositions that are
/// done, and of how many; by the threads of the devices, but never two calls at the same time.
/// @throws Error as predict(), of the first composition that fails; take() has had all before it.
void predict_all(std::vector<Device>& devices, const std::vector<Composition>& queries,
                 const TemplateLibrary& library, const Ranker& ranker,
                 const PredictOptions& options,
                 const std::function<void(std::size_t, Prediction&&)>& take);

/// Which element of the query takes the place of which element of the template.
struct Assignment {
  /// Atomic numbers (template, query) by descending amount, then by template.
  std::vector<std::pair<int, int>> mapping;
  double cost = 0;  ///< sum of element dissimilarities
};
/// Least-cost replacement of the template's elements by the query's, inside groups of equal amount.
/// Costs are Euclidean distances of z-scored (ddof 1) element vectors; of several optima it is the
/// first in order of the query's atomic numbers.
/// @throws Error invalid_argument when the ratios differ or an element is not in the table.
Assignment assign_elements(const Composition& query, const Composition& candidate,
                           const ElementTable& table = ElementTable::embedded());

/// p_n = mean over the ensemble of P(alike | |queries_{i_n} - candidates_{j_n}|). All views on the
/// device; queries: nq x d, candidates: nt x d (standardised descriptors), p: one per pair. Queued
/// on the device's stream; does not wait. Indices are trusted on CUDA and checked on the CPU.
/// @throws Error invalid_argument when shapes or places do not fit; unavailable when the device
/// does not have the precision.
void score_pairs(Device& device, MatrixView<const float> queries,
                 MatrixView<const float> candidates, const PairView& pairs,
                 const EnsembleView<float>& ensemble, VectorView<float> p,
                 Precision precision = Precision::fp32);

struct TopKOptions {
  /// queries and candidates are the same rows, such as a library against itself: of each block only
  /// the pairs i < j are scored, and each counts for both, i and j, as scores are symmetric. A row
  /// never meets itself.
  bool self = false;
  Precision precision = Precision::fp32;
  /// Told the pairs scored so far. Where it is given, the call waits; it may be cancelled between
  /// batches of a second or less, and p and index are then worth nothing.
  Progress progress{};
};

/// For each query the k best scores over all blocks, as score_pairs() computes them, however many
/// pairs that are: nothing larger than a tile of them is ever stored. p and index: nq x k, k >= 1,
/// on the device as the others: row i has the best first, equal scores by index, NaN behind every
/// number, and index -1 with p NaN where query i has fewer than k candidates (none, if it is in no
/// block). The blocks are on the host and must have no pair in common. The result depends on
/// neither their order nor the number of threads. May wait.
/// @throws Error as score_pairs(); cancelled.
void score_top_k(Device& device, MatrixView<const float> queries,
                 MatrixView<const float> candidates, const std::vector<ScoreBlock>& blocks,
                 const EnsembleView<float>& ensemble, MatrixView<float> p,
                 MatrixView<std::int32_t> index, const TopKOptions& options = {});

/// For each row of scores (n x m) the k largest, best first; equal scores by index. Does not wait.
void top_k_rows(Device& device, MatrixView<const float> scores, MatrixView<float> values,
                MatrixView<std::int32_t> indices);

}  // namespace kronite::csp
