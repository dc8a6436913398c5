// Crystal structures: a lattice, sites, and what symmetry says of them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "kronite/composition.hpp"  // for Composition

namespace kronite {

using Vector3 = std::array<double, 3>;
/// Rows are the lattice vectors a, b, c in Å.
using Lattice = std::array<Vector3, 3>;

double volume(const Lattice& lattice);
Vector3 lengths(const Lattice& lattice);
/// alpha, beta, gamma in degrees.
Vector3 angles(const Lattice& lattice);
/// The lattice with a along x and b in the xy plane.
Lattice lattice_from_parameters(const Vector3& lengths, const Vector3& angles);
Vector3 cartesian(const Lattice& lattice, const Vector3& fractional);

/// An ordered crystal. Fractional coordinates are kept as read, not wrapped.
struct Structure {
  Lattice lattice{};
  std::vector<Vector3> fractional;
  std::vector<std::uint8_t> z;

  std::size_t size() const { return z.size(); }
  Composition composition() const;
};

/// Refuses what no later step may see: no sites, NaN or infinite numbers, a volume under 1e-3 Å^3,
/// two sites closer than 0.1 Å.
/// @throws Error invalid_argument with the reason.
void check_structure(const Structure& structure);

struct Symmetry {
  int space_group = 0;        ///< 1..230
  std::string international;  ///< "Fm-3m"
  std::string hall;
  std::vector<char> wyckoff;    ///< letter per site
  std::vector<int> equivalent;  ///< per site, the first site of its orbit
};

/// Space group by spglib. @throws Error numerical when spglib finds none.
Symmetry find_symmetry(const Structure& structure, double symprec = 0.01);
/// Standardised primitive cell, and the conventional cell idealised to its space group.
Structure primitive_cell(const Structure& structure, double symprec = 0.01);
Structure conventional_cell(const Structure& structure, double symprec = 0.01);

/// A structure as a file or database gave it.
struct StructureRecord {
  Structure structure;
  std::string id;                ///< opaque
  std::string declared_formula;  ///< as the source writes it; may be empty
  std::string license;           ///< "BY-C", "BY-NC", "CC0", "PD" or "unknown"
  std::string source;            ///< citation or database, one line; may be empty
  bool disordered = false;       ///< partial or shared sites: kept, flagged, never a template
  double e_above_hull = std::numeric_limits<double>::quiet_NaN();      ///< eV/atom
  double formation_energy = std::numeric_limits<double>::quiet_NaN();  ///< eV/atom
};

/// Called for each record; false stops the reading.
using RecordSink = std::function<bool(StructureRecord&&)>;
/// Called for each record that could not be used: where ("file:line" or "file, data_block") and
/// why.
using SkipSink = std::function<void(const std::string& where, const std::string& why)>;

/// Reads one file or every readable file below a folder (sorted by path): CIF, POSCAR, extxyz,
/// pymatgen or Materials Project JSON and JSON Lines, OPTIMADE pages; plain or .gz. One bad record
/// goes to `skip` and leaves the others unharmed.
/// @throws Error io or parse when the file as a whole cannot be read; with `skip`, a file of a
/// folder is skipped instead.
void read_structures(const std::string& path, const RecordSink& sink, const SkipSink& skip);

/// Texts of one structure. The CIF carries the symmetry operations of `symprec`'s space group when
/// `symmetrised`, else P1; numbers are written so that they read back to 1e-9.
std::string to_cif(const Structure& structure, const std::string& name, bool symmetrised = true,
                   double symprec = 0.01);
std::string to_poscar(const Structure& structure, const std::string& comment);
/// One frame; `metadata` is put behind the lattice as key=value pairs.
std::string to_extxyz(const Structure& structure, const std::string& metadata = "");

}  // namespace kronite
