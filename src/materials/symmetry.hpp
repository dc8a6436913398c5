// Operations of a space group's setting and its name, from spglib's tables; checks of tolerances.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "kronite/structure.hpp"  // for Symmetry, Vector3

namespace kronite {

/// @throws Error invalid_argument for a tolerance that is no length: zero, negative, NaN, infinite.
void check_symprec(double symprec);

/// x' = rotation x + translation, fractional.
struct SymmetryOperation {
  std::array<std::array<int, 3>, 3> rotation;
  Vector3 translation;
};

Vector3 apply(const SymmetryOperation& operation, const Vector3& x);

/// The operations of the setting, hall_number in 1..530; the identity comes first.
std::vector<SymmetryOperation> operations_of(int hall_number);

/// Per site of the primitive cell, the first site of its orbit, by the orbits of the conventional
/// cell. The two cells must belong together, as those of standardise() do.
std::vector<int> primitive_orbits(const StandardCell& crystal);

/// The Hermann-Mauguin symbol as CIF writes it, with blanks and setting: "P 21/c", "F d -3 m:1".
std::string hermann_mauguin(int hall_number);

}  // namespace kronite
