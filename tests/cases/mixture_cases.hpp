// Cases of kernel means of mixtures, for tests and benches.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "support/matrix.hpp"  // for HostMatrix, random_value
#include "support/random.hpp"  // for random_bits

namespace kronite::test {

/// `rows` mixtures of up to `most` of n components, which have `features` with `grid` points each.
struct MixtureCase {
  std::string name;
  std::int64_t rows, n, features, grid, most;
  std::int64_t pad = 0;
};

inline std::vector<MixtureCase> mixture_cases() {
  return {
      {"no rows", 0, 3, 2, 4, 2},
      {"no features", 2, 3, 0, 4, 2},
      {"one value", 1, 1, 1, 1, 1},
      {"one component each", 5, 4, 3, 2, 1},
      {"rows without a component", 3, 4, 3, 2, 0},
      {"with strides", 13, 7, 5, 3, 4, 3},
      {"one column less than four vectors", 9, 11, 1, 31, 5},
      {"four vectors", 9, 11, 2, 16, 5},
      {"every component", 4, 40, 3, 11, 40, 1},
      {"across tiles", 130, 20, 4, 5, 6},
      {"compositions", 300, 94, 58, 10, 8},
  };
}

/// Rows of a sparse matrix, on the host.
struct HostRows {
  std::vector<std::int64_t> first{0};
  std::vector<std::int32_t> column;
  std::vector<double> value;
};

/// Every row has from 0 or 1 to `most` components, ascending; weights add up to 1.
inline HostRows mixtures(const MixtureCase& c) {
  HostRows w;
  for (std::int64_t i = 0; i < c.rows; ++i) {
    const auto seed = static_cast<std::uint64_t>(i);
    const std::int64_t least = std::min<std::int64_t>(c.most, 1);
    const std::int64_t wanted =
        least + static_cast<std::int64_t>(random_bits(21, seed) %
                                          static_cast<std::uint64_t>(c.most - least + 1));
    const std::size_t begin = w.column.size();
    double sum = 0;
    for (std::int64_t j = 0; j < c.n; ++j) {
      // Each of what is left is as likely to be among those still wanted.
      const auto taken = static_cast<std::int64_t>(w.column.size() - begin);
      const std::uint64_t draw = random_bits(22 + seed, static_cast<std::uint64_t>(j));
      if (static_cast<std::int64_t>(draw % static_cast<std::uint64_t>(c.n - j)) >= wanted - taken)
        continue;
      w.column.push_back(static_cast<std::int32_t>(j));
      w.value.push_back(0.01 + static_cast<double>(draw >> 40) / (1 << 24));
      sum += w.value.back();
    }
    for (std::size_t e = begin; e < w.value.size(); ++e) w.value[e] /= sum;
    w.first.push_back(static_cast<std::int64_t>(w.column.size()));
  }
  return w;
}

/// The same as a matrix with zeros.
inline HostMatrix<double> dense(const HostRows& w, std::int64_t n, std::int64_t pad = 0) {
  HostMatrix<double> m(static_cast<std::int64_t>(w.first.size()) - 1, n, pad);
  m.fill([](std::int64_t, std::int64_t) { return 0.0; });
  for (std::int64_t i = 0; i < m.rows; ++i)
    for (std::int64_t e = w.first[i]; e < w.first[i + 1]; ++e)
      m.at(i, w.column[static_cast<std::size_t>(e)]) = w.value[static_cast<std::size_t>(e)];
  return m;
}

}  // namespace kronite::test
