// Which templates of a library have nearly the same structure.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "kronite/device.hpp"     // for Device
#include "kronite/templates.hpp"  // for TemplateLibrary

namespace kronite::csp {

/// All (a, b) with a < b, places in `members`, whose structures have a dissimilarity <= limit; in
/// ascending order. The same on every device: distances are formed there in single precision, and
/// those too near the limit to be decided by it are asked of dissimilarity(). Waits.
std::vector<std::pair<std::int32_t, std::int32_t>> close_pairs(
    Device& device, const TemplateLibrary& library, std::span<const std::int32_t> members,
    double limit);

/// Of each of `members` the places, ascending, of the others whose structures are as close.
using CloseLists = std::vector<std::vector<std::int32_t>>;
CloseLists close_lists(Device& device, const TemplateLibrary& library,
                       std::span<const std::int32_t> members, double limit);

}  // namespace kronite::csp
