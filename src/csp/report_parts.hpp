// Figures and tables that several reports have.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "csp/train_report.hpp"      // for TrainRun
#include "csp/train_settings.hpp"    // for TrainSettings
#include "kronite/csp_training.hpp"  // for ReliabilityBin, EpochRecord

namespace kronite::csp {

/// The epochs of one member.
struct LearningCurve {
  std::string name;  ///< "network 1"
  const std::vector<learn::EpochRecord>* history = nullptr;
  int best_epoch = 0;
};

/// Losses and validation score over the epochs; `score` is its title.
std::string learning_curves_svg(const std::string& title, const std::vector<LearningCurve>& curves,
                                const std::string& score);
/// `member` and `score` are the names of their columns.
std::string learning_curves_csv(const std::vector<LearningCurve>& curves, const std::string& member,
                                const std::string& score);

struct ReliabilityCurve {
  std::string name;
  const std::vector<ReliabilityBin>* bins = nullptr;
};

/// Observed frequencies over predicted probabilities, and how many pairs the bins of the first
/// `counted` curves hold.
std::string reliability_svg(const std::string& title, const std::vector<ReliabilityCurve>& curves,
                            std::size_t counted);
std::string reliability_csv(const std::vector<ReliabilityCurve>& curves, const std::string& member);

/// Of a table: empty for a missing number (NaN).
std::string cell(double value);

/// Of a manifest: names of inputs and their content hashes.
nlohmann::ordered_json inputs_json(const std::vector<std::pair<std::string, std::string>>& inputs);
nlohmann::ordered_json manifest_json(const TrainSettings& settings, const TrainRun& run);
/// A line end behind the last brace.
std::string text_of(const nlohmann::ordered_json& json);

}  // namespace kronite::csp
