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

struct OpenedModel {
  csp::Model model;
  std::string name;          ///< the path, or "NAME (inside kronite)"
  std::uintmax_t bytes = 0;  ///< of the file
};

/// A file, or the name of a model inside kronite; the best of these for an empty text.
/// @throws Error as csp::open_model().
OpenedModel open_model(const std::string& name);

/// "290-50-50-50-2"
std::string widths(const Network& network);
/// "5 networks 290-50-50-50-2, 98760 parameters"
std::string words(const Ensemble& ensemble);

/// Adds the argument for open_model().
void add_model_argument(CLI::App& command, std::string& name);

}  // namespace kronite::cli
