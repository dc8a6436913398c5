// CIF: gemmi parses the text; here its data blocks become structures.
#include <algorithm>
#include <cmath>
#include <gemmi/cif.hpp>
#include <gemmi/numb.hpp>

#include "base/ascii.hpp"           // for is_letter, is_upper
#include "base/fail.hpp"            // for fail
#include "base/log.hpp"             // for notice
#include "base/number.hpp"          // for to_number
#include "base/printable.hpp"       // for printable
#include "io/cif_blocks.hpp"        // for CifBlocks, CifText
#include "io/cif_symmetry.hpp"      // for symmetry_operations, orbit
#include "io/escape.hpp"            // for one_line
#include "io/structure_reader.hpp"  // for Records, element_of, majority_element
#include "materials/site_grid.hpp"  // for SiteGrid

namespace kronite::io {
namespace {

namespace cif = gemmi::cif;

/// Value of the first of these tags that the block gives.
std::string value_of(cif::Block& block, std::initializer_list<const char*> tags) {
  for (const char* tag : tags)
    if (const std::string* value = block.find_value(tag))
      if (!cif::is_null(*value)) return cif::as_string(*value);
  return {};
}

/// `otherwise` where the tag is absent, if that is a number.
double cell_number(cif::Block& block, const char* tag, double otherwise) {
  const std::string* text = block.find_value(tag);
  const double value = text ? cif::as_number(*text) : otherwise;
  if (!std::isfinite(value))
    fail(Errc::parse, "{} is {}, expected a number", tag, text ? *text : "missing");
  return value;
}

Lattice read_lattice(cif::Block& block) {
  constexpr double kRightAngle = 90;  // what the dictionary says of angles that are not given
  const auto length = [&](const char* tag) { return cell_number(block, tag, std::nan("")); };
  const auto angle = [&](const char* tag) { return cell_number(block, tag, kRightAngle); };
  const Lattice lattice = lattice_from_parameters(
      {length("_cell_length_a"), length("_cell_length_b"), length("_cell_length_c")},
      {angle("_cell_angle_alpha"), angle("_cell_angle_beta"), angle("_cell_angle_gamma")});
  if (!std::isfinite(volume(lattice))) fail(Errc::parse, "the cell is too large");
  return lattice;
}

// --- symmetry ------------------------------------------------------------------------------------

GivenSymmetry given_symmetry(cif::Block& block) {
  GivenSymmetry given;
  for (const char* tag : {"_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz"})
    if (given.triplets.empty())
      for (const std::string& text : block.find_values(tag))
        if (!cif::is_null(text)) given.triplets.push_back(cif::as_string(text));
  given.hall = value_of(block, {"_space_group_name_Hall", "_symmetry_space_group_name_Hall"});
  given.name = value_of(block, {"_space_group_name_H-M_alt", "_symmetry_space_group_name_H-M",
                                "_space_group_name_H-M_full", "_space_group_name_H-M_ref"});
  given.number = value_of(block, {"_space_group_IT_number", "_symmetry_Int_Tables_number"});
  if (given.triplets.empty() && given.hall.empty() && given.name.empty() && given.number.empty())
    notice(fmt::format("data_{}: no symmetry is given, read as P 1", printable(block.name)));
  return given;
}

// --- sites ---------------------------------------------------------------------------------------

struct CifSite {
  std::string label;
  int z = 0;
  Vector3 position{};
  double occupancy = 1;
};

/// Element of a label such as "Na1" or "OW2". Where the letters could be read in two ways ("CO1")
/// nothing is guessed.
int label_element(const std::string& label) {
  std::size_t letters = 0;
  while (letters < label.size() && is_letter(label[letters])) ++letters;
  const std::string_view text(label);
  if (letters == 1) return element_of(text.substr(0, 1));
  if (letters < 2) return 0;
  const bool capital = is_upper(label[1]);
  const int two = element_of(text.substr(0, 2));
  if (!capital) return letters == 2 || is_upper(label[2]) ? two : 0;
  const int one = element_of(text.substr(0, 1));
  return letters > 2 || (one && two) ? 0 : one ? one : two;
}

int site_element(const std::string& label, const std::string& symbol) {
  const bool has_symbol = !symbol.empty() && !cif::is_null(symbol);
  const int z = has_symbol ? element_of(symbol) : label_element(label);
  if (z == 0 && has_symbol) fail(Errc::parse, "site {}: {} is not an element", label, symbol);
  if (z == 0)
    fail(Errc::parse,
         "site {}: the label names no element for certain; _atom_site_type_symbol is "
         "missing",
         label);
  return z;
}

/// Rows of the atom loop; dummies and empty sites are left out.
std::vector<CifSite> read_sites(cif::Block& block, bool& implicit_hydrogen) {
  enum { kX, kY, kZ, kLabel, kSymbol, kOccupancy, kFlag, kHydrogens };
  cif::Table table =
      block.find("_atom_site_", {"fract_x", "fract_y", "fract_z", "?label", "?type_symbol",
                                 "?occupancy", "?calc_flag", "?attached_hydrogens"});
  if (!table.ok() && block.find_values("_atom_site_Cartn_x").length() > 0)
    fail(Errc::parse,
         "Cartesian coordinates only; fractional ones (_atom_site_fract_x) are needed");
  std::vector<CifSite> sites;
  int serial = 0;
  for (auto row : table) {
    ++serial;
    const auto text = [&](int column) { return row.has(column) ? row.str(column) : std::string(); };
    if (text(kFlag) == "dum") continue;
    std::string label = row.has2(kLabel) ? text(kLabel) : text(kSymbol);
    if (label.empty()) label = fmt::format("number {}", serial);
    CifSite site;
    for (int k = 0; k < 3; ++k) {
      site.position[k] = cif::as_number(row[kX + k]);
      if (!std::isfinite(site.position[k]))
        fail(Errc::parse, "site {}: its coordinate {} is {}, not a number", label, "xyz"[k],
             row[kX + k].empty() ? "missing" : row[kX + k]);
    }
    if (row.has(kOccupancy)) site.occupancy = cif::as_number(row[kOccupancy], 1.0);
    if (row.has(kHydrogens) && cif::as_number(row[kHydrogens], 0.0) > 0) implicit_hydrogen = true;
    if (site.occupancy == 0) continue;
    site.z = site_element(label, text(kSymbol));
    site.label = std::move(label);
    sites.push_back(std::move(site));
  }
  return sites;
}

std::vector<Vector3> images(const Lattice& lattice,
                            const std::vector<SymmetryOperation>& operations, const CifSite& site) {
  constexpr double kWhole = 0.5 + 1e-3;  // up to a half, two images may stand for one atom
  try {
    return orbit(lattice, operations, site.position, site.occupancy > kWhole);
  } catch (const Error& error) {
    fail(Errc::parse, "site {}: {}", site.label, error.what());
  }
}

/// All sites of the cell. Rows that meet in one place share it: the same whole atom written twice,
/// or a disordered site.
void fill_cell(const std::vector<SymmetryOperation>& operations, const std::vector<CifSite>& sites,
               StructureRecord& record) {
  constexpr double kSharedSite = 0.1;  // Å
  Structure& structure = record.structure;
  SiteGrid grid(structure.lattice, kSharedSite);
  std::vector<std::vector<std::pair<int, double>>> occupancies;
  for (const CifSite& site : sites)
    for (const Vector3& position : images(structure.lattice, operations, site)) {
      const auto hit = grid.find(position);
      if (!hit) {
        grid.insert(position);
        structure.fractional.push_back(position);
        occupancies.push_back({{site.z, site.occupancy}});
        continue;
      }
      auto& shared = occupancies[hit->site];
      const bool repeated = shared.size() == 1 && shared[0].first == site.z &&
                            shared[0].second == 1 && site.occupancy == 1;
      if (!repeated) shared.emplace_back(site.z, site.occupancy);
    }
  for (const auto& shared : occupancies) {
    const SiteElement element = majority_element(shared);
    structure.z.push_back(static_cast<std::uint8_t>(element.z));
    record.disordered |= element.shared;
  }
}

// --- records -------------------------------------------------------------------------------------

std::string citation(cif::Block& block) {
  std::string text;
  const auto add = [&](const char* before, const std::string& part) {
    const std::size_t from = part.find_first_not_of(" \t\r\n");
    if (from != std::string::npos) text += (text.empty() ? "" : before) + part.substr(from);
  };
  const std::string code = value_of(block, {"_cod_database_code"});
  add("", code.empty() ? "" : "COD " + code);
  add("; ", value_of(block, {"_journal_name_full", "_journal_name_abbrev"}));
  add(" ", value_of(block, {"_journal_volume"}));
  const std::string year = value_of(block, {"_journal_year"});
  add(" ", year.empty() ? "" : "(" + year + ")");
  add(" ", value_of(block, {"_journal_page_first"}));
  return one_line(text);
}

/// The Crystallography Open Database says so in the comments above each file.
bool is_public_domain(const std::string& text) {
  for (std::size_t at = text.find("public domain"); at != std::string::npos;
       at = text.find("public domain", at + 1)) {
    const std::size_t line = text.rfind('\n', at);
    if (text[line == std::string::npos ? 0 : line + 1] == '#') return true;
  }
  return false;
}

cif::Block parse_block(const std::string& text, std::int64_t first_line) {
  cif::Document document;
  try {
    tao::pegtl::memory_input<> input(text.data(), text.size(), "cif");
    cif::parse_input(document, input);
  } catch (const tao::pegtl::parse_error& error) {
    const auto line = static_cast<std::int64_t>(error.positions().front().line);
    fail(Errc::parse, "line {}: not CIF ({})", first_line + line - 1, error.message());
  }
  if (document.blocks.size() != 1) fail(Errc::parse, "expected one data block");
  return std::move(document.blocks.front());
}

int declared_space_group(cif::Block& block) {
  const auto number =
      to_number(value_of(block, {"_space_group_IT_number", "_symmetry_Int_Tables_number"}));
  return number && *number >= 1 && *number <= 230 ? static_cast<int>(*number) : 0;
}

bool is_structure(cif::Block& block) {
  return block.find_value("_cell_length_a") || block.find_values("_atom_site_fract_x").length() > 0;
}

/// Symmetry that does not fit the coordinates, such as that of another origin, often shows in the
/// amounts alone. Elements that are missing altogether, mostly hydrogen, are another matter.
void check_formula(const StructureRecord& record) {
  if (record.disordered) return;
  const Composition found = record.structure.composition();
  if (compare_to_declared(record, found) == Declared::other_amounts)
    fail(
        Errc::parse,
        "the symmetry makes {} of its sites, but the declared formula is {}: the symmetry does not "
        "fit the coordinates",
        found.reduced_formula(), printable(record.declared_formula));
}

/// What `kronite templates export` writes beside the crystal.
void read_own_items(cif::Block& block, StructureRecord& record) {
  const auto text = [&](const char* tag, std::string& value) {
    const std::string given = value_of(block, {tag});
    if (!given.empty()) value = given;
  };
  const auto number = [&](const char* tag, double& value) {
    if (const auto given = to_number(value_of(block, {tag}))) value = *given;
  };
  text("_kronite_material_id", record.id);
  text("_kronite_license", record.license);
  text("_kronite_source", record.source);
  number("_kronite_energy_above_hull", record.e_above_hull);
  number("_kronite_formation_energy_per_atom", record.formation_energy);
  record.license = license_of(record.license);
}

StructureRecord read_block(cif::Block& block, const std::string& text) {
  StructureRecord record;
  record.id = block.name;
  record.declared_formula = value_of(block, {"_chemical_formula_sum"});
  record.declared_space_group = declared_space_group(block);
  record.source = citation(block);
  record.license = is_public_domain(text) ? "PD" : "unknown";
  read_own_items(block, record);
  record.structure.lattice = read_lattice(block);
  const std::vector<CifSite> sites = read_sites(block, record.disordered);
  if (sites.empty()) fail(Errc::parse, "no atom sites (_atom_site_fract_x)");
  const auto operations = symmetry_operations(given_symmetry(block), record.structure.lattice);
  fill_cell(operations, sites, record);
  if (operations.size() > 1) check_formula(record);
  return record;
}

}  // namespace

StructureRecord read_cif_text(const std::string& text, std::int64_t first_line) {
  cif::Block block = parse_block(text, first_line);
  return read_block(block, text);
}

bool read_cif(const std::string& path, Records& records) {
  CifBlocks blocks(path);
  CifText text;
  while (blocks.next(text)) {
    const std::string where = fmt::format("{}:{}, data_{}", path, text.heading_line, text.name);
    std::optional<cif::Block> block;
    try {
      block.emplace(parse_block(text.text, text.first_line));
    } catch (const Error& error) {
      records.refuse(where, error.what());
      continue;
    }
    if (!is_structure(*block)) continue;  // global_ data, powder patterns
    if (!records.take(where, [&] { return read_block(*block, text.text); })) return false;
  }
  return true;
}

}  // namespace kronite::io
