// What a CIF says of its symmetry, as operations, and what they make of a site.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "kronite/structure.hpp"  // for Lattice, Vector3

namespace kronite::io {

/// x' = rotation x + translation, in fractional coordinates.
struct SymmetryOperation {
  std::array<std::array<int, 3>, 3> rotation{};
  Vector3 translation{};

  Vector3 operator()(const Vector3& x) const;
};

/// The words of a data block; those that it does not give are empty.
struct GivenSymmetry {
  std::vector<std::string> triplets;  ///< "-x, y+1/2, z"
  std::string hall, name, number;     ///< of the space group
};

/// The listed operations, else those of the Hall symbol, which alone says which origin is meant,
/// else of the Hermann-Mauguin symbol, else of the number; else the identity. Each once, the
/// identity first.
/// @throws Error parse for an unknown space group, and for operations that are none, lack the
/// identity or do not fit the lattice.
std::vector<SymmetryOperation> symmetry_operations(const GivenSymmetry& given,
                                                   const Lattice& lattice);

/// Distinct images of a site, its own first. Those closer than 0.2 Å are one site on a special
/// position, which coordinates such as 0.333 only nearly meet: their mean lies on it.
/// @throws Error parse when the operations do not fit the coordinates: when they bring together
/// some images but not all in the same number, or images of a site that is `whole` (more than half
/// occupied) closer than 0.5 Å.
std::vector<Vector3> orbit(const Lattice& lattice, const std::vector<SymmetryOperation>& operations,
                           const Vector3& site, bool whole);

}  // namespace kronite::io
