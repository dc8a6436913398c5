// Components A, B, ... with a random H, and oxidation states for them: what searches for mixtures
// are tested on.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "kmd/design_search.hpp"
#include "support/matrix.hpp"  // for HostMatrix
#include "support/random.hpp"  // for random_value

namespace kronite::kmd::test {

using kronite::test::HostMatrix;

/// Components A, B, ... with random rows of H, and a target.
struct World {
  World(std::uint64_t seed, int n, double noise = 0.3) : h(n, n + 2), phi(h.cols) {
    h.fill([&](std::int64_t i, std::int64_t k) {
      return 1 + kronite::test::random_value(seed, i * 100 + k) + (i == k ? 1 : 0);
    });
    for (int i = 0; i < n; ++i) {
      components.names.push_back(std::string(1, static_cast<char>('A' + i)));
      const double w = 0.5 + 0.5 * kronite::test::random_value(seed + 1, i);
      for (std::int64_t k = 0; k < h.cols; ++k) phi[k] += 2 * w / n * h.at(i, k);
    }
    for (std::int64_t k = 0; k < h.cols; ++k)
      phi[k] += noise * kronite::test::random_value(seed + 2, k);
  }

  Design design(const Constraints& constraints, const DesignOptions& options) const {
    const DesignSpace space = design_space(components, constraints, options);
    const DesignGeometry geometry(h.view());
    const DesignTarget target(geometry, {phi.data(), std::ssize(phi)});
    return (options.atoms > 0 ? search_formulas : search_supports)(geometry, target, space, options)
        ->run();
  }
  double distance(const std::vector<double>& w) const {
    double sum = 0;
    for (std::int64_t k = 0; k < h.cols; ++k) {
      double rest = phi[k];
      for (std::int64_t i = 0; i < h.rows; ++i) rest -= w[i] * h.at(i, k);
      sum += rest * rest;
    }
    return std::sqrt(sum);
  }

  Components components;
  HostMatrix<double> h;
  std::vector<double> phi;
};

inline Constraints with_states(Constraints c) {
  c.neutral = true;
  c.states = {{"A", {2}},    {"B", {4, 2}},   {"C", {-2}},
              {"D", {1, 3}}, {"E", {-1, -3}}, {"F", {0, 2}}};
  return c;
}

}  // namespace kronite::kmd::test
