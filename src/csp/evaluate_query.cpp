// Hits, distinct structures, matches, and the best candidate.
#include "csp/evaluate_query.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "csp/assign_elements.hpp"         // for assign_elements
#include "csp/cutoff.hpp"                  // for above_cutoff
#include "materials/template_library.hpp"  // for library_fingerprint

namespace kronite::csp {
namespace {

/// Notes the ranks at which the limits are first met.
class HitCounter {
 public:
  explicit HitCounter(FirstHits& hits) : hits_(hits) {}

  /// Whether this one is the first within limit l is told to `found`.
  template <class Found>
  void add(std::int64_t rank, double dissimilarity, const Found& found) {
    for (std::size_t l = 0; l < kHitLimits.size(); ++l)
      if (hits_.rank[l] == 0 && dissimilarity <= kHitLimits[l]) {
        hits_.rank[l] = rank;
        found(l);
      }
  }

 private:
  FirstHits& hits_;
};

/// min(least, value), where NaN is no value yet.
void take_least(double& least, double value) { least = std::fmin(least, value); }

double volume_per_atom(const Structure& structure) {
  return volume(structure.lattice) / static_cast<double>(structure.size());
}

/// As it is, without a space group (0), where spglib finds no symmetry.
StandardCell cell_to_judge(const Structure& structure, double symprec) {
  try {
    return standardise(structure, symprec);
  } catch (const Error& e) {
    if (e.code() != Errc::numerical) throw;
    StandardCell crystal = without_symmetry(structure);
    crystal.symmetry.space_group = 0;
    return crystal;
  }
}

/// Nothing for a structure that the matcher does not take.
std::optional<MatchCell> match_cell(const Structure& structure) {
  try {
    return MatchCell(structure);
  } catch (const Error& e) {
    if (e.code() != Errc::invalid_argument) throw;
    return std::nullopt;
  }
}

}  // namespace

KnownQuery make_known(const KnownCrystal& crystal, const EvaluateOptions& options) {
  KnownQuery known;
  known.id = crystal.id;
  known.structure = &crystal.structure;
  known.composition = crystal.structure.composition().reduced();
  known.formula = known.composition.reduced_formula();
  known.ratio = known.composition.ratio_label();
  known.space_group = crystal.space_group;
  if (crystal.fingerprint) known.fingerprint = *crystal.fingerprint;
  try {
    check_structure(crystal.structure);
    if (options.match) known.cell = match_cell(crystal.structure);
    if (crystal.fingerprint && crystal.space_group != 0) return known;
    const StandardCell cell = cell_to_judge(crystal.structure, options.symprec);
    if (known.space_group == 0) known.space_group = cell.symmetry.space_group;
    if (crystal.fingerprint) return known;
    const auto values = library_fingerprint(cell);
    std::copy(values.begin(), values.end(), known.fingerprint.begin());
  } catch (const Error& e) {
    if (e.code() != Errc::numerical && e.code() != Errc::invalid_argument) throw;
    known.refusal = e.what();
  }
  return known;
}

/// The templates that a query may use, with their dissimilarities to it, in the ranker's order.
class QueryJudge::Candidates {
 public:
  Candidates(const TemplateLibrary& library, const std::vector<bool>& usable,
             const KnownQuery& query, std::vector<Ranker::Scored> ranked)
      : range_(library.with_ratio(query.ratio)),
        dissimilarity_(static_cast<std::size_t>(range_.size()), EvaluatedQuery::kNone),
        ranked_(std::move(ranked)) {
    for (std::int64_t i = range_.begin; i < range_.end; ++i) {
      if (!usable[static_cast<std::size_t>(i)] || library.info(i).formula == query.formula)
        continue;
      ++count_;
      double& value = dissimilarity_[place(i)];
      value = kronite::dissimilarity(query.fingerprint, library.fingerprint(i));
      take_least(least_, value);
    }
    std::erase_if(ranked_, [&](const Ranker::Scored& scored) {
      return std::isnan(dissimilarity(scored.candidate));
    });
  }

  std::int64_t count() const { return count_; }
  double least() const { return least_; }
  const std::vector<Ranker::Scored>& ranked() const { return ranked_; }
  /// NaN for templates that may not be used.
  double dissimilarity(std::int64_t i) const { return dissimilarity_[place(i)]; }

 private:
  std::size_t place(std::int64_t i) const { return static_cast<std::size_t>(i - range_.begin); }

  TemplateRange range_;
  std::vector<double> dissimilarity_;  ///< of the templates of `range_`
  std::vector<Ranker::Scored> ranked_;
  std::int64_t count_ = 0;
  double least_ = EvaluatedQuery::kNone;
};

/// Lays candidates on a query, each at most once.
class QueryJudge::Matches {
 public:
  Matches(const QueryJudge& judge, const KnownQuery& query) : judge_(judge), query_(query) {}

  const Match& operator()(std::int64_t candidate) {
    const auto [found, is_new] = known_.try_emplace(candidate);
    if (is_new) found->second = compare(candidate);
    return found->second;
  }
  /// The rank, from 1, of the first of some candidates that matches; 0 without one.
  template <class List, class Index>
  std::int64_t first(const List& candidates, const Index& index) {
    const std::int64_t count = std::min<std::int64_t>(std::ssize(candidates), kMostJudged);
    for (std::int64_t k = 0; k < count; ++k)
      if (!std::isnan((*this)(index(candidates[static_cast<std::size_t>(k)])).rms)) return k + 1;
    return 0;
  }

