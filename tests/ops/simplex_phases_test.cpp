// The GPU's quadratic programs on the simplex, row by row on the CPU (kernels/phases.hpp).
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "cases/simplex_cases.hpp"
#include "kernels/phases.hpp"  // for CpuBlock
#include "kernels/simplex_block.hpp"
#include "support/simplex_oracle.hpp"

namespace kronite::test {
namespace {

constexpr int kThreads = 32;
constexpr std::int64_t kMost = 20, kSmallSupport = 3;

/// As the kernel has it, with room for few components.
struct Shared {
  SimplexState state;
  double small_factor[simplex_factor_size<1>(kSmallSupport)];
  double numbers[4 * kMost];
  std::int32_t indices[2 * kMost];
};

struct Result {
  HostMatrix<double> w;
  std::vector<SimplexOutcome> outcome;
};

Result run_blocks(const HostMatrix<double>& p, const HostMatrix<double>& q, SimplexOptions options,
                  ThreadOrder order) {
  Result result{HostMatrix<double>(q.rows, q.cols), {}};
  result.w.fill([&](std::int64_t i, std::int64_t j) { return j == i % 3 ? 1.0 : 0.0; });
  const std::int64_t n = p.rows;
  for (std::int64_t i = 0; i < q.rows; ++i) {
    CpuBlock<Shared, SimplexRegisters> threads(kThreads, order);
    std::vector<double> large_factor(static_cast<std::size_t>(simplex_factor_size<1>(n)),
                                     std::numeric_limits<double>::quiet_NaN());
    Shared& s = threads.shared();
    const SimplexMemory memory{s.numbers,         s.numbers + n, s.numbers + 2 * n,
                               s.numbers + 3 * n, s.indices,     s.indices + n,
                               s.small_factor,    kSmallSupport, large_factor.data()};
    SimplexOutcome outcome{};
    simplex_block<kThreads, 1>(p.view(), q.view().row(i), options, &result.w.at(i, 0), outcome,
                               memory, s.state, threads);
    result.outcome.push_back(outcome);
  }
  return result;
}

class SimplexBlocks : public testing::TestWithParam<std::int32_t> {};

TEST_P(SimplexBlocks, EndWhereTheConditionsHoldWhateverTheOrderOfThreads) {
  SimplexOptions options;
  options.block_steps = GetParam();
  std::int64_t small = 0, large = 0;
  for (const SimplexCase& c : simplex_cases()) {
    if (c.n > kMost) continue;
    SCOPED_TRACE(c.name);
    const auto p = simplex_matrix(c), q = simplex_targets(c);

    const Result up = run_blocks(p, q, options, ThreadOrder::ascending);
    const Result down = run_blocks(p, q, options, ThreadOrder::descending);

    EXPECT_EQ(up.w.values, down.w.values);
    for (std::int64_t i = 0; i < c.rows; ++i) {
      EXPECT_EQ(up.outcome[i].status, SimplexStatus::solved);
      EXPECT_EQ(up.outcome[i].steps, down.outcome[i].steps);
      // As in simplex_test.cpp.
      EXPECT_LE(violation_of(p, q, up.w, i), 2 * (32 + static_cast<double>(c.n)) * 2.3e-16 *
                                                 (largest(p) + largest_of_row(q, i)));
      std::int64_t support = 0;
      for (std::int64_t j = 0; j < c.n; ++j) support += up.w.at(i, j) > 0;
      ++(support <= kSmallSupport ? small : large);
    }
  }
  EXPECT_GT(small, 0);  // both memories of the factor were used
  EXPECT_GT(large, 0);
}

INSTANTIATE_TEST_SUITE_P(BlockSteps, SimplexBlocks, testing::Values(8, 1, 0));

}  // namespace
}  // namespace kronite::test
