// Predicted probabilities against what became of them, in bins of equal width.
#pragma once

#include <vector>

#include "kronite/csp_training.hpp"  // for ReliabilityBin

namespace kronite::csp {

class ReliabilityCounter {
 public:
  explicit ReliabilityCounter(int bins = 10);

  void add(double p, bool alike);
  /// Of as many bins.
  void add(const ReliabilityCounter& other);
  /// With means, NaN in empty bins.
  std::vector<ReliabilityBin> bins() const;

 private:
  std::vector<ReliabilityBin> sums_;
};

}  // namespace kronite::csp
