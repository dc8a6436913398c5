// Insertion in order.
#include "kmd/shortlist.hpp"

#include <algorithm>

namespace kronite::kmd {

double Shortlist::last() const {
  return full() ? rows_.back().squared : std::numeric_limits<double>::infinity();
}

void Shortlist::add(const ProposalKey& key, double squared, Proposal proposal) {
  const auto before = [](const Row& a, const Row& b) {
    return a.squared != b.squared ? a.squared < b.squared : a.key < b.key;
  };
  Row row{key, squared, std::move(proposal)};
  const auto same =
      std::find_if(rows_.begin(), rows_.end(), [&](const Row& other) { return other.key == key; });
  if (same != rows_.end()) {
    if (!before(row, *same)) return;
    rows_.erase(same);
  } else if (full()) {
    if (!before(row, rows_.back())) return;
    rows_.pop_back();
  }
  rows_.insert(std::upper_bound(rows_.begin(), rows_.end(), row, before), std::move(row));
}

}  // namespace kronite::kmd
