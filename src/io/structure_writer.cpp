// A structure as the text of a CIF, POSCAR or extended XYZ file.
#include <algorithm>
#include <cmath>

#include "base/fail.hpp"            // for fail, fmt::format
#include "io/escape.hpp"            // for one_line
#include "kronite/structure.hpp"    // for to_cif, to_poscar, to_extxyz
#include "kronite/version.hpp"      // for KRONITE_VERSION
#include "materials/lattice.hpp"    // for wrap, norm
#include "materials/site_grid.hpp"  // for SiteGrid
#include "materials/symmetry.hpp"   // for standard_setting

namespace kronite {
namespace {

/// Twelve decimals read back to 5e-13; trailing zeros go, one decimal stays.
std::string number(double value) {
  std::string text = fmt::format("{:.12f}", value);
  text.erase(std::max(text.find_last_not_of('0'), text.find('.') + 1) + 1);
  return text == "-0.0" ? "0.0" : text;
}

/// Blanks and control characters would end a CIF name or a one-line comment.
std::string one_word(const std::string& name) {
  std::string word = name;
  for (char& c : word)
    if (c <= ' ' || c > '~') c = '_';
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

struct AsymmetricSite {
  std::size_t site;
  int multiplicity;
  char wyckoff;  ///< 0 where none is known
};

Vector3 apply(const SymmetryOperation& operation, const Vector3& x) {
  Vector3 image = operation.translation;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) image[i] += operation.rotation[i][j] * x[j];
  return image;
}

/// One site per orbit. Empty when the operations do not map the cell onto itself, which no file may
/// then claim.
std::vector<AsymmetricSite> asymmetric_unit(const StandardSetting& setting) {
  constexpr double kSamePlace = 1e-3;  // Å: sites of an idealised cell agree to rounding
  const Structure& cell = setting.cell;
  SiteGrid grid(cell.lattice, kSamePlace);
  for (const Vector3& x : cell.fractional) grid.insert(x);
  std::vector<bool> taken(cell.size(), false);
  std::vector<AsymmetricSite> unit;
  for (std::size_t i = 0; i < cell.size(); ++i) {
    if (taken[i]) continue;
    unit.push_back({i, 0, setting.wyckoff[i]});
    for (const SymmetryOperation& operation : setting.operations) {
      const auto hit = grid.find(apply(operation, cell.fractional[i]));
      if (!hit || cell.z[hit->site] != cell.z[i]) return {};
      if (!taken[hit->site]) ++unit.back().multiplicity;
      taken[hit->site] = true;
    }
  }
  return unit;
}

void add_header(std::string& text, const StandardSetting& setting, const std::string& name) {
  const Structure& cell = setting.cell;
  const Composition composition = cell.composition();
  const Composition reduced = composition.reduced();
  const Vector3 length = lengths(cell.lattice), angle = angles(cell.lattice);
  text += fmt::format("data_{}\n", one_word(name));
  text += fmt::format("_audit_creation_method           'kronite {}'\n", KRONITE_VERSION);
  text += fmt::format("_chemical_formula_structural     {}\n", composition.reduced_formula());
  text += fmt::format("_chemical_formula_sum            '{}'\n", cif_formula(reduced));
  text +=
      fmt::format("_cell_formula_units_Z            {:g}\n", composition.total() / reduced.total());
  for (int k = 0; k < 3; ++k)
    text += fmt::format("_cell_length_{}                   {}\n", "abc"[k], number(length[k]));
  constexpr std::array kAngles = {"alpha", "beta ", "gamma"};
  for (int k = 0; k < 3; ++k)
    text += fmt::format("_cell_angle_{}               {}\n", kAngles[k], number(angle[k]));
  text += fmt::format("_cell_volume                     {}\n", number(volume(cell.lattice)));
  text += fmt::format("_space_group_IT_number           {}\n", setting.space_group);
  text += fmt::format("_space_group_name_H-M_alt        '{}'\n", setting.hermann_mauguin);
  text += fmt::format("_space_group_name_Hall           '{}'\n", setting.hall);
}

std::string cif_text(const StandardSetting& setting, const std::vector<AsymmetricSite>& unit,
                     const std::string& name) {
  std::string text;
  add_header(text, setting, name);
  text += "loop_\n_space_group_symop_id\n_space_group_symop_operation_xyz\n";
  for (std::size_t i = 0; i < setting.operations.size(); ++i)
    text += fmt::format("  {} '{}'\n", i + 1, operation_text(setting.operations[i]));
  text +=
      "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_site_symmetry_multiplicity\n"
      "_atom_site_Wyckoff_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
      "_atom_site_occupancy\n";
  std::array<int, 256> serial{};
  for (const AsymmetricSite& site : unit) {
    const int z = setting.cell.z[site.site];
    const Vector3& x = setting.cell.fractional[site.site];
    const std::string_view symbol = element_symbol(z);
    text += fmt::format("  {}{} {} {} {} {} {} {} 1\n", symbol, ++serial[z], symbol,
                        site.multiplicity, site.wyckoff, number(x[0]), number(x[1]), number(x[2]));
  }
  return text;
}

StandardSetting triclinic(const Structure& structure) {
  StandardSetting setting;
  setting.cell = structure;
  setting.operations = {{{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}, {0, 0, 0}}};
  setting.wyckoff.assign(structure.size(), 'a');
  setting.space_group = 1;
  setting.hermann_mauguin = setting.hall = "P 1";
  return setting;
}

}  // namespace

std::string to_cif(const Structure& structure, const std::string& name, bool symmetrised,
                   double symprec) {
  check_structure(structure);
  if (symmetrised) {
    try {
      const StandardSetting setting = standard_setting(structure, symprec);
      const std::vector<AsymmetricSite> unit = asymmetric_unit(setting);
      if (!unit.empty()) return cif_text(setting, unit, name);
    } catch (const Error& error) {
      if (error.code() != Errc::numerical) throw;  // no space group found: P 1 is still true
    }
  }
  std::vector<AsymmetricSite> all;
  for (std::size_t i = 0; i < structure.size(); ++i) all.push_back({i, 1, 'a'});
  return cif_text(triclinic(structure), all, name);
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
