// The GPU's distance kernel, run block by block on the CPU (kernels/phases.hpp).
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/distance_block.hpp"
#include "kernels/kernel_function.hpp"  // for KernelFunction
#include "kernels/phases.hpp"           // for CpuBlock

namespace kronite {
namespace {

std::vector<double> uniform(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> value(-1.0, 1.0);
  std::vector<double> values(n);
  for (double& v : values) v = value(random);
  return values;
}

template <class Function>
std::vector<double> run_blocks(const MatrixView<const double>& x, const MatrixView<const double>& y,
                               const Function& function, ThreadOrder order) {
  // Exactly as large as the result: a store out of bounds is one out of the heap block.
  std::vector<double> out(static_cast<std::size_t>(x.rows * y.rows),
                          std::numeric_limits<double>::quiet_NaN());
  const MatrixView<double> view(out.data(), x.rows, y.rows);
  const std::int64_t blocks = tiles_along(x.rows) * tiles_along(y.rows);
  for (std::int64_t block = 0; block < blocks; ++block) {
    CpuBlock<DistanceShared<double>, TileSums<double>> threads(kTileThreads, order);
    distance_block(block, x, y, function, view, threads.shared(), threads);
  }
  return out;
}

struct Shape {
  std::int64_t n, m, d;
};

/// Around the tile's 64 rows and the slab's 16 features: below, at, above, and degenerate.
class DistanceBlocks : public testing::TestWithParam<Shape> {};

TEST_P(DistanceBlocks, GiveTheSquaredDistanceOfEveryPair) {
  const auto [n, m, d] = GetParam();
  const auto x = uniform(static_cast<std::size_t>(n * d), 1);
  const auto y = uniform(static_cast<std::size_t>(m * d), 2);
  const MatrixView<const double> x_view(x.data(), n, d), y_view(y.data(), m, d);

  const auto out = run_blocks(x_view, y_view, SquaredDistance<double>{}, ThreadOrder::ascending);

  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < m; ++j) {
      double sum = 0.0;
      for (std::int64_t f = 0; f < d; ++f) {
        const double difference = x_view.row(i)[f] - y_view.row(j)[f];
        sum += difference * difference;
      }
      // The same operations in the same order.
      ASSERT_EQ(out[static_cast<std::size_t>(i * m + j)], sum) << i << ", " << j;
    }
}

TEST_P(DistanceBlocks, DoNotDependOnTheOrderOfTheThreads) {
  const auto [n, m, d] = GetParam();
  const auto x = uniform(static_cast<std::size_t>(n * d), 3);
  const auto y = uniform(static_cast<std::size_t>(m * d), 4);
  const MatrixView<const double> x_view(x.data(), n, d), y_view(y.data(), m, d);
  const KernelFunction<KernelKind::matern52, double> function(0.7);

  const auto up = run_blocks(x_view, y_view, function, ThreadOrder::ascending);
  const auto down = run_blocks(x_view, y_view, function, ThreadOrder::descending);

  EXPECT_EQ(up, down);
}

INSTANTIATE_TEST_SUITE_P(Shapes, DistanceBlocks,
                         testing::Values(Shape{1, 1, 1}, Shape{64, 64, 16}, Shape{65, 63, 17},
                                         Shape{3, 130, 290}, Shape{130, 2, 15}, Shape{5, 4, 0}));

TEST(DistanceBlock, SumsAbsoluteDifferencesForTheLaplacian) {
  const std::vector<double> x{0.0, 1.0, 2.0};
  const std::vector<double> y{1.0, -1.0, 2.5};
  const MatrixView<const double> x_view(x.data(), 1, 3), y_view(y.data(), 1, 3);
  const KernelFunction<KernelKind::laplacian, double> function(2.0);

  const auto out = run_blocks(x_view, y_view, function, ThreadOrder::ascending);

  // |0 - 1| + |1 + 1| + |2 - 2.5| = 3.5; one rounding of exp.
  EXPECT_NEAR(out[0], std::exp(-3.5 / 2.0), 1e-15);
}

TEST(DistanceBlock, ReadsRowsThatAreFurtherApartThanTheirLength) {
  const auto x = uniform(5 * 7, 5);
  const MatrixView<const double> narrow(x.data(), 5, 3, 7, Place{});

  const auto out = run_blocks(narrow, narrow, SquaredDistance<double>{}, ThreadOrder::ascending);

  const double a = x[7] - x[28], b = x[8] - x[29], c = x[9] - x[30];
  EXPECT_EQ(out[1 * 5 + 4], a * a + b * b + c * c);
  EXPECT_EQ(out[2 * 5 + 2], 0.0);
}

}  // namespace
}  // namespace kronite
