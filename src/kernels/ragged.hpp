// One value of a product with curves of different lengths: the arithmetic of src/cpu/ragged.cpp and
// src/cuda/ragged.cu.
#pragma once

#include <cstdint>

#include "kernels/host_device.hpp"  // for KRONITE_HD
#include "kronite/view.hpp"         // for MatrixView

namespace kronite {

/// sum_k basis_nk z_{curve, block K + k}.
KRONITE_HD inline double ragged_value(MatrixView<const double> basis, std::int64_t n,
                                      MatrixView<const double> z, std::int64_t curve,
                                      std::int64_t block) {
  const double* b = basis.data + n * basis.ld;
  const double* x = z.data + curve * z.ld + block * basis.cols;
  double sum = 0;
  for (std::int64_t k = 0; k < basis.cols; ++k) sum += b[k] * x[k];
  return sum;
}

/// sum of basis_nk r_ns over the rows n in [begin, end).
KRONITE_HD inline double ragged_transpose_value(MatrixView<const double> basis, std::int64_t k,
                                                MatrixView<const double> r, std::int64_t block,
                                                std::int64_t begin, std::int64_t end) {
  double sum = 0;
  for (std::int64_t n = begin; n < end; ++n)
    sum += basis.data[n * basis.ld + k] * r.data[n * r.ld + block];
  return sum;
}

/// Rows whose products are added up before they join a sum over all rows.
inline constexpr std::int64_t kDotChunk = 128;

}  // namespace kronite
