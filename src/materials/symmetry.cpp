// Space groups and standard cells by spglib (Togo, Shinohara, Tanaka, Sci. Technol. Adv. Mater.
// Methods 4 (2024) 2384822).
#include "materials/symmetry.hpp"

#include <spglib.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "base/fail.hpp"            // for fail
#include "materials/lattice.hpp"    // for wrap, fractional, reciprocal
#include "materials/site_grid.hpp"  // for SiteGrid

namespace kronite {
namespace {

using Dataset = std::unique_ptr<SpglibDataset, void (*)(SpglibDataset*)>;

/// spglib wants plain arrays, and the lattice vectors as columns.
struct SpglibCell {
  double lattice[3][3];
  std::vector<std::array<double, 3>> positions;
  std::vector<int> types;

  explicit SpglibCell(const Structure& structure) {
    check_structure(structure);  // spglib crashes on numbers that are not finite
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) lattice[i][j] = structure.lattice[j][i];
    for (const Vector3& x : structure.fractional)
      positions.push_back({wrap(x[0]), wrap(x[1]), wrap(x[2])});
    types.assign(structure.z.begin(), structure.z.end());
  }

  double (*rows())[3] { return reinterpret_cast<double(*)[3]>(positions.data()); }
};

/// In longer cells rounding defeats spglib, which then tries every setting at ever new tolerances:
/// 16 s of a search for nothing.
void check_extent(const Structure& structure) {
  constexpr double kLongest = 2000;  // Å: more than the longest stacking of any known polytype
  for (const double length : lengths(structure.lattice))
    if (length > kLongest)
      fail(Errc::numerical, "a lattice vector is {:.0f} Å long; symmetry is searched up to {} Å",
           length, kLongest);
}

Dataset find_dataset(const Structure& structure, double symprec) {
  check_symprec(symprec);
  SpglibCell cell(structure);
  check_extent(structure);
  Dataset dataset(spg_get_dataset(cell.lattice, cell.rows(), cell.types.data(),
                                  static_cast<int>(structure.size()), symprec),
                  &spg_free_dataset);
  if (!dataset || dataset->spacegroup_number == 0)
    fail(Errc::numerical,
         "spglib finds no space group of {} ({} sites) at symprec {} Å; try another symprec",
         structure.composition().reduced_formula(), structure.size(), symprec);
  return dataset;
}

/// Letters run a..z; space group 47 has 27 positions, the last one written A.
char wyckoff_letter(int index) {
  return static_cast<char>(index < 26 ? 'a' + index : 'A' + index - 26);
}

/// Idealised coordinates carry rounding of 1e-16; a file should say 0.25, not 0.25000000000000006.
double tidy_fraction(double x) {
  constexpr double kGrid = 24,
                   kRounding = 1e-12;  // 24: every special position is a multiple of 1/24
  const double near = std::round(x * kGrid) / kGrid;
  return wrap(std::abs(x - near) < kRounding ? near : x);
}

Lattice tidy_lattice(const double columns[3][3]) {
  Lattice lattice;
  double longest = 0;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      lattice[j][i] = columns[i][j];
      longest = std::max(longest, std::abs(columns[i][j]));
    }
  for (Vector3& row : lattice)
    for (double& x : row)
      if (std::abs(x) < 1e-14 * longest) x = 0;
  return lattice;
}

/// Sites of one element side by side, elements in the order in which the given structure names
/// them.
std::vector<int> element_order(const Structure& given, const int* types, int count) {
  std::array<int, 256> rank;
  rank.fill(256);
  int next = 0;
  for (const std::uint8_t z : given.z)
    if (rank[z] == 256) rank[z] = next++;
  std::vector<int> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int i, int j) { return rank[types[i]] < rank[types[j]]; });
  return order;
}

