// Crystals whose site fingerprints are computed, for tests and benches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kronite/structure.hpp"
#include "support/crystals.hpp"  // for halite, triclinic, supercell
#include "support/random.hpp"    // for random_value

namespace kronite::test {

struct SitesCase {
  std::string name;
  Structure structure;
};

inline Lattice orthogonal(double a, double b, double c) {
  return {{{a, 0, 0}, {0, b, 0}, {0, 0, c}}};
}

/// n atoms in general positions, none closer to another than about 1 Å.
inline Structure scattered(int n) {
  Structure s{orthogonal(2.6 * n, 2.9, 3.1), {}, std::vector<std::uint8_t>(n, 14)};
  for (int i = 0; i < n; ++i) {
    const auto shift = [&](int k) { return 0.25 * random_value(11, 3 * i + k); };
    s.fractional.push_back({(i + shift(0)) / n, shift(1), shift(2)});
  }
  return s;
}

inline std::vector<SitesCase> sites_cases() {
  const double h = 1.805;
  const Structure copper{{{{0, h, h}, {h, 0, h}, {h, h, 0}}}, {{0, 0, 0}}, {29}};
  const Structure graphene{{{{2.46, 0, 0}, {-1.23, 2.130422493309719, 0}, {0, 0, 20}}},
                           {{0, 0, 0.5}, {1 / 3., 2 / 3., 0.5}},
                           {6, 6}};
  return {
      {"one atom", {orthogonal(3.52, 3.52, 3.52), {{0, 0, 0}}, {13}}},
      {"close packing", copper},
      {"rocksalt", halite()},
      {"no symmetry", triclinic()},
      {"rocksalt as a supercell", supercell(halite(), 3, 2, 1)},
      {"a layer, whose cells close far beyond the first cutoff", graphene},
      {"a molecule in a box", {orthogonal(15, 15, 15), {{0, 0, 0}, {0.074, 0, 0}}, {7, 7}}},
      {"a needle", {orthogonal(2.5, 2.5, 60), {{0, 0, 0}, {0, 0, 0.04}}, {26, 26}}},
      {"coordinates far outside the cell",
       {halite().lattice, {{7, -3, 5}, {9.5, 0.5, -4.5}}, {11, 17}}},
      {"forty atoms in general positions", scattered(40)},
  };
}

}  // namespace kronite::test
