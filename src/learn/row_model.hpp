// Networks of any number of outputs at work.
#pragma once

#include <vector>

#include "kronite/device.hpp"    // for Device
#include "kronite/ensemble.hpp"  // for Network
#include "kronite/view.hpp"      // for MatrixView

namespace kronite::learn {

/// What the last layer gives, n x outputs. rows: n x d, on the device. Waits.
std::vector<float> network_outputs(Device& device, const Network& network,
                                   MatrixView<const float> rows);

/// softmax of `count` logits, added to p times `share`.
void add_softmax(const float* logits, std::int64_t count, double share, double* p);

}  // namespace kronite::learn
