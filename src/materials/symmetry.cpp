// Space groups and standard cells by spglib (Togo, Shinohara, Tanaka, Sci. Technol. Adv. Mater.
// Methods 4 (2024) 2384822).
#include "materials/symmetry.hpp"

#include <spglib.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "base/fail.hpp"          // for fail
#include "materials/lattice.hpp"  // for wrap

namespace kronite {
namespace {

using Dataset = std::unique_ptr<SpglibDataset, void (*)(SpglibDataset*)>;

/// spglib wants plain arrays, and the lattice vectors as columns.
struct SpglibCell {
  double lattice[3][3];
  std::vector<std::array<double, 3>> positions;
  std::vector<int> types;

  /// `room` times as many sites as the structure has, for calls that write a larger cell back.
  explicit SpglibCell(const Structure& structure, std::size_t room = 1) {
    check_structure(structure);  // spglib crashes on numbers that are not finite
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) lattice[i][j] = structure.lattice[j][i];
    for (const Vector3& x : structure.fractional)
      positions.push_back({wrap(x[0]), wrap(x[1]), wrap(x[2])});
    types.assign(structure.z.begin(), structure.z.end());
    positions.resize(room * structure.size());
    types.resize(room * structure.size());
  }

  double (*rows())[3] { return reinterpret_cast<double(*)[3]>(positions.data()); }
};

void check_symprec(double symprec) {
  if (!(symprec > 0) || !std::isfinite(symprec))
    fail(Errc::invalid_argument, "symprec must be a positive distance in Å, given {}", symprec);
}

[[noreturn]] void no_symmetry(const Structure& structure, double symprec) {
  fail(Errc::numerical,
       "spglib finds no space group of {} ({} sites) at symprec {} Å; try another symprec",
       structure.composition().reduced_formula(), structure.size(), symprec);
}

Dataset find_dataset(const Structure& structure, double symprec) {
  check_symprec(symprec);
  SpglibCell cell(structure);
  Dataset dataset(spg_get_dataset(cell.lattice, cell.rows(), cell.types.data(),
                                  static_cast<int>(structure.size()), symprec),
                  &spg_free_dataset);
  if (!dataset || dataset->spacegroup_number == 0) no_symmetry(structure, symprec);
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

Structure tidy_cell(const double lattice[3][3], const double (*positions)[3], const int* types,
                    const std::vector<int>& order) {
  Structure cell;
  cell.lattice = tidy_lattice(lattice);
  for (const int i : order) {
    cell.fractional.push_back({tidy_fraction(positions[i][0]), tidy_fraction(positions[i][1]),
                               tidy_fraction(positions[i][2])});
    cell.z.push_back(static_cast<std::uint8_t>(types[i]));
  }
  return cell;
}

/// "P2_1/c" and a setting as the CIF dictionary writes them: "P 21/c", "F d -3 m:1", "R -3 m:H".
std::string hermann_mauguin(const SpglibDataset& dataset) {
  const std::string_view symbol = dataset.international_symbol;
  std::string text(1, symbol.front());
  bool joined = false;  // after '-' or '/' and before '_' a symbol goes on
  for (const char c : symbol.substr(1)) {
    if (c == '_') {
      joined = true;
      continue;
    }
    if (!joined && c != '/') text += ' ';
    text += c;
    joined = c == '-' || c == '/';
  }
  const std::string_view choice = dataset.choice;
  if (choice == "1" || choice == "2" || choice == "H" || choice == "R")
    text.append(":").append(choice);
  return text;
}

std::vector<SymmetryOperation> database_operations(int hall_number) {
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

}  // namespace

Symmetry find_symmetry(const Structure& structure, double symprec) {
  const Dataset dataset = find_dataset(structure, symprec);
  Symmetry symmetry;
  symmetry.space_group = dataset->spacegroup_number;
  symmetry.international = dataset->international_symbol;
  symmetry.hall = dataset->hall_symbol;
  for (int i = 0; i < dataset->n_atoms; ++i)
    symmetry.wyckoff.push_back(wyckoff_letter(dataset->wyckoffs[i]));
  symmetry.equivalent.assign(dataset->equivalent_atoms,
                             dataset->equivalent_atoms + dataset->n_atoms);
  return symmetry;
}

StandardSetting standard_setting(const Structure& structure, double symprec) {
  const Dataset dataset = find_dataset(structure, symprec);
  StandardSetting setting;
  const std::vector<int> order = element_order(structure, dataset->std_types, dataset->n_std_atoms);
  setting.cell = tidy_cell(dataset->std_lattice, dataset->std_positions, dataset->std_types, order);
  std::vector<int> letter_of_primitive(dataset->n_atoms, 0);
  for (int i = 0; i < dataset->n_atoms; ++i)
    letter_of_primitive[dataset->mapping_to_primitive[i]] = dataset->wyckoffs[i];
  for (const int i : order)
    setting.wyckoff.push_back(
        wyckoff_letter(letter_of_primitive[dataset->std_mapping_to_primitive[i]]));
  setting.operations = database_operations(dataset->hall_number);
  setting.space_group = dataset->spacegroup_number;
  setting.hermann_mauguin = hermann_mauguin(*dataset);
  setting.hall = dataset->hall_symbol;
  return setting;
}

Structure conventional_cell(const Structure& structure, double symprec) {
  return standard_setting(structure, symprec).cell;
}

Structure primitive_cell(const Structure& structure, double symprec) {
  check_symprec(symprec);
  SpglibCell cell(structure, 4);  // an F-centred cell on the way has four times the sites
  const int count = spg_standardize_cell(cell.lattice, cell.rows(), cell.types.data(),
                                         static_cast<int>(structure.size()), 1, 0, symprec);
  if (count == 0) no_symmetry(structure, symprec);
  return tidy_cell(cell.lattice, cell.rows(), cell.types.data(),
                   element_order(structure, cell.types.data(), count));
}

}  // namespace kronite
