// The constraints of a design by index, checked: what mixtures there are to choose from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kronite/kmd.hpp"         // for Components
#include "kronite/kmd_design.hpp"  // for Constraints, DesignOptions

namespace kronite::kmd {

/// n components each; those that may not be there have upper 0.
struct DesignSpace {
  std::vector<std::uint8_t> must;
  std::vector<double> lower, upper;  ///< of the weight of a component that is there; lower may be 0
  std::vector<std::vector<int>> states;  ///< oxidation states, ascending; empty unless neutral
  int most = 0;                          ///< components in a mixture, at least 1
  bool neutral = false;

  int components() const { return static_cast<int>(must.size()); }
  bool may(int i) const { return upper[i] > 0; }
};

/// @throws Error invalid_argument, saying which constraints contradict each other.
DesignSpace design_space(const Components& components, const Constraints& constraints,
                         const DesignOptions& options);

/// Whether there are weights between `lower` and `upper` that add up to 1, with a charge of 0 when
/// each component may have any mixture of the charges from least to most. Without charges (empty)
/// only the sum counts. `used`, if given, gets the components off their lower bounds in two
/// mixtures, between which there is one of charge 0.
bool reachable(std::span<const double> lower, std::span<const double> upper,
               std::span<const double> least_charge, std::span<const double> most_charge,
               std::vector<int>* used = nullptr);

/// One state for each of these amounts such that the charges add up to 0, the first in
/// lexicographic order; empty when there is none.
std::vector<int> neutral_states(std::span<const int> amounts,
                                std::span<const std::vector<int>* const> states);

}  // namespace kronite::kmd
