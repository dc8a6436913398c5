// Factors and solutions by tiles against the definitions in plain loops, on one device and on two.
#include "math/tiled_cholesky.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "cases/linalg_cases.hpp"  // for positive_definite
#include "device/backend.hpp"      // for Backend
#include "kronite/error.hpp"
#include "support/near.hpp"
#include "support/on_each_device.hpp"
#include "support/oracle.hpp"

namespace kronite::math {
namespace {

using test::HostMatrix;
namespace oracle = test::oracle;

class TiledCholesky : public test::OnEachDevice {
 protected:
  std::vector<Device> devices(int count) const {
    std::vector<Device> all;
    for (int k = 0; k < count; ++k) all.push_back(Device::parse(GetParam()));
    return all;
  }
};
KRONITE_ON_EACH_DEVICE(TiledCholesky);

/// Tiles of a matrix on the host.
TileSource tiles_of_matrix(const HostMatrix<double>& m) {
  return [&m](TileWorker& worker, std::int64_t row, std::int64_t col, MatrixView<double> out) {
    std::vector<double> tile;
    for (std::int64_t i = 0; i < out.rows; ++i)
      for (std::int64_t j = 0; j < out.cols; ++j) tile.push_back(m.at(row + i, col + j));
    worker.load(tile.data(), out.data, out.rows * out.cols);
  };
}

/// The lower triangle, zeros above.
HostMatrix<double> unpacked(const PackedTiles& l) {
  HostMatrix<double> all(l.n(), l.n());
  return all.fill([&](std::int64_t i, std::int64_t j) {
    if (j > i) return 0.0;
    const std::int64_t a = i / l.tile(), b = j / l.tile();
    return l.view(a, b).row(i - l.first(a))[j - l.first(b)];
  });
}

struct Size {
  std::int64_t n, tile;
};

/// One value, one tile, one row more and less than whole tiles, and many tiles.
std::vector<Size> sizes() {
  return {{1, 1},  {1, 8},  {7, 8},  {8, 8}, {9, 8},   {15, 8},
          {16, 8}, {17, 8}, {33, 2}, {9, 1}, {200, 23}};
}

TEST_P(TiledCholesky, FactorsMultiplyBack) {
  for (const auto& [n, tile] : sizes()) {
    SCOPED_TRACE(std::to_string(n) + " in tiles of " + std::to_string(tile));
    const auto a = test::from_lower(test::positive_definite<double>(n));
    std::vector<Device> on = devices(1);
    TileTeam team(on, {n, std::min(n, tile)});
    PackedTiles l(n, tile);
    tiled_cholesky(team, tiles_of_matrix(a), l);
    // As for the Cholesky operation: ten roundings per step.
    EXPECT_TRUE(near(unpacked(l), oracle::cholesky(a),
                     {10 * test::kEpsilon<double> * static_cast<double>(n)}));
  }
}

TEST_P(TiledCholesky, SolutionsSolveTheSystem) {
  for (const auto& [n, tile] : sizes())
    for (const std::int64_t m : {std::int64_t{1}, std::int64_t{8}, std::int64_t{19}}) {
      SCOPED_TRACE(std::to_string(n) + " in tiles of " + std::to_string(tile) + ", " +
                   std::to_string(m) + " right-hand sides");
      const auto a = test::from_lower(test::positive_definite<double>(n));
      const auto b = test::random_matrix<double>(4, n, m);
      std::vector<Device> on = devices(2);
      TileTeam team(on, {n, std::min(n, tile)});
      PackedTiles l(n, tile);
      tiled_cholesky(team, tiles_of_matrix(a), l);
      auto x = b;
      tiled_solve(team, l, {x.values.data(), n, m});
      // The condition number is about ten and n steps round twice.
      EXPECT_TRUE(
          near(x, oracle::solve(a, b), {40 * test::kEpsilon<double> * static_cast<double>(n)}));
    }
}

TEST_P(TiledCholesky, LowerTrianglesOfSolutionsAreThose) {
  for (const auto& [n, tile] : sizes()) {
    SCOPED_TRACE(std::to_string(n) + " in tiles of " + std::to_string(tile));
    const auto a = test::from_lower(test::positive_definite<double>(n));
    const auto b = test::random_matrix<double>(5, n, n);
    std::vector<Device> on = devices(2);
    TileTeam team(on, {n, std::min(n, tile)});
    PackedTiles l(n, tile), out(n, tile);
    tiled_cholesky(team, tiles_of_matrix(a), l);
    tiled_solve_lower(
        team, l, tiles_of_matrix(b),
        [](TileWorker& worker, std::int64_t, std::int64_t, MatrixView<const double> x,
           MatrixView<double> to) {
          worker.device.backend().functional().scale(2, {}, x, {}, 0, to);
        },
        out);
    auto expected = oracle::solve(a, b);
    expected.fill(
        [&](std::int64_t i, std::int64_t j) { return j > i ? 0.0 : 2 * expected.at(i, j); });
    // As above, twice.
    EXPECT_TRUE(
        near(unpacked(out), expected, {80 * test::kEpsilon<double> * static_cast<double>(n)}));
  }
}

TEST_P(TiledCholesky, ProductsAreSums) {
  for (const auto& [n, tile] : sizes()) {
    SCOPED_TRACE(std::to_string(n) + " in tiles of " + std::to_string(tile));
    const auto k = test::random_matrix<double>(6, n, n), x = test::random_matrix<double>(7, n, 11);
    std::vector<Device> on = devices(2);
    TileTeam team(on, {n, std::min(n, tile)});
    HostMatrix<double> out(n, 11);
    tiled_product(team, tiles_of_matrix(k), x.view(), {out.values.data(), n, 11});
    EXPECT_TRUE(near(out, oracle::product(k, x),
                     {4 * test::kEpsilon<double> * static_cast<double>(n + 2)}));
  }
}

TEST_P(TiledCholesky, TheNumberOfDevicesChangesNoBit) {
  constexpr std::int64_t n = 130, tile = 16;
  const auto a = test::from_lower(test::positive_definite<double>(n));
  const auto b = test::random_matrix<double>(4, n, 40);
  std::vector<HostMatrix<double>> factors, solutions;
  for (const int count : {1, 2, 3}) {
    std::vector<Device> on = devices(count);
    TileTeam team(on, {n, tile});
    PackedTiles l(n, tile);
    tiled_cholesky(team, tiles_of_matrix(a), l);
    factors.push_back(unpacked(l));
    solutions.push_back(b);
    tiled_solve(team, l, {solutions.back().values.data(), n, 40});
  }
  for (std::size_t k = 1; k < factors.size(); ++k) {
    EXPECT_EQ(factors[k].values, factors[0].values);
    EXPECT_EQ(solutions[k].values, solutions[0].values);
  }
}

TEST_P(TiledCholesky, AnIndefiniteMatrixIsAnErrorThatNamesItsSize) {
  constexpr std::int64_t n = 50, tile = 8;
  for (const int count : {1, 2})
    for (const std::int64_t bad_row : {0, 20, 49}) {
      auto a = test::from_lower(test::positive_definite<double>(n));
      a.at(bad_row, bad_row) = -1;
      std::vector<Device> on = devices(count);
      TileTeam team(on, {n, tile});
      PackedTiles l(n, tile);
      try {
        tiled_cholesky(team, tiles_of_matrix(a), l);
        ADD_FAILURE() << "no failure for a negative pivot in row " << bad_row;
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), Errc::numerical);
        EXPECT_STREQ(e.what(), "Cholesky: the 50 x 50 matrix is not positive definite");
      }
      // Nothing is left of it: the same team goes on.
      for (Device& each : on) EXPECT_NO_THROW(each.synchronize());
      const auto good = test::from_lower(test::positive_definite<double>(n));
      EXPECT_NO_THROW(tiled_cholesky(team, tiles_of_matrix(good), l));
    }
}

