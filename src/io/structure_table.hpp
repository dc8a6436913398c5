// A CSV file of which each row says something of one structure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/csv.hpp"             // for CsvReader
#include "io/record_columns.hpp"  // for ColumnLookup

namespace kronite::io {

class StructureTable {
 public:
  /// Reads the header. @throws Error io; parse for an empty file.
  explicit StructureTable(const std::string& path);

  /// Moves to the next row; false at the end. @throws Error parse for what is not CSV.
  bool next_row() { return reader_.next(cells_); }
  /// @throws Error parse when the row does not have a cell for each column.
  void check_row() const;
  bool has_column(std::string_view name) const { return column_of(name) < header_.size(); }
  /// Cell of the row in the column of this name, without blanks around it; empty when there is
  /// none.
  std::string cell(std::string_view name) const;
  /// cell() as a function; valid as long as the table.
  ColumnLookup columns() const {
    return [this](std::string_view name) { return cell(name); };
  }

  std::string where() const { return reader_.where(); }  ///< "file:line" of the row
  std::int64_t line_number() const { return reader_.line_number(); }

 private:
  std::size_t column_of(std::string_view name) const;

  CsvReader reader_;
  std::vector<std::string> header_, cells_;
};

/// Whether a line is the header of a table with a column of this name.
bool names_column(std::string_view header, std::string_view name);

}  // namespace kronite::io
