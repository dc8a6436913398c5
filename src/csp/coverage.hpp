// An order that proposes different structures: each next template is the one that covers most of
// what the ones before it leave.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kronite/device.hpp"     // for Device
#include "kronite/templates.hpp"  // for TemplateLibrary

namespace kronite::csp {

/// Who covers whom: K_jk = exp(-(d_jk / tau)^2), d the dissimilarity of two structures; left away
/// where it is below kLeastCover. K_jj = 1 is not in the lists.
struct Cover {
  std::int32_t place;
  float k;
  bool alike;  ///< whether the dissimilarity is at most tau
};
inline constexpr double kLeastCover = 1e-3;
using Covers = std::vector<std::vector<Cover>>;

/// Of each of `members` (indices of the library), the others as places in `members`. Waits.
/// @throws Error unavailable when the library has no fingerprints; corrupt.
Covers find_covers(Device& device, const TemplateLibrary& library,
                   std::span<const std::int32_t> members, double tau);

struct Pick {
  std::size_t place;
  double gain;  ///< of the probability, what this place covers and those before it do not
};
/// Greedily the `most` places of largest gain, sum_k left_k K_jk, where left begins as p and loses
/// the share K_jk with each place j that is picked. Gains fall along the list. Of equal ones the
/// first place. Places with a p of 0 are not picked.
std::vector<Pick> pick_by_coverage(const Covers& covers, const std::vector<double>& p,
                                   std::size_t most);

}  // namespace kronite::csp