TEST_P(TiledCholesky, ProgressCountsToItsTotalAndStops) {
  constexpr std::int64_t n = 60, tile = 8;
  const auto a = test::from_lower(test::positive_definite<double>(n));
  PackedTiles l(n, tile);
  const long long total = cholesky_steps(l.count()) + solve_lower_steps(l.count());
  std::vector<Device> on = devices(2);
  long long last = 0;
  TileTeam team(
      on, {n, tile},
      [&](long long done, long long of) {
        EXPECT_EQ(of, total);
        EXPECT_GE(done, last);
        last = done;
        return true;
      },
      total);
  const auto keep = [](TileWorker& worker, std::int64_t, std::int64_t, MatrixView<const double> x,
                       MatrixView<double> to) {
    worker.device.backend().functional().scale(1, {}, x, {}, 0, to);
  };
  PackedTiles out(n, tile);
  tiled_cholesky(team, tiles_of_matrix(a), l);
  tiled_solve_lower(team, l, tiles_of_matrix(a), keep, out);
  EXPECT_EQ(last, total);

  std::atomic<int> formed = 0;
  const TileSource counted = [&](TileWorker& worker, std::int64_t row, std::int64_t col,
                                 MatrixView<double> to) {
    ++formed;
    tiles_of_matrix(a)(worker, row, col, to);
  };
  std::vector<Device> one = devices(1);
  TileTeam stopped(
      one, {n, tile}, [](long long, long long) { return false; }, total);
  try {
    tiled_cholesky(stopped, counted, l);
    ADD_FAILURE() << "it was not stopped";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::cancelled);
  }
  EXPECT_GE(formed, 1);
}

TEST(Tiles, HalfOfAMatrixIsKept) {
  for (const auto& [n, tile] : sizes()) {
    const PackedTiles tiles(n, tile);
    double values = 0;
    for (std::int64_t i = 0; i < tiles.count(); ++i)
      for (std::int64_t j = 0; j <= i; ++j) {
        EXPECT_EQ(tiles.view(i, j).data - tiles.view(0, 0).data, static_cast<std::int64_t>(values));
        values += static_cast<double>(tiles.rows(i) * tiles.rows(j));
      }
    EXPECT_EQ(PackedTiles::values(n, tiles.tile()), values);
  }
}

TEST(Tiles, RowsOfATileKeepToTheMemory) {
  EXPECT_EQ(tile_rows(200000, 200, 1e13), 16384);
  EXPECT_EQ(tile_rows(100000, 200, 1e13), 12544);  // an eighth, up to a multiple of 64
  EXPECT_EQ(tile_rows(100, 20, 1e13), 100);        // one tile
  EXPECT_EQ(tile_rows(3000, 20, 1e13), 512);
  for (const double values : {2e3, 1e5, 3e6}) {
    const std::int64_t tile = tile_rows(1000, 20, values);
    ASSERT_GE(tile, 1);
    EXPECT_LE((TileShape{1000, tile, 20}.device_values()), values);
    if (tile < 64) {
      EXPECT_GT((TileShape{1000, tile + 1, 20}.device_values()), values);
    }
  }
  EXPECT_EQ(tile_rows(1000, 20, 1001), 0);  // a panel of one column and two tiles take 1002
  EXPECT_EQ(tile_rows(1000, 20, 1002), 1);
  EXPECT_EQ(tile_rows(10, 2000, 1000), 0);  // not even a right-hand side
}

}  // namespace
}  // namespace kronite::math