/// Primitive vectors as rows, in units of the conventional ones (the choice of spglib).
Lattice centring(char letter) {
  constexpr double h = 0.5, t = 1.0 / 3;
  switch (letter) {
    case 'A':
      return {{{1, 0, 0}, {0, h, h}, {0, -h, h}}};
    case 'C':
      return {{{h, -h, 0}, {h, h, 0}, {0, 0, 1}}};
    case 'I':
      return {{{-h, h, h}, {h, -h, h}, {h, h, -h}}};
    case 'F':
      return {{{0, h, h}, {h, 0, h}, {h, h, 0}}};
    case 'R':
      return {{{2 * t, t, t}, {-t, t, t}, {-t, -2 * t, t}}};
    default:
      return {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  }
}

constexpr double kSamePlace = 1e-3;  // Å: sites of an idealised cell agree to rounding

/// Adds the site unless the cell has one there already.
void add_site(Structure& cell, SiteGrid& grid, Vector3 x, std::uint8_t z) {
  for (double& c : x) c = tidy_fraction(c);
  if (grid.find(x)) return;
  grid.insert(x);
  cell.fractional.push_back(x);
  cell.z.push_back(z);
}

/// Sites that a centring vector maps onto each other become one.
Structure primitive_of(const Structure& conventional, char letter) {
  const Lattice vectors = centring(letter), inverse = reciprocal(vectors);
  Structure primitive;
  for (int j = 0; j < 3; ++j) primitive.lattice[j] = cartesian(conventional.lattice, vectors[j]);
  SiteGrid grid(primitive.lattice, kSamePlace);
  for (std::size_t i = 0; i < conventional.size(); ++i)
    add_site(primitive, grid, fractional(inverse, conventional.fractional[i]), conventional.z[i]);
  return primitive;
}

/// The other way: each site with its copies at the lattice points of the conventional cell.
Structure conventional_of(const Structure& primitive, char letter) {
  const Lattice vectors = centring(letter), inverse = reciprocal(vectors);
  Structure conventional;
  for (int i = 0; i < 3; ++i)
    conventional.lattice[i] =
        cartesian(primitive.lattice, {inverse[0][i], inverse[1][i], inverse[2][i]});
  SiteGrid grid(conventional.lattice, kSamePlace);
  for (std::size_t i = 0; i < primitive.size(); ++i)
    for (int point = 0; point < 8; ++point) {
      Vector3 x = primitive.fractional[i];
      for (int k = 0; k < 3; ++k) x[k] += (point >> k) & 1;
      add_site(conventional, grid, cartesian(vectors, x), primitive.z[i]);
    }
  return conventional;
}

/// Orbits of the setting's operations; they must map the idealised cell onto itself.
std::vector<int> orbits(const Structure& cell, int hall_number) {
  SiteGrid grid(cell.lattice, kSamePlace);
  for (const Vector3& x : cell.fractional) grid.insert(x);
  const std::vector<SymmetryOperation> operations = operations_of(hall_number);
  std::vector<int> first(cell.size(), -1);
  for (std::size_t i = 0; i < cell.size(); ++i) {
    if (first[i] >= 0) continue;
    for (const SymmetryOperation& operation : operations) {
      const auto hit = grid.find(apply(operation, cell.fractional[i]));
      if (!hit || cell.z[hit->site] != cell.z[i])
        fail(Errc::numerical, "the cell of {} does not have the symmetry of its space group",
             cell.composition().reduced_formula());
      first[hit->site] = static_cast<int>(i);
    }
  }
  return first;
}

Symmetry names(const SpglibDataset& dataset) {
  Symmetry symmetry;
  symmetry.space_group = dataset.spacegroup_number;
  symmetry.hall_number = dataset.hall_number;
  symmetry.international = dataset.international_symbol;
  symmetry.hall = dataset.hall_symbol;
  return symmetry;
}

}  // namespace

Vector3 apply(const SymmetryOperation& operation, const Vector3& x) {
  Vector3 image = operation.translation;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) image[i] += operation.rotation[i][j] * x[j];
  return image;
}

std::vector<SymmetryOperation> operations_of(int hall_number) {
  constexpr int kMost = 192;
  std::vector<std::array<std::array<int, 3>, 3>> rotations(kMost);
  std::vector<Vector3> translations(kMost);
  const int count = spg_get_symmetry_from_database(
      reinterpret_cast<int(*)[3][3]>(rotations.data()),
      reinterpret_cast<double(*)[3]>(translations.data()), hall_number);
  std::vector<SymmetryOperation> operations;
  for (int i = 0; i < count; ++i) operations.push_back({rotations[i], translations[i]});
  return operations;
}

std::string hermann_mauguin(int hall_number) {
  const SpglibSpacegroupType type = spg_get_spacegroup_type(hall_number);
  const std::string_view symbol = type.international_short;
  std::string text;
  bool joined = true;  // the letter, and what follows '-', '_' or '/', goes on without a blank
  for (const char c : symbol) {
    if (!joined && c != '_' && c != '/') text += ' ';
    if (c != '_') text += c;
    joined = c == '-' || c == '_' || c == '/';
  }
  const std::string_view choice = type.choice;
  if (choice == "1" || choice == "2" || choice == "H" || choice == "R")
    text.append(":").append(choice);
  return text;
}

void check_symprec(double symprec) {
  if (!(symprec > 0) || !std::isfinite(symprec))
    fail(Errc::invalid_argument, "symprec is {}, expected a length in Å above zero", symprec);
}

