// The keys of pymatgen, the Materials Project and OPTIMADE (v1.0 to 1.3).
#include "io/structure_record.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/ascii.hpp"           // for to_lower
#include "base/fail.hpp"            // for fail
#include "io/record_columns.hpp"    // for fill_from_columns, refuse_deprecated
#include "io/structure_reader.hpp"  // for element_of, majority_element, license_of
#include "materials/lattice.hpp"    // for reciprocal, fractional

namespace kronite::io {
namespace {

using simdjson::SUCCESS;
using Array = simdjson::dom::array;
using Object = simdjson::dom::object;

Json need(Object object, const char* key) {
  Json value;
  if (object[key].get(value) != SUCCESS || value.is_null())
    fail(Errc::parse, "'{}' is missing", key);
  return value;
}

Object need_object(Object object, const char* key) {
  Object value;
  if (need(object, key).get(value) != SUCCESS) fail(Errc::parse, "'{}' must be an object", key);
  return value;
}

Array need_array(Object object, const char* key) {
  Array value;
  if (need(object, key).get(value) != SUCCESS) fail(Errc::parse, "'{}' must be a list", key);
  return value;
}

Vector3 vector_of(Json value, const char* what) {
  Array array;
  Vector3 vector{};
  std::size_t count = 0;
  if (value.get(array) == SUCCESS)
    for (const Json item : array) {
      double number;
      if (item.get(number) != SUCCESS)
        fail(Errc::parse, "{} holds a value that is no number", what);
      if (count < 3) vector[count] = number;
      ++count;
    }
  if (count != 3) fail(Errc::parse, "{} must be three numbers", what);
  return vector;
}

Lattice lattice_of(Array rows, const char* what) {
  Lattice lattice;
  std::size_t count = 0;
  for (const Json row : rows) {
    if (count < 3) lattice[count] = vector_of(row, what);
    ++count;
  }
  if (count != 3) fail(Errc::parse, "{} must be three vectors", what);
  return lattice;
}

/// Text of the first of these keys that holds any; ids may be numbers.
std::string text_of(Object object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    Json value;
    if (object[key].get(value) != SUCCESS) continue;
    std::string_view text;
    if (value.get(text) == SUCCESS) return std::string(text);
    std::int64_t number;
    if (value.get(number) == SUCCESS) return std::to_string(number);
  }
  return {};
}

/// NaN when no key holds a number.
double number_of(Object object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    double number;
    if (object[key].get(number) == SUCCESS) return number;
  }
  return std::nan("");
}

/// Of one of these keys that holds one; "1", "0" and null are none.
std::optional<bool> truth_of(Object object, const char* key) {
  bool value = false;
  return object[key].get(value) == SUCCESS ? std::optional(value) : std::nullopt;
}

/// 0 where the key holds no number from 1 to 230.
int space_group_of(Object object, const char* key) {
  double number = 0;
  return object[key].get(number) == SUCCESS ? space_group_number(number) : 0;
}

void push_site(StructureRecord& record, const std::vector<std::pair<int, double>>& occupancies,
               const Vector3& fractional) {
  const SiteElement element = majority_element(occupancies);
  record.structure.z.push_back(static_cast<std::uint8_t>(element.z));
  record.structure.fractional.push_back(fractional);
  record.disordered |= element.shared;
}

// --- pymatgen and the Materials Project ----------------------------------------------------------

void read_species(Object site, std::vector<std::pair<int, double>>& occupancies) {
  occupancies.clear();
  for (const Json item : need_array(site, "species")) {
    Object species;
    std::string_view symbol;
    if (item.get(species) != SUCCESS || need(species, "element").get(symbol) != SUCCESS)
      fail(Errc::parse, "'species' must be objects with 'element' and 'occu'");
    const int z = element_of(symbol);
    if (z == 0) fail(Errc::parse, "{} is not an element", symbol);
    double occupancy = 1;
    Json given;
    if (species["occu"].get(given) == SUCCESS && given.get(occupancy) != SUCCESS)
      fail(Errc::parse, "'occu' must be a number");
    occupancies.emplace_back(z, occupancy);
  }
}

