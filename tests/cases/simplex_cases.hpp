// Cases of quadratic programs on the simplex, for tests and benches.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "support/matrix.hpp"  // for HostMatrix, random_value

namespace kronite::test {

/// P = X X' + ridge 1 with X of n x depth random values, so that its condition is about
/// depth / ridge where depth < n; q = P t + noise, t a mixture of up to `support` components.
struct SimplexCase {
  std::string name;
  std::int64_t rows, n, depth, support;
  double ridge, noise;
  std::int64_t pad = 0;
};

inline std::vector<SimplexCase> simplex_cases() {
  return {
      {"no rows", 0, 3, 3, 1, 1, 0},
      {"one component", 3, 1, 1, 1, 1, 1},
      {"two components", 8, 2, 2, 2, 0.1, 1},
      {"six components, exact", 40, 6, 6, 3, 0.01, 0},
      {"six components, noisy", 80, 6, 6, 3, 0.01, 1},
      {"six components, far away", 40, 6, 6, 3, 0.01, 1000},
      {"with strides", 20, 11, 11, 4, 0.1, 0.5, 3},
      {"a condition of 1e8", 60, 20, 10, 4, 1e-7, 1e-3},
      {"elements, exact", 70, 94, 94, 5, 0.01, 0},
      {"elements, noisy", 70, 94, 94, 5, 0.01, 0.1},
      {"every component", 4, 70, 70, 70, 1, 0},
      {"more than shared memory holds", 3, 150, 150, 150, 1, 1e-3},
  };
}

inline HostMatrix<double> simplex_matrix(const SimplexCase& c) {
  const auto x = random_matrix<double>(31, c.n, c.depth);
  return HostMatrix<double>(c.n, c.n, c.pad).fill([&](std::int64_t i, std::int64_t j) {
    double sum = i == j ? c.ridge : 0;
    for (std::int64_t k = 0; k < c.depth; ++k) sum += x.at(i, k) * x.at(j, k);
    return sum;
  });
}

/// The mixtures that the targets were made of.
inline HostMatrix<double> simplex_truth(const SimplexCase& c) {
  HostMatrix<double> t(c.rows, c.n, c.pad);
  for (std::int64_t i = 0; i < c.rows; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < c.n; ++j) {
      const std::int64_t place = (j + 7 * i) % c.n;  // which components: another run in each row
      t.at(i, j) =
          place < c.support ? 1.5 + random_value(32, static_cast<std::uint64_t>(i * c.n + j)) : 0;
      sum += t.at(i, j);
    }
    for (std::int64_t j = 0; j < c.n; ++j) t.at(i, j) /= sum;
  }
  return t;
}

inline HostMatrix<double> simplex_targets(const SimplexCase& c) {
  const auto p = simplex_matrix(c);
  const auto t = simplex_truth(c);
  return HostMatrix<double>(c.rows, c.n, c.pad).fill([&](std::int64_t i, std::int64_t j) {
    double sum = c.noise * random_value(33, static_cast<std::uint64_t>(i * c.n + j));
    for (std::int64_t k = 0; k < c.n; ++k) sum += p.at(j, k) * t.at(i, k);
    return sum;
  });
}

}  // namespace kronite::test
