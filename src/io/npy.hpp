// The .npy format: its header, for writers that send their rows one after the other, and arrays out
// of memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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

}  // namespace kronite::io
