// The candidates of a query, each crystal once.
#pragma once

#include <optional>
#include <vector>

#include "kronite/csp.hpp"      // for Candidate
#include "kronite/matcher.hpp"  // for MatchCell

namespace kronite::csp {

/// Collects candidates in the order of their ranks. Two are one crystal when they match() at the
/// default tolerances and have the same space group: a distorted variant of lower symmetry is
/// another proposal, for a relaxation that starts from the undistorted one never reaches it.
class DistinctCandidates {
 public:
  /// With `merge` off every candidate is kept.
  explicit DistinctCandidates(bool merge) : merge_(merge) {}

  /// Gives it the next rank, or adds it to the duplicates of the candidate that is the same.
  void add(Candidate candidate);
  std::size_t size() const { return candidates_.size(); }
  std::vector<Candidate> take() { return std::move(candidates_); }

 private:
  bool merge_;
  std::vector<Candidate> candidates_;
  std::vector<std::optional<MatchCell>> cells_;  // nothing where a crystal cannot be compared
};

}  // namespace kronite::csp
