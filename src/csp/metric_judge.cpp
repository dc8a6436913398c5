// Sums over queries, divided at the end.
#include "csp/metric_judge.hpp"

#include <vector>

#include "csp/close_pairs.hpp"  // for sums_of_classes

namespace kronite::csp {

void MetricJudge::take(const learn::ListScores& scores, const learn::ListGroup& group) {
  ++judgement_.queries;
  judgement_.loss += scores.loss();
  const std::int64_t misses = scores.misses();
  judgement_.answerable += misses >= 0;
  judgement_.top1 += misses == 0;
  judgement_.top5 += misses >= 0 && misses < 5;
  judgement_.top10 += misses >= 0 && misses < 10;
  const auto relation = [&](std::size_t j) { return static_cast<Relation>(scores.relation[j]); };
  std::vector<double> counted(scores.p.begin(), scores.p.end());
  for (std::size_t j = 0; j < counted.size(); ++j)
    if (relation(j) == Relation::left_out) counted[j] = 0;
  const auto own = sums_of_classes(group.candidate_class, group.alike.size(), counted);
  std::vector<double> with_alike(own.size(), 0.0);
  for (std::size_t c = 0; c < own.size(); ++c)
    for (const std::int32_t other : group.alike[c])
      with_alike[c] += own[static_cast<std::size_t>(other)];
  for (std::size_t j = 0; j < counted.size(); ++j)
    if (relation(j) != Relation::left_out)
      counts_.add(with_alike[static_cast<std::size_t>(group.candidate_class[j])],
                  relation(j) == Relation::alike);
}

MetricJudgement MetricJudge::judgement() const {
  MetricJudgement result = judgement_;
  if (result.queries == 0) return result;
  const auto queries = static_cast<double>(result.queries);
  for (double* mean : {&result.loss, &result.top1, &result.top5, &result.top10}) *mean /= queries;
  result.reliability = counts_.bins();
  return result;
}

}  // namespace kronite::csp
