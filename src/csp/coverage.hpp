// An order that proposes different structures: each next template is the one that covers most of
// what the ones before it leave.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "csp/close_pairs.hpp"    // for FingerprintClasses
#include "kronite/device.hpp"     // for Device
#include "kronite/templates.hpp"  // for TemplateLibrary

namespace kronite::csp {

/// Who covers whom: K_jk = exp(-(d_jk / tau)^2), d the dissimilarity of two structures; left away
/// where it is below kLeastCover. Members of a class cover each other completely.
struct Cover {
  std::int32_t to;  ///< a class
  float k;
  bool alike;  ///< whether the dissimilarity is at most tau
};
inline constexpr double kLeastCover = 1e-3;
struct Covers {
  FingerprintClasses classes;
  /// Of each class those that it covers, ascending, itself (with a K of 1) among them.
  std::vector<std::vector<Cover>> of;
};

/// Of `members` (indices of the library). Without fingerprints each covers itself alone. Waits.
/// @throws Error corrupt.
Covers find_covers(Device& device, const TemplateLibrary& library,
                   std::span<const std::int32_t> members, double tau);

/// Of each class the sum of p over its members and those of classes that are alike with it.
std::vector<double> sums_over_alike(const Covers& covers, const std::vector<double>& p);

struct Pick {
  std::size_t place;  ///< in `members`
  double gain;        ///< of the probability, what this place covers and those before it do not
};
/// Greedily up to `most` places of largest gain, sum_k left_k K_jk, where left begins as p and
/// loses the share K_jk with each place j that is picked, until nothing is left. Gains fall along
/// the list. Of the members of a class, which have one gain, that of the largest p, of equal ones
/// the first.
std::vector<Pick> pick_by_coverage(const Covers& covers, const std::vector<double>& p,
                                   std::size_t most);

}  // namespace kronite::csp
