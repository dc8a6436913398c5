// Fitted models of functions as safetensors files (docs/formats.md).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kronite/krfd.hpp"  // for Model

namespace kronite::krfd {

struct SavedModel {
  Model model;
  std::vector<std::string> features;  ///< names of the columns of X; or empty
  /// What is worth knowing of where it comes from, in the order of the file. No key twice.
  std::vector<std::pair<std::string, std::string>> card;
};

/// The same model gives the same bytes.
/// @throws Error io; invalid_argument for names that are not as many as the features.
void write_model(const SavedModel& saved, const std::string& path);

/// Predicts the same as the one that was written, without a new fit; bands take the
/// eigen-decompositions on first use, as after a fit by Cholesky factors.
/// @throws Error io; corrupt, naming what is wrong.
SavedModel read_model(const std::string& path);

}  // namespace kronite::krfd
