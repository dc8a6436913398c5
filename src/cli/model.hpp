// What the commands of `kronite model` share.
#pragma once

#include <cstdint>
#include <string>

#include "kronite/model.hpp"  // for Model

namespace CLI {
class App;
}

namespace kronite::cli {

// Each adds its commands to `kronite model`.
void add_model_read(CLI::App& model);     // model_read.cpp: card, info
void add_model_convert(CLI::App& model);  // model_convert.cpp: convert

/// Of the file of a model, also of one inside kronite.
std::uintmax_t bytes_of(const std::string& model);

/// "290-50-50-50-2"
std::string widths(const Network& network);
/// "5 networks 290-50-50-50-2, 98760 parameters"
std::string words(const Ensemble& ensemble);

/// Adds the argument for a file or a name inside kronite; empty: the best inside.
void add_model_argument(CLI::App& command, std::string& name);

}  // namespace kronite::cli
