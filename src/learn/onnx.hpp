// Ensembles as ONNX models, for programs that run networks of that format.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kronite/ensemble.hpp"  // for Ensemble

namespace kronite::learn {

/// The bytes of an ONNX file (opset 13): input "difference", n x inputs float32, multiplied by
/// `scale` (one value per input) before the networks; output "p", n x 1, the mean over the members
/// of the probability of being alike. `texts` become its metadata.
/// @throws Error invalid_argument as Ensemble::check(), or when a scale is beyond single precision.
std::string to_onnx(const Ensemble& ensemble, const std::vector<double>& scale,
                    const std::vector<std::pair<std::string, std::string>>& texts);

}  // namespace kronite::learn
