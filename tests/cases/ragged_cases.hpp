// Cases of least squares on curves of different lengths, for tests and benches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kronite::test {

/// Curves of `lengths` rows each, K basis functions, S systems.
struct RaggedCase {
  std::string name;
  std::vector<std::int64_t> lengths;
  std::int64_t basis, systems;
  std::int64_t pad = 0;  ///< unused values between rows

  std::int64_t curves() const { return static_cast<std::int64_t>(lengths.size()); }
  std::int64_t rows() const {
    std::int64_t sum = 0;
    for (const std::int64_t n : lengths) sum += n;
    return sum;
  }
  /// curves + 1.
  std::vector<std::int64_t> first() const {
    std::vector<std::int64_t> begin{0};
    for (const std::int64_t n : lengths) begin.push_back(begin.back() + n);
    return begin;
  }
  std::vector<std::int64_t> curve() const {
    std::vector<std::int64_t> of;
    for (std::int64_t i = 0; i < curves(); ++i)
      of.insert(of.end(), static_cast<std::size_t>(lengths[static_cast<std::size_t>(i)]), i);
    return of;
  }
};

inline std::vector<RaggedCase> ragged_cases() {
  std::vector<std::int64_t> many;
  for (std::int64_t i = 0; i < 375; ++i) many.push_back(2 + i * 7 % 19);
  return {
      {"no curves", {}, 4, 2},
      {"one value", {1}, 1, 1},
      {"no systems", {2, 1}, 3, 0},
      {"empty curves between others", {0, 3, 0, 0, 2, 0}, 5, 2},
      {"with strides", {2, 5, 1, 4}, 7, 3, 3},
      {"one system", std::vector<std::int64_t>(129, 2), 30, 1},
      {"rows across chunks and tiles", std::vector<std::int64_t>(300, 1), 3, 5, 1},
      {"the tutorial", many, 30, 1},
      {"draws", many, 30, 8},
  };
}

}  // namespace kronite::test
