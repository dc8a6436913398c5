// Drawing without replacement: draw, throw repeated numbers away, draw again what is missing.
#include "math/sampling.hpp"

#include <algorithm>

namespace kronite::math {
namespace {

/// Those of [0, n) that are not in `left_out` (ascending).
std::vector<std::int64_t> others(std::int64_t n, const std::vector<std::int64_t>& left_out) {
  std::vector<std::int64_t> kept;
  kept.reserve(static_cast<std::size_t>(n) - left_out.size());
  auto next = left_out.begin();
  for (std::int64_t value = 0; value < n; ++value)
    if (next != left_out.end() && *next == value)
      ++next;
    else
      kept.push_back(value);
  return kept;
}

}  // namespace

std::vector<std::int64_t> draw_distinct(Random& random, std::int64_t n, std::int64_t k) {
  // Above one half nearly every number would be a repeated one.
  if (2 * k > n) return others(n, draw_distinct(random, n, n - k));
  std::vector<std::int64_t> drawn;
  drawn.reserve(static_cast<std::size_t>(k));
  while (static_cast<std::int64_t>(drawn.size()) < k) {
    for (auto missing = k - static_cast<std::int64_t>(drawn.size()); missing > 0; --missing)
      drawn.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n))));
    std::sort(drawn.begin(), drawn.end());
    drawn.erase(std::unique(drawn.begin(), drawn.end()), drawn.end());
  }
  return drawn;
}

}  // namespace kronite::math