/// Slabs and wires; a molecule has no lattice at all.
void check_periodic(Object lattice) {
  Array periodic;
  if (lattice["pbc"].get(periodic) != SUCCESS) return;
  for (const Json direction : periodic) {
    bool is_periodic = true;
    if (direction.get(is_periodic) == SUCCESS && !is_periodic)
      fail(Errc::parse, "'lattice.pbc': not periodic in three directions");
  }
}

void read_pymatgen(Object object, StructureRecord& record) {
  check_periodic(need_object(object, "lattice"));
  const Lattice lattice =
      lattice_of(need_array(need_object(object, "lattice"), "matrix"), "'lattice.matrix'");
  const Lattice to_fractional = reciprocal(lattice);
  record.structure.lattice = lattice;
  std::vector<std::pair<int, double>> occupancies;
  for (const Json item : need_array(object, "sites")) {
    Object site;
    if (item.get(site) != SUCCESS) fail(Errc::parse, "'sites' must be objects");
    read_species(site, occupancies);
    Json position;
    const bool has_abc = site["abc"].get(position) == SUCCESS && !position.is_null();
    push_site(record, occupancies,
              has_abc ? vector_of(position, "'abc'")
                      : fractional(to_fractional, vector_of(need(site, "xyz"), "'abc' or 'xyz'")));
  }
}

std::string summary_license(Object object) {
  Object builder;
  if (object["builder_meta"].get(builder) == SUCCESS) {
    // Entries from GNoME are non-commercial, whatever else they say.
    if (text_of(builder, {"batch_id"}) == "gnome_r2scan_statics") return "BY-NC";
    if (has(builder, "license")) return license_of(text_of(builder, {"license"}));
  }
  return license_of(text_of(object, {"license"}));
}

void read_metadata(Object object, StructureRecord& record) {
  if (record.id.empty()) record.id = text_of(object, {"material_id", "task_id", "id", "name"});
  record.declared_formula =
      text_of(object, {"formula_pretty", "pretty_formula", "reduced_formula", "formula"});
  record.license = summary_license(object);
  record.source = text_of(object, {"source", "_source"});
  record.e_above_hull = number_of(object, {"energy_above_hull", "e_above_hull"});
  record.formation_energy = number_of(object, {"formation_energy_per_atom"});
  record.thermo_type = text_of(object, {"thermo_type"});
  record.is_stable = truth_of(object, "is_stable");
  record.theoretical = truth_of(object, "theoretical");
  record.database_version = text_of(object, {"_db_version", "database_version"});
  Object part;
  if (object["symmetry"].get(part) == SUCCESS)
    record.declared_space_group = space_group_of(part, "number");
  if (record.database_version.empty() && object["builder_meta"].get(part) == SUCCESS)
    record.database_version = text_of(part, {"database_version"});
  if (truth_of(object, "deprecated").value_or(false)) refuse_deprecated(record.id);
}

// --- OPTIMADE ------------------------------------------------------------------------------------

/// Servers leave out or null what they were not asked for.
Array need_attribute(Object attributes, const char* key) {
  Array value;
  if (attributes[key].get(value) != SUCCESS)
    fail(Errc::parse, "'{}' is missing; ask the server for it (response_fields)", key);
  return value;
}

struct Species {
  std::string_view name;
  std::vector<std::pair<int, double>> occupancies;
};

/// A species' name is a label, not its element: "C" may be titanium. What is neither vacant nor a
/// known element is left to the rest of the site, which then counts as disordered.
std::vector<Species> read_optimade_species(Object attributes) {
  std::vector<Species> all;
  for (const Json item : need_attribute(attributes, "species")) {
    Object object;
    Species species;
    if (item.get(object) != SUCCESS || need(object, "name").get(species.name) != SUCCESS)
      fail(Errc::parse, "'species' must be objects with 'name'");
    std::vector<double> shares;
    for (const Json share : need_array(object, "concentration")) {
      double value;
      if (share.get(value) != SUCCESS) fail(Errc::parse, "'concentration' must be numbers");
      shares.push_back(value);
    }
    std::size_t index = 0;
    for (const Json symbol : need_array(object, "chemical_symbols")) {
      std::string_view text;
      if (index == shares.size() || symbol.get(text) != SUCCESS)
        fail(Errc::parse, "species {}: 'chemical_symbols' and 'concentration' differ in length",
             species.name);
      const double share = shares[index++];
      if (text == "vacancy" || text == "X") continue;  // nothing, or something unknown
      const int z = element_of(text);
      if (z == 0) fail(Errc::parse, "species {}: {} is not an element", species.name, text);
      species.occupancies.emplace_back(z, share);
    }
    all.push_back(std::move(species));
  }
  return all;
}