Symmetry find_symmetry(const Structure& structure, double symprec) {
  const Dataset dataset = find_dataset(structure, symprec);
  Symmetry symmetry = names(*dataset);
  for (int i = 0; i < dataset->n_atoms; ++i)
    symmetry.wyckoff.push_back(wyckoff_letter(dataset->wyckoffs[i]));
  symmetry.equivalent.assign(dataset->equivalent_atoms,
                             dataset->equivalent_atoms + dataset->n_atoms);
  return symmetry;
}

StandardCell standardise(const Structure& structure, double symprec) {
  const Dataset dataset = find_dataset(structure, symprec);
  StandardCell crystal;
  crystal.symmetry = names(*dataset);
  crystal.conventional.lattice = tidy_lattice(dataset->std_lattice);
  std::vector<int> letters(dataset->n_atoms, 0);  // by site of the primitive cell
  for (int i = 0; i < dataset->n_atoms; ++i)
    letters[dataset->mapping_to_primitive[i]] = dataset->wyckoffs[i];
  for (const int i : element_order(structure, dataset->std_types, dataset->n_std_atoms)) {
    const double* x = dataset->std_positions[i];
    crystal.conventional.fractional.push_back(
        {tidy_fraction(x[0]), tidy_fraction(x[1]), tidy_fraction(x[2])});
    crystal.conventional.z.push_back(static_cast<std::uint8_t>(dataset->std_types[i]));
    crystal.symmetry.wyckoff.push_back(
        wyckoff_letter(letters[dataset->std_mapping_to_primitive[i]]));
  }
  crystal.symmetry.equivalent = orbits(crystal.conventional, dataset->hall_number);
  crystal.primitive = primitive_of(crystal.conventional, crystal.symmetry.international.front());
  return crystal;
}

std::vector<int> primitive_orbits(const StandardCell& crystal) {
  const Structure &cell = crystal.primitive, &conventional = crystal.conventional;
  const Lattice inverse = reciprocal(centring(crystal.symmetry.international.front()));
  SiteGrid grid(cell.lattice, kSamePlace);
  for (const Vector3& x : cell.fractional) grid.insert(x);
  std::vector<int> orbit(cell.size(), -1);  // as the conventional cell numbers them
  for (std::size_t i = 0; i < conventional.size(); ++i) {
    const auto hit = grid.find(fractional(inverse, conventional.fractional[i]));
    if (hit) orbit[hit->site] = crystal.symmetry.equivalent[i];
  }
  if (std::find(orbit.begin(), orbit.end(), -1) != orbit.end())
    fail(Errc::numerical, "the primitive and the conventional cell of {} do not belong together",
         cell.composition().reduced_formula());
  std::vector<int> first_of(conventional.size(), -1), first(cell.size());
  for (std::size_t i = 0; i < cell.size(); ++i) {
    int& found = first_of[orbit[i]];
    if (found < 0) found = static_cast<int>(i);
    first[i] = found;
  }
  return first;
}

StandardCell from_primitive(const Structure& primitive, int space_group) {
  check_structure(primitive);
  if (space_group < 1 || space_group > 230)
    fail(Errc::invalid_argument, "space groups are 1 to 230, given {}", space_group);
  StandardCell crystal;
  SpglibSpacegroupType type{};
  int hall_number = 0;
  while (type.number != space_group) type = spg_get_spacegroup_type(++hall_number);
  crystal.symmetry.space_group = space_group;
  crystal.symmetry.hall_number = hall_number;  // spglib's standard setting is the first of a group
  crystal.symmetry.international = type.international_short;
  crystal.symmetry.hall = type.hall_symbol;
  crystal.primitive = primitive;
  crystal.conventional = conventional_of(primitive, type.international_short[0]);
  crystal.symmetry.wyckoff.assign(crystal.conventional.size(), '?');
  crystal.symmetry.equivalent = orbits(crystal.conventional, hall_number);
  return crystal;
}

StandardCell without_symmetry(const Structure& structure) {
  StandardCell crystal;
  crystal.conventional = crystal.primitive = structure;
  Symmetry& symmetry = crystal.symmetry;
  symmetry.space_group = symmetry.hall_number = 1;
  symmetry.international = "P1";
  symmetry.hall = "P 1";
  symmetry.wyckoff.assign(structure.size(), 'a');
  symmetry.equivalent.resize(structure.size());
  std::iota(symmetry.equivalent.begin(), symmetry.equivalent.end(), 0);
  return crystal;
}

Structure conventional_cell(const Structure& structure, double symprec) {
  return standardise(structure, symprec).conventional;
}

Structure primitive_cell(const Structure& structure, double symprec) {
  return standardise(structure, symprec).primitive;
}

}  // namespace kronite
