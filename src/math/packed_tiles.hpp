// The lower triangle of a symmetric matrix in host memory, as square tiles: half of n^2 values, and
// each tile one piece that is copied to a device at once.
#pragma once

#include <cstdint>
#include <memory>
#include <new>

#include "base/fail.hpp"     // for fail
#include "kronite/view.hpp"  // for MatrixView

namespace kronite::math {

/// Tile (i, j), i >= j, has the rows [first(i), first(i) + rows(i)) and those of j as columns;
/// row-major, without gaps. Tiles of one row i lie behind each other. Values are not set.
class PackedTiles {
 public:
  /// n, tile >= 1. @throws Error out_of_memory.
  PackedTiles(std::int64_t n, std::int64_t tile)
      : n_(n), tile_(tile < n ? tile : n), count_((n + tile_ - 1) / tile_) {
    const double wanted = values(n_, tile_);
    try {
      values_.reset(new double[static_cast<std::size_t>(wanted)]);
    } catch (const std::bad_alloc&) {
      fail(Errc::out_of_memory,
           "there is no host memory left for half of a {0} x {0} matrix, {1:.1f} GB", n,
           wanted * sizeof(double) / 1e9);
    }
  }

  std::int64_t n() const { return n_; }
  std::int64_t tile() const { return tile_; }
  /// Tiles along each side.
  std::int64_t count() const { return count_; }
  std::int64_t first(std::int64_t i) const { return i * tile_; }
  std::int64_t rows(std::int64_t i) const { return i + 1 < count_ ? tile_ : n_ - first(i); }

  MatrixView<double> view(std::int64_t i, std::int64_t j) { return {at(i, j), rows(i), rows(j)}; }
  MatrixView<const double> view(std::int64_t i, std::int64_t j) const {
    return {at(i, j), rows(i), rows(j)};
  }

  /// How many values it holds; exact below 2^53.
  static double values(std::int64_t n, std::int64_t tile) {
    const std::int64_t whole = (n - 1) / tile, last = n - whole * tile;
    const auto w = static_cast<double>(whole), t = static_cast<double>(tile),
               l = static_cast<double>(last);
    return t * t * w * (w + 1) / 2 + l * t * w + l * l;
  }

 private:
  double* at(std::int64_t i, std::int64_t j) const {
    return values_.get() + tile_ * tile_ * (i * (i + 1) / 2) + rows(i) * tile_ * j;
  }

  std::int64_t n_, tile_, count_;
  std::unique_ptr<double[]> values_;
};

}  // namespace kronite::math
