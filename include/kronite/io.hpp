// Files that other programs open: .npy and CSV.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kronite/view.hpp"  // for MatrixView

namespace kronite {

/// float64, row-major. Writes under a temporary name, syncs, renames: the file is whole or it is
/// not there.
/// @throws Error io, naming the path and the system's reason (such as a full disk).
void write_npy(const std::string& path, MatrixView<const double> values);
/// Row-major values of a two-dimensional float64 or float32 .npy file.
struct NpyMatrix {
  std::vector<double> values;
  std::int64_t rows = 0, cols = 0;
};
/// @throws Error io or parse.
NpyMatrix read_npy(const std::string& path);

/// A table with row names in the first column, whose heading is `corner`; values: rows x columns,
/// host. Numbers are written so that they read back exactly.
/// @throws Error invalid_argument when the names do not fit the values; io.
void write_csv(const std::string& path, const std::string& corner,
               const std::vector<std::string>& rows, const std::vector<std::string>& columns,
               MatrixView<const double> values);

}  // namespace kronite
