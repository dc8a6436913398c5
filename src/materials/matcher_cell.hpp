// Reduced cells for the comparison of crystals: the Niggli cell, and the primitive cell within a
// tolerance.
#pragma once

#include <optional>

#include "kronite/structure.hpp"  // for Structure, Lattice

namespace kronite::matcher {

/// The Niggli cell of a crystal (Gruber, Acta Cryst. A 29 (1973) 433; by spglib), same orientation,
/// sites wrapped. Where the reduction fails in the arithmetic, the cell stays as it is.
Structure niggli_cell(const Structure& structure);

/// The Niggli cell of a denser lattice within the tolerance: one more translation, which brings
/// every site near one of its element, the distance being taken along each lattice vector by itself
/// (Å). Sites that fall together are averaged. Nothing where there is no such translation; the
/// lattice must be a Niggli cell.
std::optional<Structure> smaller_cell(const Structure& cell, double tolerance);

/// The cell that is left when there is none. Exact translations are always found; where sites are
/// displaced, an almost-translation is taken for one.
Structure primitive_within(const Structure& structure, double tolerance);

}  // namespace kronite::matcher
