// What every dense layer must be.
#pragma once

#include <cstdint>
#include <string>

#include "kronite/ensemble.hpp"  // for DenseLayer

namespace kronite {

/// @throws Error invalid_argument when the layer does not take `inputs` values, has no units,
/// arrays of other sizes or a value that is not finite; `place` names it: "layer 0 of network 1".
void check_layer(const DenseLayer& layer, std::int64_t inputs, const std::string& place);

}  // namespace kronite
