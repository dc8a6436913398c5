// Models out of memory, as those inside the library and those of fuzz targets are.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "kronite/model.hpp"  // for Model

namespace kronite::csp {

/// `name` stands for the path in messages. @throws Error corrupt.
Model model_in_memory(std::span<const std::byte> bytes, const std::string& name);

/// Whether a text given for a model is a path: it has a '/', ends in ".safetensors" or is a file
/// that is there. Else it is the name of a model inside the library.
bool names_a_file(const std::string& model);

/// Learned metrics, then classifiers inside kronite; the first is the one that ranks by default.
std::vector<std::string> models_inside();

}  // namespace kronite::csp
