// The tables of an experiment, and the folder that it leaves.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kmd/experiment.hpp"  // for Experiment

namespace kronite::kmd {

/// What the manifest says beside the results.
struct ExperimentRun {
  std::string command, device;
  std::vector<std::pair<std::string, std::string>> inputs;  ///< name and content hash
};

/// Everything about an experiment.
struct ExperimentRecord {
  const ExperimentSettings& settings;
  const ExperimentData& data;
  const Experiment& experiment;
};

/// As many decimals as four digits of `scale` take, at most four; values on a scale below 0.001
/// with a power of ten.
std::string rounded(double value, double scale);

/// One finished trial as one line of JSON, with its line end.
std::string trial_json(const ExperimentSettings& settings, const ExperimentData& data,
                       const Trial& trial);

/// table.csv, differences.csv, predictions.csv, parity.svg (of values), manifest.json; splits.jsonl
/// is written trial by trial.
/// @throws Error io.
void write_experiment(const std::string& folder, const ExperimentRecord& record,
                      const ExperimentRun& run, const std::string& config_text);

}  // namespace kronite::kmd
