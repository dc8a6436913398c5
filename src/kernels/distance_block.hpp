// Pairwise functions of sums over features, out_ij = f(sum_k f.step(x_ik - y_jk)): distances and
// Gram matrices, one 64 x 64 tile of `out` per block, in phases (kernels/phases.hpp).
#pragma once

#include <cstdint>

#include "kernels/element.hpp"      // for element
#include "kernels/host_device.hpp"  // for KRONITE_HD
#include "kernels/tile.hpp"         // for TileSums, accumulate
#include "kronite/view.hpp"         // for MatrixView

namespace kronite {

template <class T>
struct DistanceShared {
  TileRow<T> x[kTileDepth];
  TileRow<T> y[kTileDepth];
};

/// f of squared_distances; the kernel functions of Gram matrices are in kernel_function.hpp.
template <class T>
struct SquaredDistance {
  KRONITE_HD static T step(T difference) { return difference * difference; }
  KRONITE_HD T operator()(T distance) const { return distance; }
};

KRONITE_HD inline std::int64_t tiles_along(std::int64_t n) { return (n + kTile - 1) / kTile; }

/// Tile number `block` of `out`, tiles counted row by row. Rows and features past the end count as
/// zeros and are not stored. The differences are formed before they are summed, so equal rows are
/// at distance zero exactly.
template <class T, class Function, class Each>
KRONITE_HD inline void distance_block(std::int64_t block, const MatrixView<const T>& x,
                                      const MatrixView<const T>& y, const Function& function,
                                      const MatrixView<T>& out, DistanceShared<T>& shared,
                                      Each& each) {
  const std::int64_t first_row = block / tiles_along(out.cols) * kTile;
  const std::int64_t first_col = block % tiles_along(out.cols) * kTile;
  each([&](int, TileSums<T>& sums) { clear(sums); });
  for (std::int64_t k0 = 0; k0 < x.cols; k0 += kTileDepth) {
    each([&](int thread, TileSums<T>&) {
      for_slab(thread, [&](int row, int k) {
        const std::int64_t i = first_row + row, j = first_col + row, f = k0 + k;
        shared.x[k][row] = i < x.rows && f < x.cols ? element(x, i, f) : T{0};
        shared.y[k][row] = j < y.rows && f < x.cols ? element(y, j, f) : T{0};
      });
    });
    each([&](int thread, TileSums<T>& sums) {
      accumulate(thread, shared.x, shared.y, sums, [](T a, T b) { return Function::step(a - b); });
    });
  }
  each([&](int thread, TileSums<T>& sums) {
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 4; ++j) {
        const std::int64_t row = first_row + tile_row(thread) + i;
        const std::int64_t col = first_col + tile_col(thread) + j;
        if (row < out.rows && col < out.cols) element(out, row, col) = function(sums.v[i][j]);
      }
  });
}

}  // namespace kronite
