// Compares each candidate with those before it.
#include "csp/distinct_candidates.hpp"

#include <utility>

#include "kronite/error.hpp"  // for Error

namespace kronite::csp {
namespace {

/// Nothing for a crystal whose atoms coincide, or which is too long and narrow: it stays.
std::optional<MatchCell> cell_of(const Candidate& candidate) {
  try {
    return MatchCell(candidate.structure);
  } catch (const Error& error) {
    if (error.code() != Errc::invalid_argument) throw;
    return std::nullopt;
  }
}

Duplicate as_duplicate(const Candidate& candidate, double rms) {
  Duplicate duplicate;
  duplicate.template_index = candidate.template_index;
  duplicate.template_id = candidate.template_id;
  duplicate.template_formula = candidate.template_formula;
  duplicate.score = candidate.score;
  duplicate.p = candidate.p;
  duplicate.rms = rms;
  duplicate.known = candidate.known;
  return duplicate;
}

}  // namespace

void DistinctCandidates::add(Candidate candidate) {
  std::optional<MatchCell> cell = merge_ ? cell_of(candidate) : std::nullopt;
  for (std::size_t i = 0; cell && i < candidates_.size(); ++i) {
    if (!cells_[i] || candidates_[i].space_group != candidate.space_group) continue;
    const Match found = match(*cells_[i], *cell);
    if (!found.same) continue;
    candidates_[i].known = candidates_[i].known || candidate.known;
    candidates_[i].duplicates.push_back(as_duplicate(candidate, found.rms));
    return;
  }
  candidate.rank = static_cast<int>(candidates_.size()) + 1;
  candidates_.push_back(std::move(candidate));
  cells_.push_back(std::move(cell));
}

}  // namespace kronite::csp
