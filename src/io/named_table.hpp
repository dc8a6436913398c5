// Tables of numbers whose rows and columns have names, out of a CSV.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/csv.hpp"  // for CsvReader

namespace kronite::io {

struct NamedTable {
  std::vector<std::string> rows, columns;  ///< none empty, none twice
  std::vector<double> values;              ///< rows x columns, finite
};

/// Why a row may not have this name, as the end of a sentence that begins with file and line; empty
/// when it may.
using RowNameCheck = std::function<std::string(const std::string& name)>;

/// Reads a header `,column,...`, whose first cell is free, and a row `name,value,...` for each of
/// what the table is about (`rows_of`, a plural, for messages).
/// @throws Error io; parse, naming file, line and column.
NamedTable read_named_table(CsvReader& csv, const std::string& rows_of,
                            const RowNameCheck& check_name);

}  // namespace kronite::io
