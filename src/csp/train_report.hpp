// The folder of figures and tables that a training leaves.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kronite/csp_training.hpp"  // for TrainOptions, TrainResult

namespace kronite::csp {

/// What the manifest says beside settings and metrics.
struct TrainRun {
  std::string command, device, model_path;
  std::vector<std::pair<std::string, std::string>> inputs;  ///< name and content hash
};

/// Makes the folder. @throws Error io; invalid_argument when it holds files.
void prepare_report_folder(const std::string& path);

/// learning_curves, reliability (.svg, .csv), metrics (.csv, .json), config.toml, manifest.json.
/// What there is nothing to say about is left out: reliability without a validation part.
/// @throws Error io.
void write_train_report(const std::string& path, const TrainOptions& options,
                        const TrainResult& result, const TrainRun& run);

}  // namespace kronite::csp