std::vector<Vector3> read_positions(Object attributes, const Lattice& lattice) {
  std::vector<Vector3> positions;
  Array given;
  if (attributes["fractional_site_positions"].get(given) == SUCCESS) {
    for (const Json item : given)
      positions.push_back(vector_of(item, "'fractional_site_positions'"));
    return positions;
  }
  const Lattice to_fractional = reciprocal(lattice);
  for (const Json item : need_attribute(attributes, "cartesian_site_positions"))
    positions.push_back(fractional(to_fractional, vector_of(item, "'cartesian_site_positions'")));
  return positions;
}

void read_optimade_sites(Object attributes, StructureRecord& record) {
  const Lattice lattice =
      lattice_of(need_attribute(attributes, "lattice_vectors"), "'lattice_vectors'");
  record.structure.lattice = lattice;
  const std::vector<Vector3> positions = read_positions(attributes, lattice);
  const std::vector<Species> species = read_optimade_species(attributes);
  std::size_t site = 0;
  for (const Json item : need_attribute(attributes, "species_at_sites")) {
    std::string_view name;
    if (site == positions.size() || item.get(name) != SUCCESS)
      fail(Errc::parse, "'species_at_sites' must name one species per position");
    const auto known = std::find_if(species.begin(), species.end(),
                                    [&](const Species& s) { return s.name == name; });
    if (known == species.end()) fail(Errc::parse, "species {} is not described", name);
    push_site(record, known->occupancies, positions[site++]);
  }
  if (site != positions.size())
    fail(Errc::parse, "{} positions but {} species at sites", positions.size(), site);
}

/// Features that the sites alone do not show.
void read_features(Object attributes, StructureRecord& record) {
  std::int64_t periodic = 3;
  if (attributes["nperiodic_dimensions"].get(periodic) == SUCCESS && periodic != 3)
    fail(Errc::parse, "periodic in {} dimensions, expected 3", periodic);
  Array features;
  if (attributes["structure_features"].get(features) == SUCCESS && features.size() > 0)
    record.disordered = true;
}

/// Energies of `_mp_stability`: of the functional that the Materials Project shows first.
void read_stability(Object stability, StructureRecord& record) {
  constexpr std::array kOrder = {"gga_gga+u_r2scan", "r2scan", "gga_gga+u"};
  std::size_t best = kOrder.size() + 1;
  for (const auto [key, value] : stability) {
    const std::string name = to_lower(std::string(key));
    const auto rank =
        static_cast<std::size_t>(std::find(kOrder.begin(), kOrder.end(), name) - kOrder.begin());
    Object energies;
    if (rank >= best || value.get(energies) != SUCCESS) continue;
    best = rank;
    record.thermo_type = key;
    record.e_above_hull = number_of(energies, {"energy_above_hull"});
    record.formation_energy = number_of(energies, {"formation_energy_per_atom"});
  }
}

/// The number behind keys with dots between them; NaN when there is none.
double number_at(Object attributes, const std::string& keys) {
  Object object = attributes;
  std::size_t at = 0;
  for (std::size_t dot; (dot = keys.find('.', at)) != std::string::npos; at = dot + 1)
    if (object[std::string_view(keys).substr(at, dot - at)].get(object) != SUCCESS)
      return std::nan("");
  double number = std::nan("");
  return object[std::string_view(keys).substr(at)].get(number) == SUCCESS ? number : std::nan("");
}

