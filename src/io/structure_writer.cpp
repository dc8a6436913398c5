// A structure as the text of a CIF, POSCAR or extended XYZ file.
#include <algorithm>
#include <cmath>

#include "base/fail.hpp"           // for fail, fmt::format
#include "io/escape.hpp"           // for one_line
#include "kronite/structure.hpp"   // for to_cif, to_poscar, to_extxyz
#include "kronite/version.hpp"     // for KRONITE_VERSION
#include "materials/lattice.hpp"   // for wrap
#include "materials/symmetry.hpp"  // for operations_of, hermann_mauguin

namespace kronite {
namespace {

/// Twelve decimals read back to 5e-13; trailing zeros go, one decimal stays.
std::string number(double value) {
  std::string text = fmt::format("{:.12f}", value);
  text.erase(std::max(text.find_last_not_of('0'), text.find('.') + 1) + 1);
  return text == "-0.0" ? "0.0" : text;
}

/// Blanks and control characters would end the name of a CIF block; with commas it may look like
/// the heading of a table with a column cif.
std::string one_word(const std::string& name) {
  std::string word = name;
  for (char& c : word)
    if (c <= ' ' || c > '~' || c == ',') c = '_';
  return word.empty() ? "structure" : word;
}

/// Elements in alphabetical order and amounts over one, "Ca C O3", as the CIF dictionary asks.
std::string cif_formula(const Composition& composition) {
  std::vector<std::string> words;
  for (const auto& [z, amount] : composition.parts())
    words.push_back(
        fmt::format("{}{}", element_symbol(z), amount == 1 ? "" : fmt::format("{:g}", amount)));
  std::sort(words.begin(), words.end());
  return fmt::format("{}", fmt::join(words, " "));
}

/// "-x+y, y, z+1/2": translations of the space-group tables are multiples of 1/24.
std::string operation_text(const SymmetryOperation& operation) {
  static constexpr const char* kAxes = "xyz";
  std::string text;
  for (int i = 0; i < 3; ++i) {
    std::string part;
    for (int j = 0; j < 3; ++j) {
      const int r = operation.rotation[i][j];
      if (r == 0) continue;
      part += r < 0 ? "-" : part.empty() ? "" : "+";
      part += kAxes[j];
    }
    int numerator = static_cast<int>(std::lround(wrap(operation.translation[i]) * 24));
    int denominator = 24;
    for (const int p : {2, 2, 2, 3})
      if (numerator % p == 0 && denominator % p == 0) numerator /= p, denominator /= p;
    if (numerator != 0) part += fmt::format("+{}/{}", numerator, denominator);
    text += (i == 0 ? "" : ", ") + part;
  }
  return text;
}

void add_header(std::string& text, const StandardCell& crystal, const std::string& name) {
  const Structure& cell = crystal.conventional;
  const Composition composition = cell.composition();
  const Composition reduced = composition.reduced();
  const Vector3 length = lengths(cell.lattice), angle = angles(cell.lattice);
  const auto add = [&](const char* tag, const std::string& value) {
    text += fmt::format("{:<32} {}\n", tag, value);
  };
  text += fmt::format("data_{}\n", one_word(name));
  add("_audit_creation_method", "'kronite " KRONITE_VERSION "'");
  add("_chemical_formula_structural", composition.reduced_formula());
  add("_chemical_formula_sum", fmt::format("'{}'", cif_formula(reduced)));
  add("_cell_formula_units_Z", fmt::format("{:g}", composition.total() / reduced.total()));
  add("_cell_length_a", number(length[0]));
  add("_cell_length_b", number(length[1]));
  add("_cell_length_c", number(length[2]));
  add("_cell_angle_alpha", number(angle[0]));
  add("_cell_angle_beta", number(angle[1]));
  add("_cell_angle_gamma", number(angle[2]));
  add("_cell_volume", number(volume(cell.lattice)));
  add("_space_group_IT_number", fmt::format("{}", crystal.symmetry.space_group));
  add("_space_group_name_H-M_alt",
      fmt::format("'{}'", hermann_mauguin(crystal.symmetry.hall_number)));
  add("_space_group_name_Hall", fmt::format("'{}'", crystal.symmetry.hall));
}

/// The first site of each orbit, with the number of sites in it.
void add_asymmetric_unit(std::string& text, const StandardCell& crystal) {
  text +=
      "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_site_symmetry_multiplicity\n"
      "_atom_site_Wyckoff_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
      "_atom_site_occupancy\n";
  const std::vector<int>& first = crystal.symmetry.equivalent;
  std::vector<int> multiplicity(first.size(), 0);
  for (const int i : first) ++multiplicity[i];
  std::array<int, 256> serial{};
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (multiplicity[i] == 0) continue;
    const int z = crystal.conventional.z[i];
    const Vector3& x = crystal.conventional.fractional[i];
    text += fmt::format("  {0}{1} {0} {2} {3} {4} {5} {6} 1\n", element_symbol(z), ++serial[z],
                        multiplicity[i], crystal.symmetry.wyckoff[i], number(x[0]), number(x[1]),
                        number(x[2]));
  }
}

}  // namespace

