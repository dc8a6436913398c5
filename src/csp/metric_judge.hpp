// How well a metric answers queries whose alike candidates are known.
#pragma once

#include "csp/reliability.hpp"  // for ReliabilityCounter
#include "kronite/metric.hpp"   // for MetricJudgement
#include "learn/lists.hpp"      // for ListGroup, ListScores

namespace kronite::csp {

/// Counts what queries say.
class MetricJudge {
 public:
  /// Of one query of `group`, whose classes are those of MetricData.
  void take(const learn::ListScores& scores, const learn::ListGroup& group);

  MetricJudgement judgement() const;

 private:
  MetricJudgement judgement_;  ///< sums
  ReliabilityCounter counts_;
};

}  // namespace kronite::csp
