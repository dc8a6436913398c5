// What the settings of kernel mean descriptors are called in files and on the command line.
#pragma once

#include <string>
#include <vector>

#include "kronite/kmd.hpp"  // for Layout, Scaling, KernelKind

namespace kronite::kmd {

/// By number of the enumerators.
const std::vector<std::string>& layout_names();   ///< grid, joint
const std::vector<std::string>& kernel_names();   ///< gaussian, laplacian, matern32, matern52
const std::vector<std::string>& scaling_names();  ///< auto, none, min_max, z_score

const std::string& name_of(Layout layout);
const std::string& name_of(KernelKind kernel);
const std::string& name_of(Scaling scaling);

/// Index of `name`; names.size() where it is not there.
std::size_t index_of(const std::vector<std::string>& names, const std::string& name);

inline constexpr double kMostGridPoints = 1000;  ///< grid points that a file or command may ask for
inline constexpr double kLargestCondition = 1e300;  ///< and of most_condition

}  // namespace kronite::kmd
