// How good a ranker is: crystals of known structure are predicted as if they were not known.
//
// For each query, the templates of its ratio are ranked, and their fingerprints compared with the
// query's: replacing elements and scaling the volume leave the positions as they are, and the
// fingerprint sees nothing else, so a candidate's dissimilarity is that of its template.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kronite/csp.hpp"           // for Ranker
#include "kronite/csp_training.hpp"  // for ReliabilityBin
#include "kronite/fingerprint.hpp"   // for Fingerprint
#include "kronite/log.hpp"           // for Progress
#include "kronite/matcher.hpp"       // for MatchOptions
#include "kronite/structure.hpp"     // for Structure
#include "kronite/templates.hpp"     // for TemplateLibrary

namespace kronite::csp {

/// A hit: a candidate whose dissimilarity to the query is not above one of these.
inline constexpr std::array<double, 3> kHitLimits{0.1, 0.2, 0.3};
/// Candidates that the tables look at, from the best.
inline constexpr std::array<int, 6> kTops{1, 5, 10, 20, 30, 50};
inline constexpr int kMostJudged = 50;

/// A crystal to be predicted.
struct KnownCrystal {
  std::string id;
  Structure structure;
  /// Computed where it is not given, as a template library does.
  std::optional<Fingerprint> fingerprint;
  int space_group = 0;  ///< 1..230; 0: found by spglib
};

struct EvaluateOptions {
  /// No template of these is used for any query; of a query's own formula never.
  std::vector<std::string> exclude_formulas;
  /// Nor any template of another query's formula, so that both sets have no formula in common.
  bool disjoint = false;
  /// Only this share of the library, in (0, 1], drawn at random by `seed`; smaller shares are parts
  /// of larger ones.
  double library_share = 1;
  std::uint64_t seed = 0;
  /// In the list over distinct structures a candidate is passed over when its template's
  /// dissimilarity to one kept before it is not above this.
  double distinct = 0.1;
  /// Whether the best candidates of both lists are laid on the query by the structure matcher.
  bool match = true;
  MatchOptions matching{0.3, 0.5, 10};  ///< those of published match rates
  /// Of p, for what a prediction would keep, in [0, 1); Ranker::cutoff() unless it was told one.
  double cutoff = 0.5;
  double alike_limit = 0.3;  ///< what p speaks of: the tau of the model
  double symprec = 0.01;     ///< Å, for the space groups of queries
  /// Whose features decide how elements are assigned; null: the embedded table. Queries with other
  /// elements have no candidates.
  const ElementTable* table = nullptr;
  int threads = 0;  ///< on the CPU; 0: what OpenMP gives
  Progress progress;
};

/// Ranks from 1; 0: nowhere among the candidates. Matches, and everything in the list over distinct
/// structures, are looked for among the first kMostJudged.
struct FirstHits {
  std::array<std::int64_t, kHitLimits.size()> rank{};  ///< by kHitLimits
  /// Of the first candidate that the matcher lays on the query with an rms distance up to stol:
  /// substituted, volume scaled. 0 as well for a query whose cell cannot be matched.
  std::int64_t match = 0;
};

/// What became of one query.
struct EvaluatedQuery {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  std::string id, formula, ratio;  ///< reduced formula, ratio label
  int elements = 0;
  int space_group = 0;          ///< 0 where spglib finds none
  std::int64_t candidates = 0;  ///< templates of its ratio that may be used
  std::int64_t ranked = 0;      ///< of them, those that the ranker knows an order for
  std::int64_t likely = 0;      ///< of these, those with p above the cut-off; all without p

  // Least dissimilarities, of all candidates, of the best five, and of the likely ones.
  double least = kNone, least_of_5 = kNone, least_likely = kNone;
  FirstHits plain, distinct;
  std::array<double, kHitLimits.size()> hit_p{kNone, kNone, kNone};  ///< of the first hits

  // The first match of the plain list.
  double match_p = kNone, match_rms = kNone;  ///< rms in units of (V/n)^(1/3)
  int match_space_group = 0;

