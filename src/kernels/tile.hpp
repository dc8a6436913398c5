// The inner step that the tiled kernels share: 256 threads hold a 64 x 64 tile of sums, 4 x 4 each,
// and add one product-like step per pair of rows and inner index from two slabs in shared memory.
#pragma once

#include "kernels/host_device.hpp"  // for KRONITE_HD

namespace kronite {

inline constexpr int kTile = 64;       ///< rows and columns of a tile
inline constexpr int kTileDepth = 16;  ///< inner indices per slab
inline constexpr int kTileThreads = 256;
inline constexpr int kQuads = kTile / 4;  ///< groups of four rows or columns

/// Four neighbours that one shared-memory access reads together.
template <class T>
struct alignas(4 * sizeof(T)) Quad {
  T v[4];
};

/// One value for each of the 64 rows (or columns) of a tile; the quad more spreads the rows of a
/// slab over the banks.
template <class T>
struct TileRow {
  Quad<T> quads[kQuads + 1];

  KRONITE_HD T& operator[](int i) { return quads[i / 4].v[i % 4]; }
  KRONITE_HD const T& operator[](int i) const { return quads[i / 4].v[i % 4]; }
};

/// A thread's share of the tile: rows 4 (thread / 16) + i, columns 4 (thread % 16) + j.
template <class T>
struct TileSums {
  T v[4][4];
};
KRONITE_HD inline int tile_row(int thread) { return 4 * (thread / kQuads); }
KRONITE_HD inline int tile_col(int thread) { return 4 * (thread % kQuads); }

template <class T>
KRONITE_HD inline void clear(TileSums<T>& sums) {
  for (auto& row : sums.v)
    for (T& sum : row) sum = T{0};
}

/// sums_ij += step(x_ki, y_kj) for the k of one slab, in ascending order.
template <class T, class Step>
KRONITE_HD inline void accumulate(int thread, const TileRow<T>* x, const TileRow<T>* y,
                                  TileSums<T>& sums, Step step) {
  for (int k = 0; k < kTileDepth; ++k) {
    const Quad<T> a = x[k].quads[thread / kQuads];
    const Quad<T> b = y[k].quads[thread % kQuads];
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 4; ++j) sums.v[i][j] += step(a.v[i], b.v[j]);
  }
}

/// Calls load(row, k) for this thread's share of a slab, 64 rows x 16 inner indices: neighbouring
/// threads take neighbouring k, which are neighbours in memory.
template <class Load>
KRONITE_HD inline void for_slab(int thread, Load load) {
  const int k = thread % kTileDepth;
  for (int row = thread / kTileDepth; row < kTile; row += kTileThreads / kTileDepth) load(row, k);
}

}  // namespace kronite
