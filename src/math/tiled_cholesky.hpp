// Cholesky factors of matrices that fit no device: the lower triangle lies in host memory, tiles of
// b x b values travel to one device or several.
//
// What travels, and what is computed. A tile of L is finished in one go (left-looking): it is
// formed on its device, which costs no transfer; takes off the products of the tiles left of it,
// always in the same order, so that the result does not depend on the number of devices; and is
// stored once. A device works down a column of tiles and keeps the row of tiles that all of the
// column need, so that each product of 2 b^3 operations loads one tile:
//
//   operations  n^3 / 3 + n^2 b / 2        loaded  n^3 / (6 b) + devices n^2 / 2,  stored  n^2 / 2
//
// values of 8 bytes: b / 4 operations for each byte. Updating all that is right of a finished
// column instead (right-looking) loads and stores every tile each time, n^3 / (6 b) loads and as
// many stores: half of the operations for each byte. With b = 16384 a device of 50 TFLOP/s is
// served by 12 GB/s, and one of 1 TFLOP/s with b = 512 by 8 GB/s. A transfer blocks its own
// device's stream; two Devices on one GPU compute while the other one loads.
//
// A solution with m right-hand sides loads L twice, n^2 values for 2 n^2 m operations.
#pragma once

#include <cstdint>
#include <functional>

#include "math/packed_tiles.hpp"  // for PackedTiles
#include "math/tile_team.hpp"     // for TileTeam

namespace kronite::math {

/// Fills `out`, on the device of the worker, with rows [first_row, first_row + out.rows) and
/// columns [first_col, first_col + out.cols) of a matrix. May be called for several workers at
/// once.
using TileSource = std::function<void(TileWorker& worker, std::int64_t first_row,
                                      std::int64_t first_col, MatrixView<double> out)>;

/// L of A = L L'. Of A its tiles on and below the diagonal are asked for; of tiles on the diagonal
/// the strict upper triangle of the result means nothing.
/// @throws Error numerical when A is not positive definite; cancelled; out_of_memory.
void tiled_cholesky(TileTeam& team, const TileSource& a, PackedTiles& l);
/// Steps of progress that it takes, with `count` tiles along each side.
long long cholesky_steps(std::int64_t count);

/// B <- A^-1 B with L of tiled_cholesky(). b: n x m on the host, contiguous. Takes no steps.
void tiled_solve(TileTeam& team, const PackedTiles& l, MatrixView<double> b);

/// What is made of a tile of X: reads x, on the device of the worker, and fills `out`, of its
/// shape.
using TileChange =
    std::function<void(TileWorker& worker, std::int64_t first_row, std::int64_t first_col,
                       MatrixView<const double> x, MatrixView<double> out)>;

/// out <- f(X), X = A^-1 B the lower triangle of which is wanted; B: n x n. 4 n^3 / 3 operations,
/// 2 n^3 / (3 b) values loaded.
void tiled_solve_lower(TileTeam& team, const PackedTiles& l, const TileSource& b,
                       const TileChange& f, PackedTiles& out);
long long solve_lower_steps(std::int64_t count);

/// out = K X. K: n x n, symmetric or not; x, out: n x m on the host, contiguous. Takes no steps.
void tiled_product(TileTeam& team, const TileSource& k, MatrixView<const double> x,
                   MatrixView<double> out);

}  // namespace kronite::math