  // The best candidate; -1 without one.
  std::int64_t best = -1;
  double best_p = kNone, best_dissimilarity = kNone;
  int best_space_group = 0;
  double volume_error = kNone;  ///< its volume per atom over the query's, less 1
};

/// A query that cannot be judged: no fingerprint of it can be computed.
struct QueryLeftOut {
  std::string id, formula;
  std::string why;  ///< one sentence
};

struct Evaluation {
  std::vector<EvaluatedQuery> queries;  ///< in the order in which they were given
  std::vector<QueryLeftOut> left_out;
  std::int64_t templates = 0;  ///< that took part
  bool matched = false;        ///< matches were looked for
  /// p against the frequency of dissimilarities up to EvaluateOptions::alike_limit, in ten bins: of
  /// every candidate, and of the best one of each query. Empty where the ranker gives no p.
  std::vector<ReliabilityBin> reliability, reliability_of_best;
};

/// Work is shared among threads; on another device than the CPU the ranking is done there, query by
/// query. The result does not depend on the number of threads. Waits.
/// @throws Error invalid_argument when the library holds no fingerprints, there is no query, no
/// template is left, or options make no sense; parse for a formula that cannot be read; corrupt;
/// cancelled; whatever the ranker throws.
Evaluation evaluate(Device& device, const std::vector<KnownCrystal>& queries,
                    const TemplateLibrary& library, const Ranker& ranker,
                    const EvaluateOptions& options = {});
/// Ranked on several devices; CPUs among them are one CPU unless there are GPUs.
Evaluation evaluate(std::vector<Device>& devices, const std::vector<KnownCrystal>& queries,
                    const TemplateLibrary& library, const Ranker& ranker,
                    const EvaluateOptions& options = {});

/// hits / of, with the 95 % interval of Wilson, J. Am. Stat. Assoc. 22 (1927) 209.
struct Share {
  std::int64_t hits = 0, of = 0;
  double value = 0, low = 0, high = 0;  ///< 0 to 1; all NaN when `of` is 0
};
Share share_of(std::int64_t hits, std::int64_t of);

/// One line of the tables: shares of all queries, those without a candidate included.
struct SuccessRow {
  std::array<Share, kTops.size()> top;  ///< a hit among the first kTops[i] candidates
  Share all;                            ///< among all of them; of 0 queries for matches
  Share likely;                         ///< among those with p above the cut-off
};
enum class Listing { plain, distinct };
/// The line of kHitLimits[limit].
SuccessRow success(const std::vector<EvaluatedQuery>& queries, std::size_t limit, Listing listing);
/// The same for matches. `likely`: the first match of the plain list has p above `cutoff`, or no p.
SuccessRow match_success(const std::vector<EvaluatedQuery>& queries, Listing listing,
                         double cutoff);

/// Some of the queries, for which the tables are formed again.
struct QueryGroup {
  std::string kind;                  ///< "all", "elements", "ratio", "chemistry"
  std::string name;                  ///< "3", "3:1:1", "oxide"
  std::vector<std::size_t> queries;  ///< places in Evaluation::queries, ascending
};
/// All queries; by number of elements; by ratio, the `ratios` most frequent ones and the rest; by
/// chemistry().
std::vector<QueryGroup> group_queries(const std::vector<EvaluatedQuery>& queries, int ratios = 12);

/// The class of a composition, by its most electronegative non-metal or metalloid: "halide",
/// "oxide", "chalcogenide", "pnictide", "carbide", "hydride", "boride" or "tetrelide";
/// "intermetallic" without one, "element" for a single one.
std::string chemistry(const Composition& composition);

/// A ranking made elsewhere: a CSV file with one line per query and template, in columns called
/// query_formula, query or formula; template_index, template_id or template; and, if it has them,
/// score and p (docs/evaluation.md). Larger scores are better, else larger p; without both the
/// order of the lines counts. Templates that the file does not name for a query are not ranked.
/// @throws Error io; parse, naming file and line, for a template that the library does not hold or
/// that has another ratio than the query, for a line that is there twice and for wrong numbers.
std::unique_ptr<Ranker> listed_ranker(const std::string& path, const TemplateLibrary& library);

}  // namespace kronite::csp
