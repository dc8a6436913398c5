// The folder of figures and tables that the training of a metric leaves.
#pragma once

#include <string>

#include "csp/train_report.hpp"  // for TrainRun
#include "kronite/metric.hpp"    // for MetricOptions, MetricResult

namespace kronite::csp {

/// learning_curves, reliability (.svg, .csv), metrics (.csv, .json), config.toml, manifest.json
/// into a folder made by prepare_report_folder(). What there is nothing to say about is left out.
/// @throws Error io.
void write_metric_report(const std::string& path, const MetricOptions& options,
                         const MetricResult& result, const TrainRun& run);

}  // namespace kronite::csp
