// The .npy format: its header, for writers that send their rows one after the other.
#pragma once

#include <cstdint>
#include <string>

namespace kronite::io {

/// What stands before rows x cols little-endian float64 values in row-major order: 128 bytes for
/// any shape, so that the number of rows can be put in when it is known.
std::string npy_header(std::int64_t rows, std::int64_t cols);

}  // namespace kronite::io
