// Settings of a training run as TOML (docs/training.md lists the keys).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "csp/train_settings.hpp"    // for TrainSettings
#include "kronite/csp_training.hpp"  // for TrainOptions

namespace kronite::csp {

/// What the file does not say keeps its default.
/// @throws Error io; parse, naming file, line, the setting and what was expected.
TrainOptions read_train_config(const std::string& path);
/// Of a text; `name` stands for the file in messages.
TrainOptions parse_train_config(std::string_view text, const std::string& name);

/// Every setting in the order of to_toml(): "pairs.tau" and its value as TOML writes it.
TrainSettings train_settings(const TrainOptions& options);
/// The same, and what else decides the result: draw, library and excluded formulas.
TrainSettings run_settings(const TemplateLibrary& library, const TrainOptions& options,
                           const std::vector<std::string>& excluded_formulas);
/// A file that reads back as the same options.
std::string to_toml(const TrainOptions& options);

}  // namespace kronite::csp