 private:
  Match compare(std::int64_t candidate) const {
    // Reduction divides the number of sites, and equal cells have as many.
    const std::int64_t sites = std::ssize(query_.cell->reduced().z);
    if (judge_.library_.info(candidate).sites % sites != 0) return {};
    const auto cell = match_cell(judge_.substituted(query_.composition, candidate));
    return cell ? match(*cell, *query_.cell, judge_.options_.matching) : Match{};
  }

  const QueryJudge& judge_;
  const KnownQuery& query_;
  std::map<std::int64_t, Match> known_;
};

QueryJudge::QueryJudge(const TemplateLibrary& library, std::vector<bool> usable,
                       const EvaluateOptions& options)
    : library_(library),
      usable_(std::move(usable)),
      options_(options),
      dissimilarity_(options.table ? *options.table : ElementTable::embedded()) {}

JudgedQuery QueryJudge::judge(const KnownQuery& query, std::vector<Ranker::Scored> ranked) const {
  JudgedQuery judged;
  EvaluatedQuery& result = judged.result;
  result.id = query.id;
  result.formula = query.formula;
  result.ratio = query.ratio;
  result.elements = static_cast<int>(query.composition.parts().size());
  result.space_group = query.space_group;

  const Candidates candidates(library_, usable_, query, std::move(ranked));
  result.candidates = candidates.count();
  result.ranked = std::ssize(candidates.ranked());
  result.least = candidates.least();
  if (result.ranked == 0) return judged;
  judge_ranking(candidates, judged);
  const auto distinct = judge_distinct(candidates, result);
  judge_best(query, candidates, result);
  if (query.cell) judge_matches(query, candidates, distinct, result);
  return judged;
}

void QueryJudge::judge_ranking(const Candidates& candidates, JudgedQuery& judged) const {
  EvaluatedQuery& result = judged.result;
  HitCounter hits(result.plain);
  std::int64_t rank = 0;
  for (const Ranker::Scored& scored : candidates.ranked()) {
    const double value = candidates.dissimilarity(scored.candidate);
    hits.add(++rank, value, [&](std::size_t l) { result.hit_p[l] = scored.p; });
    if (rank <= 5) take_least(result.least_of_5, value);
    if (above_cutoff(scored.p, options_.cutoff)) {
      ++result.likely;
      take_least(result.least_likely, value);
    }
    if (std::isnan(scored.p)) continue;
    judged.probabilities = true;
    const bool alike = value <= options_.alike_limit;
    judged.reliability.add(scored.p, alike);
    if (rank == 1) judged.reliability_of_best.add(scored.p, alike);
  }
}

/// Greedy, from the best: what is too near to one kept before is passed over. Gives those kept.
std::vector<std::int64_t> QueryJudge::judge_distinct(const Candidates& candidates,
                                                     EvaluatedQuery& result) const {
  struct Kept {
    double from_query;
    Fingerprint fingerprint;
  };
  std::vector<Kept> kept;
  std::vector<std::int64_t> distinct;
  HitCounter hits(result.distinct);
  for (const Ranker::Scored& scored : candidates.ranked()) {
    Kept next{candidates.dissimilarity(scored.candidate), library_.fingerprint(scored.candidate)};
    const bool repeated = std::any_of(kept.begin(), kept.end(), [&](const Kept& other) {
      // By the triangle inequality these are farther apart than their distances to the query.
      if (std::abs(other.from_query - next.from_query) > options_.distinct) return false;
      return kronite::dissimilarity(other.fingerprint, next.fingerprint) <= options_.distinct;
    });
    if (repeated) continue;
    kept.push_back(std::move(next));
    distinct.push_back(scored.candidate);
    hits.add(std::ssize(kept), kept.back().from_query, [](std::size_t) {});
    if (kept.size() == kMostJudged) break;
  }
  return distinct;
}

void QueryJudge::judge_matches(const KnownQuery& query, const Candidates& candidates,
                               const std::vector<std::int64_t>& distinct,
                               EvaluatedQuery& result) const {
  Matches matches(*this, query);
  const auto& ranked = candidates.ranked();
  result.plain.match = matches.first(ranked, [](const auto& scored) { return scored.candidate; });
  result.distinct.match = matches.first(distinct, [](std::int64_t i) { return i; });
  if (result.plain.match == 0) return;
  const Ranker::Scored& first = ranked[static_cast<std::size_t>(result.plain.match - 1)];
  result.match_p = first.p;
  result.match_rms = matches(first.candidate).rms;
  result.match_space_group = library_.info(first.candidate).space_group;
}

Structure QueryJudge::substituted(const Composition& query, std::int64_t candidate) const {
  const Structure original = library_.structure(candidate);
  const auto mapping =
      assign_elements(query, library_.composition(candidate), dissimilarity_).mapping;
  const auto factor = volume_factor(original, mapping, library_.atomic_volumes());
  return with_volume_scaled(replace_elements(original, mapping), factor.value_or(1));
}

void QueryJudge::judge_best(const KnownQuery& query, const Candidates& candidates,
                            EvaluatedQuery& result) const {
  const Ranker::Scored& best = candidates.ranked().front();
  result.best = best.candidate;
  result.best_p = best.p;
  result.best_dissimilarity = candidates.dissimilarity(best.candidate);
  result.best_space_group = library_.info(best.candidate).space_group;
  const Structure proposed = substituted(query.composition, best.candidate);
  result.volume_error = volume_per_atom(proposed) / volume_per_atom(*query.structure) - 1;
}

}  // namespace kronite::csp
