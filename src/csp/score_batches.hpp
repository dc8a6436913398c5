// Blocks of pairs cut into batches: between two of them progress is told, or another device takes
// over.
#pragma once

#include <cstdint>
#include <vector>

#include "kronite/device.hpp"   // for Device
#include "kronite/network.hpp"  // for EnsembleView, ScoreBlock

namespace kronite::csp {

/// Pairs that the device scores in about a second, or less.
std::int64_t pairs_between_reports(const Device& device, const EnsembleView<float>& ensemble);

/// The pairs of all blocks in groups of some `most` pairs.
std::vector<std::vector<ScoreBlock>> batches_of(const std::vector<ScoreBlock>& blocks, bool self,
                                                std::int64_t most);

}  // namespace kronite::csp
