// One line of predictions.jsonl: what a run keeps of a candidate (fields: docs/csp.md).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "kronite/csp.hpp"  // for Prediction

namespace kronite::csp {

/// "scaled" or "template".
const char* name_of(VolumeMethod method);
/// "Sr<-Ca Ti<-Ti".
std::string mapping_text(const Candidate& candidate);
/// Ids of the templates that lead to the same crystal, with blanks between them.
std::string duplicate_ids(const Candidate& candidate);
/// Templates that the candidates stand for, duplicates included.
std::int64_t templates_used(const Prediction& prediction);
/// "0.93 ± 0.04", or "0.93" where the spread is NaN.
std::string probability_text(double p, double p_std, int digits = 2);

/// One JSON line per candidate, or one that carries the note where there is none; each ends in a
/// line feed. NaN becomes null; bytes that are not UTF-8 become U+FFFD.
std::string to_json_lines(const Prediction& prediction);

/// Called with each prediction of a file and the offset of the byte behind it.
using PredictionSink = std::function<void(Prediction&&, std::int64_t end)>;

/// Reads back what to_json_lines() wrote. A last prediction whose candidates are not all there is
/// left out. @throws Error io, or parse naming file and line.
void read_predictions(const std::string& path, const PredictionSink& sink);

}  // namespace kronite::csp
