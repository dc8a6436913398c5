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

void check_symprec(double symprec) {
  if (!(symprec > 0) || !std::isfinite(symprec))
    fail(Errc::invalid_argument, "symprec must be a positive distance in Å, given {}", symprec);
}

Dataset find_dataset(const Structure& structure, double symprec) {
  check_symprec(symprec);
  SpglibCell cell(structure);
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

/// Primitive vectors as columns, in units of the conventional ones (the choice of spglib).
Lattice centring(char letter) {
  constexpr double h = 0.5, t = 1.0 / 3;
  switch (letter) {
    case 'A':
      return {{{1, 0, 0}, {0, h, -h}, {0, h, h}}};
    case 'C':
      return {{{h, h, 0}, {-h, h, 0}, {0, 0, 1}}};
    case 'I':
      return {{{-h, h, h}, {h, -h, h}, {h, h, -h}}};
    case 'F':
      return {{{0, h, h}, {h, 0, h}, {h, h, 0}}};
    case 'R':
      return {{{2 * t, -t, -t}, {t, t, -2 * t}, {t, t, t}}};
    default:
      return {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  }
}

/// Sites that a centring vector maps onto each other become one.
Structure primitive_of(const Structure& conventional, char letter) {
  constexpr double kSamePlace = 1e-3;  // Å: sites of an idealised cell agree to rounding
  const Lattice matrix = centring(letter);
  const Lattice inverse = reciprocal({{{matrix[0][0], matrix[1][0], matrix[2][0]},
                                       {matrix[0][1], matrix[1][1], matrix[2][1]},
                                       {matrix[0][2], matrix[1][2], matrix[2][2]}}});
  Structure primitive;
  for (int j = 0; j < 3; ++j)
    primitive.lattice[j] =
        cartesian(conventional.lattice, {matrix[0][j], matrix[1][j], matrix[2][j]});
  SiteGrid grid(primitive.lattice, kSamePlace);
  for (std::size_t i = 0; i < conventional.size(); ++i) {
    Vector3 x = fractional(inverse, conventional.fractional[i]);
    for (double& c : x) c = tidy_fraction(c);
    if (grid.find(x)) continue;
    grid.insert(x);
    primitive.fractional.push_back(x);
    primitive.z.push_back(conventional.z[i]);
  }
  return primitive;
}

/// Orbits of the setting's operations; they must map the idealised cell onto itself.
std::vector<int> orbits(const Structure& cell, int hall_number) {
  constexpr double kSamePlace = 1e-3;  // Å
  SiteGrid grid(cell.lattice, kSamePlace);
  for (const Vector3& x : cell.fractional) grid.insert(x);
  const std::vector<SymmetryOperation> operations = operations_of(hall_number);
  std::vector<int> first(cell.size(), -1);
  for (std::size_t i = 0; i < cell.size(); ++i) {
    if (first[i] >= 0) continue;
    for (const SymmetryOperation& operation : operations) {
      const auto hit = grid.find(apply(operation, cell.fractional[i]));
      if (!hit || cell.z[hit->site] != cell.z[i])
        fail(Errc::numerical, "spglib's standard cell does not have the symmetry that it names");
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

Structure conventional_cell(const Structure& structure, double symprec) {
  return standardise(structure, symprec).conventional;
}

Structure primitive_cell(const Structure& structure, double symprec) {
  return standardise(structure, symprec).primitive;
}

}  // namespace kronite