std::string to_cif(const StandardCell& crystal, const std::string& name) {
  const Symmetry& symmetry = crystal.symmetry;
  if (symmetry.hall_number == 0) return to_cif(crystal.conventional, name);
  check_structure(crystal.conventional);
  if (symmetry.wyckoff.size() != crystal.conventional.size() ||
      symmetry.equivalent.size() != crystal.conventional.size())
    fail(Errc::invalid_argument, "the symmetry is that of another cell: {} sites, not {}",
         symmetry.equivalent.size(), crystal.conventional.size());
  std::string text;
  add_header(text, crystal, name);
  text += "loop_\n_space_group_symop_id\n_space_group_symop_operation_xyz\n";
  int serial = 0;
  for (const SymmetryOperation& operation : operations_of(symmetry.hall_number))
    text += fmt::format("  {} '{}'\n", ++serial, operation_text(operation));
  add_asymmetric_unit(text, crystal);
  return text;
}

std::string to_cif(const Structure& structure, const std::string& name, bool symmetrised,
                   double symprec) {
  check_structure(structure);
  if (symmetrised) {
    try {
      return to_cif(standardise(structure, symprec), name);
    } catch (const Error& error) {
      if (error.code() != Errc::numerical) throw;  // no space group found: P 1 is still true
    }
  }
  return to_cif(without_symmetry(structure), name);
}

std::string to_poscar(const Structure& structure, const std::string& comment) {
  check_structure(structure);
  std::vector<int> elements;
  for (const std::uint8_t z : structure.z)
    if (std::find(elements.begin(), elements.end(), z) == elements.end()) elements.push_back(z);
  std::string symbols, counts, sites;
  for (const int z : elements) {
    symbols += fmt::format(" {:>4}", element_symbol(z));
    counts += fmt::format(" {:>4}", std::count(structure.z.begin(), structure.z.end(), z));
    for (std::size_t i = 0; i < structure.size(); ++i)
      if (structure.z[i] == z)
        sites +=
            fmt::format(" {:20.16f} {:20.16f} {:20.16f} {}\n", structure.fractional[i][0],
                        structure.fractional[i][1], structure.fractional[i][2], element_symbol(z));
  }
  std::string text = io::one_line(comment) + "\n1.0\n";
  for (const Vector3& row : structure.lattice)
    text += fmt::format(" {:20.14f} {:20.14f} {:20.14f}\n", row[0], row[1], row[2]);
  return text + symbols + "\n" + counts + "\nDirect\n" + sites;
}

std::string to_extxyz(const Structure& structure, const std::string& metadata) {
  check_structure(structure);
  std::string lattice;
  for (const Vector3& row : structure.lattice)
    for (const double x : row) lattice += (lattice.empty() ? "" : " ") + number(x);
  std::string text =
      fmt::format("{}\nLattice=\"{}\" Properties=species:S:1:pos:R:3 pbc=\"T T T\"{}{}\n",
                  structure.size(), lattice, metadata.empty() ? "" : " ", io::one_line(metadata));
  for (std::size_t i = 0; i < structure.size(); ++i) {
    const Vector3 x = cartesian(structure.lattice, structure.fractional[i]);
    text += fmt::format("{:<2} {:18.12f} {:18.12f} {:18.12f}\n", element_symbol(structure.z[i]),
                        x[0], x[1], x[2]);
  }
  return text;
}

}  // namespace kronite
