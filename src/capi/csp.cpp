// Crystal structure prediction behind the C interface.
#include "kronite/csp.hpp"

#include <memory>
#include <vector>

#include "capi/formula.hpp"  // for parse_formula
#include "capi/guard.hpp"    // for guarded, options_of, put_text
#include "capi/handles.hpp"  // for kronite_prediction

using kronite::Errc;
using kronite::fail;
using kronite::csp::Candidate;
using namespace kronite::capi;

namespace {

kronite::csp::PredictOptions predict_options(const kronite_predict_options& c) {
  kronite::csp::PredictOptions cpp;
  if (c.top < 0) fail(Errc::invalid_argument, "top is {}: give a number of candidates", c.top);
  if (c.top > 0) cpp.top = c.top;
  if (c.symprec != 0) cpp.symprec = c.symprec;
  if (c.cutoff != 0) cpp.cutoff = c.cutoff < 0 ? 0 : c.cutoff;
  cpp.exclude_known = c.exclude_known != 0;
  cpp.keep_duplicates = c.keep_duplicates != 0;
  switch (c.volume) {
    case KRONITE_VOLUME_SCALED:
      cpp.volume = kronite::csp::VolumeMethod::scaled;
      break;
    case KRONITE_VOLUME_TEMPLATE:
      cpp.volume = kronite::csp::VolumeMethod::as_template;
      break;
    default:
      fail(Errc::invalid_argument, "there is no volume method {}", c.volume);
  }
  return cpp;
}

const Candidate& candidate_of(const kronite_prediction* prediction, size_t index) {
  const auto& candidates = given(prediction, "prediction").prediction.candidates;
  if (index >= candidates.size())
    fail(Errc::invalid_argument, "there is no candidate number {}; the prediction has {}", index,
         candidates.size());
  return candidates[index];
}

kronite_candidate as_c(const Candidate& from) {
  // Three doubles side by side, so that the array of sites is a sites x 3 matrix.
  static_assert(sizeof(kronite::Vector3) == 3 * sizeof(double));
  kronite_candidate to{};
  to.rank = from.rank;
  to.known = from.known;
  to.score = from.score;
  to.p = from.p;
  to.p_std = from.p_std;
  to.mapping_cost = from.mapping_cost;
  to.volume_factor = from.volume_factor;
  to.template_id = from.template_id.c_str();
  to.template_formula = from.template_formula.c_str();
  to.license = from.license.c_str();
  to.international = from.international.c_str();
  to.space_group = from.space_group;
  to.sites = static_cast<int>(from.structure.size());
  for (std::size_t i = 0; i < 9; ++i) to.lattice[i] = from.structure.lattice[i / 3][i % 3];
  to.fractional = from.structure.fractional.empty() ? nullptr : from.structure.fractional[0].data();
  to.z = from.structure.z.data();
  to.duplicates = from.duplicates.size();
  return to;
}

std::string structure_text(const kronite::csp::Prediction& prediction, const Candidate& candidate,
                           int format) {
  switch (format) {
    case KRONITE_CIF:
      return kronite::to_cif(kronite::StandardCell{candidate.structure, {}, candidate.symmetry},
                             prediction.query);
    case KRONITE_POSCAR:
      return kronite::to_poscar(candidate.structure, prediction.query);
    case KRONITE_EXTXYZ:
      return kronite::to_extxyz(candidate.structure);
    default:
      fail(Errc::invalid_argument, "there is no structure format {}", format);
  }
}

}  // namespace

int kronite_predict(kronite_device* device, const kronite_templates* templates, const char* formula,
                    const kronite_predict_options* options, kronite_prediction** prediction) {
  return guarded([&] {
    given(prediction, "prediction");
    const auto query = parse_formula(formula);
    auto result = std::make_unique<kronite_prediction>();
    const auto chosen = options_of(options, "kronite_predict_options");
    const auto by_distance = kronite::csp::distance_ranker();
    const kronite::csp::Ranker* ranker = by_distance.get();
    if (chosen.model) ranker = chosen.model->ranker.get();
    result->prediction = kronite::csp::predict(*given(device, "device").device, query,
                                               given(templates, "templates").library, *ranker,
                                               predict_options(chosen));
    *prediction = result.release();
  });
}

void kronite_prediction_close(kronite_prediction* prediction) { delete prediction; }

int kronite_prediction_size(const kronite_prediction* prediction, size_t* candidates) {
  return guarded([&] {
    given(candidates, "candidates") = given(prediction, "prediction").prediction.candidates.size();
  });
}

int kronite_prediction_note(const kronite_prediction* prediction, char* text, size_t capacity,
                            size_t* needed) {
  return guarded(
      [&] { put_text(given(prediction, "prediction").prediction.note, text, capacity, needed); });
}

int kronite_prediction_summarise(const kronite_prediction* prediction,
                                 kronite_prediction_summary* summary) {
  return guarded([&] {
    const auto& from = given(prediction, "prediction").prediction;
    kronite_prediction_summary to{};
    to.templates = from.templates;
    to.likely = from.likely;
    to.best_p = from.best_p;
    put_struct(to, summary, "summary", "kronite_prediction_summary");
  });
}

int kronite_prediction_candidate(const kronite_prediction* prediction, size_t index,
                                 kronite_candidate* candidate) {
  return guarded([&] {
    put_struct(as_c(candidate_of(prediction, index)), candidate, "candidate", "kronite_candidate");
  });
}

int kronite_prediction_duplicate(const kronite_prediction* prediction, size_t index, size_t number,
                                 kronite_duplicate* duplicate) {
  return guarded([&] {
    const auto& duplicates = candidate_of(prediction, index).duplicates;
    if (number >= duplicates.size())
      fail(Errc::invalid_argument, "there is no duplicate number {}; the candidate has {}", number,
           duplicates.size());
    const kronite::csp::Duplicate& from = duplicates[number];
    kronite_duplicate to{};
    to.template_id = from.template_id.c_str();
    to.template_formula = from.template_formula.c_str();
    to.score = from.score;
    to.p = from.p;
    to.rms = from.rms;
    to.known = from.known;
    put_struct(to, duplicate, "duplicate", "kronite_duplicate");
  });
}

int kronite_prediction_text(const kronite_prediction* prediction, size_t index, int format,
                            char* text, size_t capacity, size_t* needed) {
  return guarded([&] {
    const Candidate& candidate = candidate_of(prediction, index);
    put_text(structure_text(prediction->prediction, candidate, format), text, capacity, needed);
  });
}
