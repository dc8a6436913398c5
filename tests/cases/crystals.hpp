// Crystals that tests and benches share.
#pragma once

#include <cstddef>

#include "kronite/structure.hpp"

namespace kronite::test {

inline constexpr double kHalite = 5.588126;  // Å

/// Primitive cell of NaCl, Fm-3m.
inline Structure halite() {
  constexpr double h = kHalite / 2;
  return {{{{0, h, h}, {h, 0, h}, {h, h, 0}}}, {{0, 0, 0}, {0.5, 0.5, 0.5}}, {11, 17}};
}

/// Face-centred cubic copper, one atom.
inline Structure copper() {
  constexpr double h = 3.61 / 2;
  return {{{{0, h, h}, {h, 0, h}, {h, h, 0}}}, {{0, 0, 0}}, {29}};
}

/// SrTiO3, Pm-3m.
inline Structure perovskite() {
  return {{{{3.905, 0, 0}, {0, 3.905, 0}, {0, 0, 3.905}}},
          {{0, 0, 0}, {0.5, 0.5, 0.5}, {0.5, 0.5, 0}, {0.5, 0, 0.5}, {0, 0.5, 0.5}},
          {38, 22, 8, 8, 8}};
}

/// Four atoms in general positions of a triclinic cell: no symmetry but the lattice's.
inline Structure triclinic() {
  return {lattice_from_parameters({4.1, 5.3, 6.7}, {81, 97, 103}),
          {{0.1, 0.2, 0.3}, {0.55, 0.61, 0.72}, {0.83, 0.12, 0.91}, {0.31, 0.77, 0.08}},
          {26, 8, 8, 16}};
}

/// n1 x n2 x n3 cells side by side.
inline Structure supercell(const Structure& cell, int n1, int n2, int n3) {
  const int n[3] = {n1, n2, n3};
  Structure large;
  for (int k = 0; k < 3; ++k)
    for (int c = 0; c < 3; ++c) large.lattice[k][c] = n[k] * cell.lattice[k][c];
  for (int i = 0; i < n1; ++i)
    for (int j = 0; j < n2; ++j)
      for (int k = 0; k < n3; ++k)
        for (std::size_t s = 0; s < cell.size(); ++s) {
          const Vector3& x = cell.fractional[s];
          large.fractional.push_back({(x[0] + i) / n1, (x[1] + j) / n2, (x[2] + k) / n3});
          large.z.push_back(cell.z[s]);
        }
  return large;
}

/// 32 sites without symmetry, each with surroundings of its own.
inline Structure disturbed() {
  Structure structure = supercell(triclinic(), 2, 2, 2);
  for (std::size_t i = 0; i < structure.size(); ++i)
    for (std::size_t k = 0; k < 3; ++k)
      structure.fractional[i][k] += 0.01 * static_cast<double>((7 * i + 3 * k) % 11) / 11;
  return structure;
}

}  // namespace kronite::test
