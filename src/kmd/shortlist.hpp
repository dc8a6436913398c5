// The best proposals of a search so far.
#pragma once

#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "kronite/kmd_design.hpp"  // for Proposal

namespace kronite::kmd {

/// What tells two proposals apart: components, and amounts in lowest terms where there are any.
using ProposalKey = std::vector<std::pair<int, int>>;

/// Keeps the `top` best of what it is shown, each key once. Equal distances go by key.
class Shortlist {
 public:
  explicit Shortlist(int top) : top_(static_cast<std::size_t>(top)) {}

  bool full() const { return rows_.size() == top_; }
  /// Squared distance of the last one, infinite while there is room.
  double last() const;
  void add(const ProposalKey& key, double squared, Proposal proposal);

  struct Row {
    ProposalKey key;
    double squared;
    Proposal proposal;
  };
  const std::vector<Row>& rows() const { return rows_; }

 private:
  std::size_t top_;
  std::vector<Row> rows_;  // best first
};

}  // namespace kronite::kmd
