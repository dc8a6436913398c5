// Matrices out of files that people and other programs write: CSV with a header and, if there is
// one, a first column of names; or .npy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kronite/view.hpp"  // for MatrixView

namespace kronite::io {

struct MatrixTable {
  std::string path;                  ///< for messages
  std::vector<std::string> names;    ///< of rows; empty where the file has none
  std::vector<std::string> columns;  ///< of the numbers; empty where the file has none
  std::int64_t rows = 0, cols = 0;   ///< both at least 1
  std::vector<double> values;        ///< rows x cols, finite

  MatrixView<const double> view() const { return {values.data(), rows, cols}; }
  /// Its name, its number from 1 where there is none.
  std::string name_of(std::int64_t row) const;
  /// "path: row 3 (NaCl)", for messages.
  std::string where(std::int64_t row) const;
  /// These rows, in this order.
  MatrixTable rows_of(const std::vector<std::int64_t>& some) const;
};

/// In CSV the first column holds names where it is called id, index, name, row, formula or nothing,
/// or where none of its cells is a number. Files may be compressed.
/// @throws Error io; parse, naming file, line and column, for what is no finite number, rows of
/// another length than the header's, and files without numbers.
MatrixTable read_matrix_table(const std::string& path);

/// Names and numbers under a header, such as curves that are measured at points of their own:
/// id,t,y.
struct LongTable {
  std::string path;
  std::vector<std::string> names;    ///< of each row
  std::vector<std::string> columns;  ///< of the numbers
  std::vector<double> values;        ///< rows x columns, finite
  std::vector<std::int64_t> lines;   ///< on which each row begins

  std::int64_t rows() const { return static_cast<std::int64_t>(names.size()); }
  std::int64_t cols() const { return static_cast<std::int64_t>(columns.size()); }
};

/// Which columns of a table are read; others may hold anything.
struct LongColumns {
  std::string name;                  ///< empty: the first one
  std::vector<std::string> numbers;  ///< in the order of the result; empty: all others
};

/// CSV whose column of names holds names whatever they look like. @throws Error as above; parse,
/// naming the columns that there are, for one that there is not.
LongTable read_long_table(const std::string& path, const LongColumns& columns = {});
/// Names of the columns of a CSV file, those of names and all others.
std::vector<std::string> read_headings(const std::string& path);

}  // namespace kronite::io
