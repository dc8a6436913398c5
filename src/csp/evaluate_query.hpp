// One query of an evaluation: its ranked templates against what is known of it.
#pragma once

#include <optional>
#include <vector>

#include "csp/reliability.hpp"         // for ReliabilityCounter
#include "kronite/csp_evaluation.hpp"  // for EvaluatedQuery, EvaluateOptions
#include "materials/substitution.hpp"  // for ElementDissimilarity

namespace kronite::csp {

/// What evaluation knows of a query. Where `refusal` is not empty, that is why it cannot be judged.
struct KnownQuery {
  std::string id, formula, ratio;  ///< reduced formula
  Composition composition;         ///< reduced
  const Structure* structure = nullptr;
  Fingerprint fingerprint{};
  int space_group = 0;            ///< 0 where spglib finds none
  std::optional<MatchCell> cell;  ///< where matches are looked for, and it can be matched
  std::string refusal;
};

/// Symmetry and fingerprint, as far as they are not given.
KnownQuery make_known(const KnownCrystal& crystal, const EvaluateOptions& options);

struct JudgedQuery {
  EvaluatedQuery result;
  ReliabilityCounter reliability, reliability_of_best;
  bool probabilities = false;  ///< the ranker gives p
};

/// May be used from several threads.
class QueryJudge {
 public:
  /// `usable`: whether each template takes part.
  QueryJudge(const TemplateLibrary& library, std::vector<bool> usable,
             const EvaluateOptions& options);

  /// `ranked`: as the ranker gives it, for the templates of the query's ratio.
  JudgedQuery judge(const KnownQuery& query, std::vector<Ranker::Scored> ranked) const;

 private:
  class Candidates;
  class Matches;

  void judge_ranking(const Candidates& candidates, JudgedQuery& judged) const;
  std::vector<std::int64_t> judge_distinct(const Candidates& candidates,
                                           EvaluatedQuery& result) const;
  void judge_matches(const KnownQuery& query, const Candidates& candidates,
                     const std::vector<std::int64_t>& distinct, EvaluatedQuery& result) const;
  void judge_best(const KnownQuery& query, const Candidates& candidates,
                  EvaluatedQuery& result) const;
  Structure substituted(const Composition& query, std::int64_t candidate) const;

  const TemplateLibrary& library_;
  const std::vector<bool> usable_;
  const EvaluateOptions& options_;
  const ElementDissimilarity dissimilarity_;
};

}  // namespace kronite::csp
