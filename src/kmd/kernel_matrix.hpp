// The matrix H of a descriptor: components in scaled units against the grids of their features, or
// against each other.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kronite/kmd.hpp"  // for Components, Settings

namespace kronite::kmd {

/// Least and largest value of each feature.
struct Ranges {
  std::vector<double> low, high;  ///< K
};
Ranges ranges_of(const Components& components);

/// @throws Error invalid_argument, naming a feature that is constant or two that are equal.
void check_features(const Components& components);

/// Two components with the same values, by name; empty names when there are none.
std::pair<std::string, std::string> equal_components(const Components& components);

/// n x K values in scaled units. Scaling::automatic is none of the scalings.
std::vector<double> scaled(const Components& components, Scaling scaling);

/// H, n x (K n_grids), row-major. settings: as chosen, but n_grids, which is given.
std::vector<double> grid_matrix(const Components& components, const Settings& settings,
                                std::int64_t n_grids);

/// H, n x n, row-major, of settings as chosen.
std::vector<double> joint_matrix(const Components& components, const Settings& settings);

/// The length scale of Layout::joint, as Settings::sigma says it.
/// @throws Error invalid_argument when it is 0, naming two components that are equal.
double joint_length_scale(const Components& components, const Settings& settings);

/// The fewest points per grid, from `from` to kMostGrids, with which H has full row rank and P a
/// condition of at most `most_condition`; 0 when there are none.
std::int64_t fewest_grids(const Components& components, const Settings& settings, std::int64_t from,
                          double most_condition);
inline constexpr std::int64_t kMostGrids = 64;

}  // namespace kronite::kmd
