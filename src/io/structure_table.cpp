// Tables of machine-learning data sets (MP-20, MPTS-52): one CIF text per row.
#include "io/structure_table.hpp"

#include <algorithm>

#include "base/ascii.hpp"           // for trimmed
#include "base/fail.hpp"            // for fail
#include "io/structure_reader.hpp"  // for Records, read_cif_text

namespace kronite::io {

StructureTable::StructureTable(const std::string& path) : reader_(path) {
  if (!reader_.next(header_)) fail(Errc::parse, "{}: the file is empty", path);
  for (std::string& name : header_) name = trimmed(name);
}

std::size_t StructureTable::column_of(std::string_view name) const {
  return static_cast<std::size_t>(std::find(header_.begin(), header_.end(), name) -
                                  header_.begin());
}

void StructureTable::check_row() const {
  if (cells_.size() != header_.size())
    fail(Errc::parse, "{} cells, but the header names {} columns", cells_.size(), header_.size());
}

std::string StructureTable::cell(std::string_view name) const {
  const std::size_t column = column_of(name);
  const bool is_there = column < header_.size() && column < cells_.size();
  return is_there ? std::string(trimmed(cells_[column])) : std::string();
}

bool names_column(std::string_view header, std::string_view name) {
  for (std::size_t at = 0; at <= header.size();) {
    const std::size_t stop = std::min(header.find(',', at), header.size());
    std::string_view cell = trimmed(header.substr(at, stop - at));
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"')
      cell = cell.substr(1, cell.size() - 2);
    if (cell == name) return true;
    at = stop + 1;
  }
  return false;
}

bool read_structure_csv(const std::string& path, Records& records) {
  StructureTable table(path);
  while (table.next_row()) {
    const bool more = records.take(table.where(), [&] {
      table.check_row();
      StructureRecord record = read_cif_text(table.cell("cif"), table.line_number());
      fill_from_columns(table.columns(), record);
      return record;
    });
    if (!more) return false;
  }
  return true;
}

}  // namespace kronite::io
