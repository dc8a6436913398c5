// Cases of distances and Gram matrices, for tests and benches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "device/ops.hpp"  // for KernelKind

namespace kronite::test {

/// x: n x d, y: m x d.
struct GramCase {
  std::string name;
  std::int64_t n, m, d;
  std::int64_t pad = 0;
};

inline std::vector<GramCase> gram_cases() {
  return {
      {"no rows", 0, 3, 2},
      {"no columns", 3, 0, 2},
      {"no features", 2, 3, 0},
      {"one value", 1, 1, 1},
      {"with strides", 13, 11, 7, 3},
      {"one column more than a vector", 9, 17, 5},
      {"one column less than a panel", 8, 31, 5},
      {"one row", 1, 100, 20},
      {"across tiles", 520, 70, 3, 1},
      {"descriptors", 90, 130, 290},
      {"a grid", 1000, 100, 2},
  };
}

struct NamedKernel {
  const char* name;
  KernelKind kind;
};

inline std::vector<NamedKernel> kernel_kinds() {
  return {{"Gaussian", KernelKind::gaussian},
          {"Laplacian", KernelKind::laplacian},
          {"Matern 3/2", KernelKind::matern32},
          {"Matern 5/2", KernelKind::matern52}};
}

}  // namespace kronite::test
