// A prediction made by hand.
#pragma once

#include <limits>
#include <string>

#include "kronite/csp.hpp"  // for Prediction

namespace kronite::test {

inline Structure perovskite(int a, int b, double edge) {
  Structure structure;
  structure.lattice = {{{edge, 0, 0}, {0, edge, 0}, {0, 0, edge}}};
  structure.z = {static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b), 8, 8, 8};
  structure.fractional = {{0, 0, 0}, {.5, .5, .5}, {.5, .5, 0}, {.5, 0, .5}, {0, .5, .5}};
  return structure;
}

/// Of a formula ABO3; the structures are those of SrTiO3.
inline csp::Prediction two_candidates(const std::string& query) {
  csp::Prediction prediction;
  prediction.query = query;
  prediction.ratio = "3:1:1";
  prediction.templates = prediction.likely = 7;
  for (int rank = 1; rank <= 2; ++rank) {
    csp::Candidate c;
    c.rank = rank;
    c.score = -0.5 * rank;
    c.p = c.p_std = std::numeric_limits<double>::quiet_NaN();
    c.template_id = "template-" + std::to_string(rank);
    c.template_formula = "CaTiO3";
    c.license = "CC0";
    c.source = "made by hand";
    c.mapping = {{8, 8}, {20, 38}, {22, 22}};
    c.mapping_cost = 1.25;
    c.volume_factor = 1.1;
    c.volume = csp::VolumeMethod::scaled;
    c.structure = perovskite(38, 22, 3.9);
    c.symmetry = standardise(c.structure).symmetry;
    c.space_group = 221;
    c.international = "Pm-3m";
    prediction.candidates.push_back(c);
  }
  return prediction;
}

/// The same as a model ranks them.
inline csp::Prediction two_likely_candidates(const std::string& query) {
  csp::Prediction prediction = two_candidates(query);
  prediction.likely = 4;
  prediction.best_p = 0.875;
  for (auto& c : prediction.candidates) {
    c.p = c.score = 0.875 / c.rank;
    c.p_std = 0.0625;
  }
  return prediction;
}

}  // namespace kronite::test
