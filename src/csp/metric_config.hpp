// Settings of a metric's training as TOML (docs/metric.md lists the keys).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "csp/train_settings.hpp"  // for TrainSettings
#include "kronite/metric.hpp"      // for MetricOptions

namespace kronite::csp {

/// What the file does not say keeps its default.
/// @throws Error io; parse, naming file, line, the setting and what was expected.
MetricOptions read_metric_config(const std::string& path);
/// Of a text; `name` stands for the file in messages.
MetricOptions parse_metric_config(std::string_view text, const std::string& name);

/// Every setting in the order of to_toml().
TrainSettings metric_settings(const MetricOptions& options);
/// The same, and what else decides the result: library and excluded formulas.
TrainSettings run_settings(const TemplateLibrary& library, const MetricOptions& options,
                           const std::vector<std::string>& excluded_formulas);
/// A file that reads back as the same options.
std::string to_toml(const MetricOptions& options);

}  // namespace kronite::csp
