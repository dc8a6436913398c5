// Crystal structures: a lattice, sites, and what symmetry says of them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "kronite/composition.hpp"  // for Composition

namespace kronite {

using Vector3 = std::array<double, 3>;
/// Rows are the lattice vectors a, b, c in Å.
using Lattice = std::array<Vector3, 3>;

/// In Å^3, positive for left-handed vectors too.
double volume(const Lattice& lattice);
Vector3 lengths(const Lattice& lattice);
/// alpha, beta, gamma in degrees.
Vector3 angles(const Lattice& lattice);
/// The lattice with a along x and b in the xy plane; angles in degrees.
/// @throws Error invalid_argument for numbers that no cell has.
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
  int hall_number = 0;        ///< 1..530, spglib's number of the setting
  std::string international;  ///< "Fm-3m", "P2_1/c"
  std::string hall;
  std::vector<char> wyckoff;    ///< letter per site
  std::vector<int> equivalent;  ///< per site, the first site of its orbit
};

/// Space group by spglib. Mind the time: 1 ms for most crystals, 50 ms for cubic ones.
/// @throws Error numerical when spglib finds none, or for cells of more than 2000 Å.
Symmetry find_symmetry(const Structure& structure, double symprec = 0.01);

/// A crystal in the standard setting of its space group, coordinates idealised, elements in the
/// order in which the given structure names them.
struct StandardCell {
  Structure conventional;
  Structure primitive;
  Symmetry symmetry;  ///< of the conventional cell's sites
};

/// All of it from one search by spglib. @throws as find_symmetry().
StandardCell standardise(const Structure& structure, double symprec = 0.01);
/// The same without a search, in microseconds: of a primitive cell that standardise() gave and
/// whose elements or volume were changed since, and the space group it had. Wyckoff letters are
/// '?'.
/// @throws Error invalid_argument, or numerical when the cell does not have the symmetry.
StandardCell from_primitive(const Structure& primitive, int space_group);
/// The cell as it is, in P 1.
StandardCell without_symmetry(const Structure& structure);
/// Parts of standardise().
Structure primitive_cell(const Structure& structure, double symprec = 0.01);
Structure conventional_cell(const Structure& structure, double symprec = 0.01);

/// A structure as a file or database gave it.
struct StructureRecord {
  Structure structure;
  std::string id;  ///< opaque
  /// Where it was read: "file:line", "file:line, data_block", "file, record 12".
  std::string where;
  std::string declared_formula;     ///< as the source writes it; may be empty
  int declared_space_group = 0;     ///< 1..230 as the source says, 0 where it does not
  std::string license = "unknown";  ///< or "BY-C", "CC0", "PD", "Apache-2.0", ...
  std::string source;               ///< citation or database, one line; may be empty
  std::string database_version;     ///< may be empty
  std::string thermo_type;  ///< whose energies: "GGA_GGA+U", "R2SCAN", ... as the source writes it
  /// Partial or shared sites: kept, flagged, never a template. Each site of the structure then
  /// carries its most frequent element.
  bool disordered = false;
  double e_above_hull = std::numeric_limits<double>::quiet_NaN();      ///< eV/atom
  double formation_energy = std::numeric_limits<double>::quiet_NaN();  ///< eV/atom
  /// As the source says; empty where it says nothing.
  std::optional<bool> is_stable, theoretical;
};

struct ReadOptions {
  /// Element symbols, in the order of the counts, of POSCAR files that name none (VASP 4).
  std::vector<std::string> species;
  /// Where OPTIMADE entries keep energies in eV/atom: keys with dots between them, such as
  /// "_odbx_thermodynamics.hull_distance". When empty, where the known databases keep them.
  std::string e_above_hull_key, formation_energy_key;
};

/// Called for each record; false stops the reading.
using RecordSink = std::function<bool(StructureRecord&&)>;
/// Called for each record that could not be used: where ("file:line" or "file, data_block") and
/// why.
using SkipSink = std::function<void(const std::string& where, const std::string& why)>;

/// Reads one file or every readable file below a folder (sorted by path): CIF, POSCAR, extended
/// XYZ, pymatgen or Materials Project JSON and JSON Lines, OPTIMADE pages, tables with a column of
/// CIF texts or with the ids of structure files; plain or .gz, .xz, .zst, .bz2. The format is told
/// by the content, else by the name (docs/formats.md). Declared formulas that the sites contradict
/// are summed up in one warning. Records that
/// check_structure() refuses are bad records. A bad record goes to `skip` and leaves the others
/// unharmed; with an empty `skip` it is thrown.
/// @throws Error io or parse when the file as a whole cannot be read or holds no structure; such a
/// file of a folder goes to `skip`. Whatever `sink` throws comes out unchanged.
void read_structures(const std::string& path, const RecordSink& sink, const SkipSink& skip,
                     const ReadOptions& options = {});

/// Text of a CIF file, whose numbers read back to 1e-12. When `symmetrised`, it is the conventional
/// cell of standardise() as asymmetric unit and symmetry operations; else, or when spglib finds no
/// space group, the cell as it is, in P 1.
/// @throws Error invalid_argument when check_structure() refuses the structure.
std::string to_cif(const Structure& structure, const std::string& name, bool symmetrised = true,
                   double symprec = 0.01);
/// The same of a crystal whose symmetry is known, without a search; needs its conventional cell and
/// its symmetry only. Where hall_number is 0, the symmetry is searched.
std::string to_cif(const StandardCell& crystal, const std::string& name);
/// VASP 5; sites of one element are put side by side.
std::string to_poscar(const Structure& structure, const std::string& comment);
/// One frame; `metadata` is put behind the lattice as it is: key=value pairs on one line.
std::string to_extxyz(const Structure& structure, const std::string& metadata = "");

}  // namespace kronite
