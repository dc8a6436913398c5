// What kernel functions are called in files and on the command line.
#pragma once

#include <string>
#include <vector>

#include "kronite/kernel.hpp"  // for KernelKind

namespace kronite::math {

/// By number of the enumerators.
inline const std::vector<std::string>& kernel_names() {
  static const std::vector<std::string> names = {"gaussian", "laplacian", "matern32", "matern52"};
  return names;
}

inline const std::string& name_of(KernelKind kernel) {
  return kernel_names()[static_cast<std::size_t>(kernel)];
}

}  // namespace kronite::math
