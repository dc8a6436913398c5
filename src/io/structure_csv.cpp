// Tables of machine-learning data sets (MP-20, MPTS-52): one CIF text per row.
#include <algorithm>

#include "base/fail.hpp"            // for fail
#include "io/csv.hpp"               // for CsvReader
#include "io/structure_reader.hpp"  // for Records, read_cif_text

namespace kronite::io {
namespace {

/// The cells of a row by the names of their columns.
class Row {
 public:
  Row(const std::vector<std::string>& header, const std::vector<std::string>& cells)
      : header_(header), cells_(cells) {}

  /// The first of these columns that the table has; empty without one.
  std::string text(std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      const auto column = std::find(header_.begin(), header_.end(), name);
      if (column != header_.end())
        return cells_[static_cast<std::size_t>(column - header_.begin())];
    }
    return {};
  }

  double number(std::initializer_list<const char*> names) const {
    return to_number(text(names)).value_or(std::numeric_limits<double>::quiet_NaN());
  }

 private:
  const std::vector<std::string>& header_;
  const std::vector<std::string>& cells_;
};

StructureRecord read_row(const Row& row, std::int64_t line) {
  StructureRecord record = read_cif_text(row.text({"cif"}), line);
  const std::string id = row.text({"material_id", "id"});
  if (!id.empty()) record.id = id;
  const std::string formula = row.text({"pretty_formula", "formula_pretty", "formula"});
  if (!formula.empty()) record.declared_formula = formula;
  const std::string license = row.text({"license"});
  if (!license.empty()) record.license = license_of(license);
  const std::string source = row.text({"source"});
  if (!source.empty()) record.source = source;
  const double group = row.number({"spacegroup.number", "space_group", "spacegroup_number"});
  if (group >= 1 && group <= 230) record.declared_space_group = static_cast<int>(group);
  record.e_above_hull = row.number({"e_above_hull", "energy_above_hull"});
  record.formation_energy = row.number({"formation_energy_per_atom"});
  return record;
}

}  // namespace

bool read_structure_csv(const std::string& path, Records& records) {
  CsvReader reader(path);
  std::vector<std::string> header, cells;
  if (!reader.next(header)) fail(Errc::parse, "{}: the file is empty", path);
  while (reader.next(cells)) {
    const bool more = records.take(reader.where(), [&] {
      if (cells.size() != header.size())
        fail(Errc::parse, "{} cells, but the header names {} columns", cells.size(), header.size());
      return read_row(Row(header, cells), reader.line_number());
    });
    if (!more) return false;
  }
  return true;
}

}  // namespace kronite::io
