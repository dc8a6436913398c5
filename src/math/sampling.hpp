// Drawing without replacement from sets too large to be written down.
#pragma once

#include <cstdint>
#include <vector>

#include "math/random.hpp"  // for Random

namespace kronite::math {

/// k different numbers of [0, n), ascending; every choice equally likely. 0 <= k <= n. Time and
/// memory grow with k, not with n.
std::vector<std::int64_t> draw_distinct(Random& random, std::int64_t n, std::int64_t k);

}  // namespace kronite::math