/// By the caller's keys, else by those of the Materials Project, OQMD and odbx.
void read_energies(Object attributes, const ReadOptions& options, StructureRecord& record) {
  if (!options.e_above_hull_key.empty() || !options.formation_energy_key.empty()) {
    record.e_above_hull = number_at(attributes, options.e_above_hull_key);
    record.formation_energy = number_at(attributes, options.formation_energy_key);
    return;
  }
  Object object;
  if (attributes["_mp_stability"].get(object) == SUCCESS && object.size() > 0) {
    read_stability(object, record);
    return;
  }
  record.e_above_hull = number_of(attributes, {"_oqmd_stability"});
  record.formation_energy = number_of(attributes, {"_oqmd_delta_e"});
  if (attributes["_odbx_thermodynamics"].get(object) == SUCCESS)
    record.e_above_hull = number_of(object, {"hull_distance"});
}

}  // namespace

void Origin::read_meta(Json meta) {
  Object object, part;
  if (meta.get(object) != SUCCESS || object["provider"].get(part) != SUCCESS) return;
  provider = text_of(part, {"name", "prefix"});
}

void Origin::read_info(Object info) {
  Object attributes, link;
  if (info["attributes"].get(attributes) != SUCCESS) return;
  for (const char* key : {"available_licenses_for_entries", "available_licenses"}) {
    Array names;
    std::string_view first;
    if (attributes[key].get(names) == SUCCESS && names.size() == 1 &&
        names.at(0).get(first) == SUCCESS) {
      license = license_of(first);
      return;
    }
  }
  std::string text = text_of(attributes, {"license"});
  if (attributes["license"].get(link) == SUCCESS) text = text_of(link, {"href"});
  if (!text.empty()) license = license_of(text);
}

StructureRecord read_summary(Object object, std::string_view id) {
  StructureRecord record;
  record.id = id;
  read_metadata(object, record);
  const char* inner = has(object, "structure") ? "structure" : has(object, "snl") ? "snl" : nullptr;
  read_pymatgen(inner ? need_object(object, inner) : object, record);
  return record;
}

StructureRecord read_optimade(Object entry, const Origin& origin, const ReadOptions& options) {
  StructureRecord record;
  record.id = text_of(entry, {"id"});
  const Object attributes = need_object(entry, "attributes");
  record.declared_formula =
      text_of(attributes, {"chemical_formula_reduced", "chemical_formula_descriptive"});
  const std::string license = text_of(attributes, {"_kronite_license", "license"});
  record.license = license.empty() ? origin.license : license_of(license);
  record.declared_space_group = space_group_of(attributes, "space_group_it_number");
  record.source = text_of(attributes, {"_kronite_source"});
  if (record.source.empty()) record.source = origin.provider;
  read_features(attributes, record);
  read_energies(attributes, options, record);
  read_optimade_sites(attributes, record);
  return record;
}

namespace {

/// Text, number or truth value of a cell as text; empty for null, lists and objects.
std::string cell_text(Json cell) {
  std::string_view text;
  if (cell.get(text) == SUCCESS) return std::string(text);
  const bool is_scalar = cell.is_bool() || cell.is_number();
  return is_scalar ? std::string(simdjson::minify(cell)) : std::string();
}

}  // namespace

StructureRecord read_row(Array columns, Json row) {
  Array cells;
  if (row.get(cells) != SUCCESS || cells.size() != columns.size())
    fail(Errc::parse, "a row must be a list with one value per column");
  StructureRecord record;
  bool found = false;
  for (const Json cell : cells) {
    Object object;
    if (found || cell.get(object) != SUCCESS || !has(object, "lattice")) continue;
    read_pymatgen(object, record);
    found = true;
  }
  if (!found) fail(Errc::parse, "no column holds a structure");
  fill_from_columns(
      [&](std::string_view name) {
        auto cell = cells.begin();
        for (const Json column : columns) {
          std::string_view given;
          if (column.get(given) == SUCCESS && given == name) return cell_text(*cell);
          ++cell;
        }
        return std::string();
      },
      record);
  return record;
}

}  // namespace kronite::io
