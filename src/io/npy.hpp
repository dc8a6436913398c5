// The .npy format: its header, for writers that send their rows one after the other, and arrays out
// of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kronite/view.hpp"  // for MatrixView

namespace kronite::io {

/// What stands before rows x cols little-endian float64 values in row-major order: 128 bytes for
/// any shape, so that the number of rows can be put in when it is known.
std::string npy_header(std::int64_t rows, std::int64_t cols);

/// Row-major values of a float64 or float32 array of at most two dimensions.
struct NpyArray {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};
/// `path` names the bytes in messages. @throws Error parse.
NpyArray parse_npy(std::string_view file, const std::string& path);

/// The rows of a .npy matrix, float64 or float32, out of a mapped file: any number of them in
/// constant memory.
class NpyRows {
 public:
  /// @throws Error io; parse, also for an array that is no matrix.
  explicit NpyRows(const std::string& path);
  ~NpyRows();
  NpyRows(NpyRows&&) noexcept;

  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  /// Rows first ... first + out.rows - 1; out: as wide as the matrix, host.
  void read(std::int64_t first, MatrixView<double> out) const;

 private:
  struct File;
  std::unique_ptr<File> file_;
  std::int64_t rows_ = 0, cols_ = 0;
};

}  // namespace kronite::io
