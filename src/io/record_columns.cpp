// Names of columns, in the order in which they are believed.
#include "io/record_columns.hpp"

#include <cmath>
#include <initializer_list>
#include <optional>

#include "base/ascii.hpp"           // for to_lower
#include "base/fail.hpp"            // for fail
#include "base/number.hpp"          // for to_number
#include "io/structure_reader.hpp"  // for license_of

namespace kronite::io {
namespace {

using Names = std::initializer_list<const char*>;

std::string first_of(const ColumnLookup& column, Names names) {
  for (const char* name : names)
    if (std::string text = column(name); !text.empty()) return text;
  return {};
}

void set_text(const ColumnLookup& column, Names names, std::string& value) {
  if (std::string text = first_of(column, names); !text.empty()) value = std::move(text);
}

void set_number(const ColumnLookup& column, Names names, double& value) {
  if (const auto number = to_number(first_of(column, names))) value = *number;
}

void set_truth(const ColumnLookup& column, Names names, std::optional<bool>& value) {
  const std::string text = to_lower(first_of(column, names));
  if (text == "true" || text == "t" || text == "1") value = true;
  if (text == "false" || text == "f" || text == "0") value = false;
}

}  // namespace

int space_group_number(double number) {
  return number >= 1 && number <= 230 && number == std::floor(number) ? static_cast<int>(number)
                                                                      : 0;
}

void refuse_deprecated(const std::string& id) {
  fail(Errc::parse, "{} is marked as deprecated", id.empty() ? "the entry" : id);
}

std::string id_from_columns(const ColumnLookup& column) {
  return first_of(column, {"material_id", "id", "name"});
}

void fill_from_columns(const ColumnLookup& column, StructureRecord& record) {
  if (std::string id = id_from_columns(column); !id.empty()) record.id = std::move(id);
  set_text(column,
           {"formula_pretty", "pretty_formula", "full_formula", "reduced_formula", "formula"},
           record.declared_formula);
  set_text(column, {"source"}, record.source);
  set_text(column, {"database_version", "_db_version"}, record.database_version);
  set_text(column, {"thermo_type"}, record.thermo_type);
  set_number(column, {"energy_above_hull", "e_above_hull"}, record.e_above_hull);
  set_number(column, {"formation_energy_per_atom", "e_form"}, record.formation_energy);
  set_truth(column, {"is_stable"}, record.is_stable);
  set_truth(column, {"theoretical"}, record.theoretical);
  std::string license;
  set_text(column, {"license"}, license);
  if (!license.empty()) record.license = license_of(license);
  double group = 0;
  set_number(column,
             {"spacegroup.number", "spacegroup_number", "space_group_number", "space_group"},
             group);
  if (const int number = space_group_number(group)) record.declared_space_group = number;
  std::optional<bool> deprecated;
  set_truth(column, {"deprecated"}, deprecated);
  if (deprecated.value_or(false)) refuse_deprecated(record.id);
}

}  // namespace kronite::io
