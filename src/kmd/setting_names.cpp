// Names in the order of the enumerators.
#include "kmd/setting_names.hpp"

#include <algorithm>

namespace kronite::kmd {

const std::vector<std::string>& layout_names() {
  static const std::vector<std::string> names = {"grid", "joint"};
  return names;
}
const std::vector<std::string>& kernel_names() {
  static const std::vector<std::string> names = {"gaussian", "laplacian", "matern32", "matern52"};
  return names;
}
const std::vector<std::string>& scaling_names() {
  static const std::vector<std::string> names = {"auto", "none", "min_max", "z_score"};
  return names;
}

const std::string& name_of(Layout layout) {
  return layout_names()[static_cast<std::size_t>(layout)];
}
const std::string& name_of(KernelKind kernel) {
  return kernel_names()[static_cast<std::size_t>(kernel)];
}
const std::string& name_of(Scaling scaling) {
  return scaling_names()[static_cast<std::size_t>(scaling)];
}

std::size_t index_of(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

}  // namespace kronite::kmd
