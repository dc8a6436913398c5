// Cases of the steps of functional regression, for tests and benches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kronite::test {

/// n x m matrices; derivatives by length scales: n rows of m features.
struct FunctionalCase {
  std::string name;
  std::int64_t n, m;
  std::int64_t pad = 0;
};

inline std::vector<FunctionalCase> functional_cases() {
  return {
      {"no rows", 0, 3},          {"one value", 1, 1},
      {"with strides", 13, 7, 3}, {"one column less than a block", 5, 127},
      {"a block", 3, 128},        {"one column more", 4, 129, 1},
      {"one row", 1, 300},        {"one row more than a block", 129, 2},
      {"curves", 200, 51},
  };
}

}  // namespace kronite::test
