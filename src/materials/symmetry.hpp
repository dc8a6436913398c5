// A structure in the standard setting of its space group, as spglib gives it.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "kronite/structure.hpp"  // for Structure

namespace kronite {

/// x' = rotation x + translation, fractional.
struct SymmetryOperation {
  std::array<std::array<int, 3>, 3> rotation;
  Vector3 translation;
};

/// The idealised conventional cell with what a file says about it.
struct StandardSetting {
  Structure cell;
  std::vector<char> wyckoff;  ///< letter per site of the cell
  std::vector<SymmetryOperation> operations;
  int space_group = 0;
  std::string hermann_mauguin;  ///< with blanks and setting, "F d -3 m:1"
  std::string hall;
};

/// @throws Error invalid_argument for a structure that check_structure() refuses, numerical when
/// spglib finds no space group.
StandardSetting standard_setting(const Structure& structure, double symprec);

}  // namespace kronite
