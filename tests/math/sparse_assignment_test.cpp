// Assignment where most pairs are forbidden, against the dense solver.
#include "math/sparse_assignment.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "math/assignment.hpp"  // for least_cost_assignment

namespace kronite {
namespace {

/// A problem in both forms; what is forbidden costs more than any allowed choice.
struct Problem {
  math::SparseCosts sparse;
  std::vector<double> dense;
  double forbidden;

  Problem(int n, double share, bool ties, std::mt19937& random)
      : dense(n * n), forbidden(100.0 * n) {
    std::uniform_real_distribution<double> draw(0, 1);
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) {
        const double cost = ties ? std::floor(4 * draw(random)) - 1 : 10 * draw(random);
        const bool allowed = draw(random) < share;
        dense[i * n + j] = allowed ? cost : forbidden;
        if (!allowed) continue;
        sparse.column.push_back(j);
        sparse.cost.push_back(cost);
      }
      sparse.first.push_back(sparse.column.size());
    }
  }
};

TEST(SparseAssignment, CostsAsMuchAsTheDenseOneOrThereIsNone) {
  std::mt19937 random(3);
  math::SparseAssignment assignment;
  int solved = 0, impossible = 0;
  for (int n = 1; n <= 24; ++n)
    for (int trial = 0; trial < 60; ++trial) {
      const Problem problem(n, trial % 3 == 0 ? 0.15 : 0.5, trial % 2 == 0, random);
      const auto columns = math::least_cost_assignment(problem.dense, n);
      double least = 0;
      bool possible = true;
      for (int i = 0; i < n; ++i) {
        least += problem.dense[i * n + columns[i]];
        possible = possible && problem.dense[i * n + columns[i]] < problem.forbidden;
      }

      const bool found = assignment.solve(problem.sparse);

      EXPECT_EQ(found, possible) << n << ", " << trial;
      ++(found ? solved : impossible);
      if (!found) continue;
      double total = 0;
      std::set<std::size_t> taken;
      for (int i = 0; i < n; ++i) {
        const std::size_t entry = assignment.entries()[i];
        EXPECT_TRUE(problem.sparse.first[i] <= entry && entry < problem.sparse.first[i + 1]);
        total += problem.sparse.cost[entry];
        taken.insert(problem.sparse.column[entry]);
      }
      EXPECT_EQ(taken.size(), static_cast<std::size_t>(n));
      EXPECT_NEAR(total, least, 1e-9) << n << ", " << trial;  // n additions of numbers up to 10
    }
  EXPECT_GT(solved, 300);
  EXPECT_GT(impossible, 300);
}

TEST(SparseAssignment, SolvesTheProblemOfNoRows) {
  math::SparseAssignment assignment;

  EXPECT_TRUE(assignment.solve({}));
  EXPECT_TRUE(assignment.entries().empty());
}

}  // namespace
}  // namespace kronite
