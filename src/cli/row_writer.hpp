// Rows of numbers as files: CSV, or .npy with the names of rows and columns beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/atomic_file.hpp"  // for AtomicFile

namespace kronite::cli {

/// What is wrong with the argument of --out: FILE.csv, FILE.npy or "-" are expected.
std::string check_row_file(const std::string& out);

/// Writes one row after the other, in any number. Files are not there before finish().
class RowWriter {
 public:
  /// `out` as check_row_file() takes it. `labels` head the texts that name a row ("id", "formula"),
  /// `columns` its numbers. CSV has both in one table; F.npy has the numbers, F.rows.csv the labels
  /// and F.columns.txt the names of the columns.
  RowWriter(const std::string& out, const std::vector<std::string>& labels,
            const std::vector<std::string>& columns);

  void add(const std::vector<std::string>& labels, std::span<const double> values);
  void finish();

 private:
  void write_text(std::string_view text);

  std::size_t columns_;
  std::int64_t rows_ = 0;
  std::optional<io::AtomicFile> table_;  ///< CSV or .npy; none on standard output
  std::optional<io::AtomicFile> row_names_, column_names_;
  std::string text_;
};

}  // namespace kronite::cli
