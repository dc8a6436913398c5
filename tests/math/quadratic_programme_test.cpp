// Quadratic programmes against every active set that there is, numbers of quadprog, and the
// conditions of an optimum.
#include "math/quadratic_programme.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "kronite/error.hpp"   // for Error
#include "support/oracle.hpp"  // for solve
#include "support/random.hpp"  // for random_value

namespace kronite {
namespace {

using math::LinearRow;
using math::QuadraticProgramme;
using math::QuadraticSolution;
using math::QuadraticSolver;
using test::HostMatrix;

constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// A programme with its matrix.
struct Case {
  HostMatrix<double> p{0, 0};
  QuadraticProgramme programme;
};

/// P = RR' + 0.01, random q, weights in [0, 1] that add up to 1.
Case random_case(std::uint64_t seed, int n) {
  Case c;
  const auto r = test::random_matrix<double>(seed, n, n);
  c.p = HostMatrix<double>(n, n).fill([&](std::int64_t i, std::int64_t j) {
    double sum = i == j ? 0.01 : 0;
    for (std::int64_t k = 0; k < n; ++k) sum += r.at(i, k) * r.at(j, k);
    return sum;
  });
  for (int i = 0; i < n; ++i) c.programme.q.push_back(2 * test::random_value(seed + 7919, i));
  c.programme.lower.assign(n, 0);
  c.programme.upper.assign(n, 1);
  c.programme.rows.push_back({std::vector<double>(n, 1.0), 1, 1});
  return c;
}

double objective(const Case& c, const std::vector<double>& w) {
  double value = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    value -= c.programme.q[i] * w[i];
    for (std::size_t j = 0; j < w.size(); ++j) value += 0.5 * w[i] * c.p.at(i, j) * w[j];
  }
  return value;
}

bool allowed(const QuadraticProgramme& programme, const std::vector<double>& w, double tolerance) {
  for (std::size_t i = 0; i < w.size(); ++i)
    if (w[i] < programme.lower[i] - tolerance || w[i] > programme.upper[i] + tolerance)
      return false;
  for (const LinearRow& row : programme.rows) {
    double value = 0;
    for (std::size_t i = 0; i < w.size(); ++i) value += row.a[i] * w[i];
    if (value < row.lower - tolerance || value > row.upper + tolerance) return false;
  }
  return true;
}

/// The best of all points that some choice of active bounds and rows determines: each variable
/// free, at its lower or at its upper bound; each row off, at its lower or at its upper bound.
std::optional<double> by_enumeration(const Case& c) {
  const QuadraticProgramme& programme = c.programme;
  const int n = static_cast<int>(programme.q.size()), m = static_cast<int>(programme.rows.size());
  std::optional<double> best;
  std::vector<int> state(n + m, 0);
  for (;;) {
    std::vector<int> free, rows;
    std::vector<double> w(n, 0.0);
    bool finite = true;
    for (int i = 0; i < n; ++i)
      if (state[i] == 0)
        free.push_back(i);
      else
        w[i] = state[i] == 1 ? programme.lower[i] : programme.upper[i];
    for (int i = 0; i < n; ++i) finite = finite && std::isfinite(w[i]);
    for (int k = 0; k < m; ++k)
      if (state[n + k] != 0) {
        rows.push_back(k);
        finite = finite && std::isfinite(state[n + k] == 1 ? programme.rows[k].lower
                                                           : programme.rows[k].upper);
      }
    if (finite && rows.size() <= free.size()) {
      // [P_FF A_F'; A_F 0] [w_F; -y] = [q_F - P_FB w_B; b - A_B w_B], with -1e-11 for the 0 so that
      // elimination needs no pivots; it moves w by far less than the tolerance of the tests.
      const auto f = std::ssize(free), size = f + std::ssize(rows);
      HostMatrix<double> a(size, size), b(size, 1);
      for (std::int64_t i = 0; i < size; ++i) {
        for (std::int64_t j = 0; j < size; ++j)
          a.at(i, j) = i < f && j < f ? c.p.at(free[i], free[j])
                       : i < f        ? programme.rows[rows[j - f]].a[free[i]]
                       : j < f        ? programme.rows[rows[i - f]].a[free[j]]
                       : i == j       ? -1e-11
                                      : 0;
        if (i < f) {
          b.at(i, 0) = programme.q[free[i]];
          for (int j = 0; j < n; ++j) b.at(i, 0) -= c.p.at(free[i], j) * w[j];
        } else {
          const int k = rows[i - f];
          b.at(i, 0) = state[n + k] == 1 ? programme.rows[k].lower : programme.rows[k].upper;
          for (int j = 0; j < n; ++j) b.at(i, 0) -= programme.rows[k].a[j] * w[j];
        }
      }
      const auto x = test::oracle::solve(a, b);
      for (std::int64_t i = 0; i < f; ++i) w[free[i]] = x.at(i, 0);
      const double value = objective(c, w);
      if (allowed(programme, w, 1e-8) && (!best || value < *best)) best = value;
    }
    int at = 0;
    while (at < n + m && state[at] == 2) state[at++] = 0;
    if (at == n + m) return best;
    ++state[at];
  }
}

void expect_as_enumerated(const Case& c, const QuadraticSolution& solution) {
  const auto best = by_enumeration(c);
  ASSERT_EQ(solution.feasible, best.has_value());
  if (!best) return;
  EXPECT_TRUE(allowed(c.programme, solution.w, 1e-12));
  EXPECT_NEAR(objective(c, solution.w), *best, 1e-7);  // the oracle's points miss rows by 1e-8
  EXPECT_LT(solution.kkt, 1e-10);
}

TEST(QuadraticProgramme, FindsTheBestMixture) {
  QuadraticSolver solver;
  for (int n = 1; n <= 6; ++n)
    for (int trial = 0; trial < 20; ++trial) {
      SCOPED_TRACE(testing::Message() << "n = " << n << ", trial " << trial);
      const Case c = random_case(100 * n + trial, n);
      QuadraticProgramme programme = c.programme;
      programme.p = c.p.view();

      expect_as_enumerated(c, solver.solve(programme));
    }
}

TEST(QuadraticProgramme, KeepsBoundsAndASecondEquation) {
  QuadraticSolver solver;
  int feasible = 0;
  for (int n = 2; n <= 5; ++n)
    for (int trial = 0; trial < 20; ++trial) {
      SCOPED_TRACE(testing::Message() << "n = " << n << ", trial " << trial);
      Case c = random_case(5000 + 100 * n + trial, n);
      LinearRow charge{{}, 0, 0};
      for (int i = 0; i < n; ++i) {
        charge.a.push_back(std::round(3 * test::random_value(trial, n + i)));
        c.programme.lower[i] = i % 2 == 0 ? 0.05 : 0;
        c.programme.upper[i] = 0.6;
      }
      c.programme.rows.push_back(charge);
      QuadraticProgramme programme = c.programme;
      programme.p = c.p.view();

      const QuadraticSolution& solution = solver.solve(programme);

      expect_as_enumerated(c, solution);
      feasible += solution.feasible ? 1 : 0;
    }
  EXPECT_GT(feasible, 20);
  EXPECT_LT(feasible, 80);
}

TEST(QuadraticProgramme, KeepsRowsThatAreInequalities) {
  QuadraticSolver solver;
  for (int trial = 0; trial < 40; ++trial) {
    SCOPED_TRACE(trial);
    const int n = 4;
    Case c = random_case(9000 + trial, n);
    LinearRow least{{}, -kInfinite, 0}, most{{}, 0, kInfinite};
    for (int i = 0; i < n; ++i) {
      least.a.push_back(std::round(3 * test::random_value(trial, i)));
      most.a.push_back(least.a.back() + (i % 2));
    }
    c.programme.rows.push_back(least);
    c.programme.rows.push_back(most);
    QuadraticProgramme programme = c.programme;
    programme.p = c.p.view();

    expect_as_enumerated(c, solver.solve(programme));
  }
}

TEST(QuadraticProgramme, AgreesWithQuadprog) {
  // quadprog 0.1.14 (Goldfarb and Idnani's method too) on the same numbers, to its rounding.
  const Case c = random_case(42, 8);
  QuadraticProgramme programme = c.programme;
  programme.p = c.p.view();
  QuadraticSolver solver;
  const auto expect = [&](const std::vector<double>& expected) {
    const QuadraticSolution& solution = solver.solve(programme);
    ASSERT_TRUE(solution.feasible);
    for (int i = 0; i < 8; ++i) EXPECT_NEAR(solution.w[i], expected[i], 1e-12) << i;
  };

  expect({0, 0, 0, 0.356430045389059, 0, 0.311476135271147, 0.332093819339809, 0});

  programme.lower.assign(8, 0.02);
  programme.upper.assign(8, 0.4);
  programme.rows.push_back({{2, 4, -2, 1, 3, -1, -3, 0}, 0, 0});
  expect({0.02, 0.02, 0.02, 0.381788375852967, 0.107647196871524, 0.253481657679494,
          0.177082769596016, 0.02});
}

TEST(QuadraticProgramme, TheColumnsToBeginWithDecideNothing) {
  const int n = 30;
  const Case c = random_case(3, n);
  QuadraticProgramme programme = c.programme;
  programme.p = c.p.view();
  QuadraticSolver solver;
  std::vector<int> all(n);
  for (int i = 0; i < n; ++i) all[i] = i;
  const std::vector<double> expected = solver.solve(programme, all).w;

  for (const std::vector<int>& start : {std::vector<int>{}, {0}, {29, 3, 3, 17}, {1, 2, 3, 4, 5}}) {
    const QuadraticSolution& solution = solver.solve(programme, start);

    ASSERT_TRUE(solution.feasible);
    for (int i = 0; i < n; ++i) EXPECT_NEAR(solution.w[i], expected[i], 1e-10) << i;
    EXPECT_LT(solution.kkt, 1e-11);
  }
}

TEST(QuadraticProgramme, PricesSayWhatABoundCosts) {
  const int n = 12;
  const Case c = random_case(11, n);
  QuadraticProgramme programme = c.programme;
  programme.p = c.p.view();
  QuadraticSolver solver;
  const QuadraticSolution before = solver.solve(programme);
  int looked_at = 0;
  for (int i = 0; i < n; ++i) {
    if (before.w[i] > 0) {
      EXPECT_EQ(before.bound_price[i], 0) << i;
      continue;
    }
    ++looked_at;
    const double step = 1e-5;
    programme.lower[i] = step;
    const std::vector<double> w = solver.solve(programme).w;
    programme.lower[i] = 0;

    const double slope = (objective(c, w) - objective(c, before.w)) / step;
    EXPECT_GE(slope, before.bound_price[i] * (1 - 1e-6)) << i;
    EXPECT_NEAR(slope, before.bound_price[i], 1e-3) << i;  // curvature times the step
  }
  EXPECT_GT(looked_at, 3);
}

TEST(QuadraticProgramme, SaysWhenNothingIsAllowed) {
  Case c = random_case(5, 3);
  QuadraticProgramme programme = c.programme;
  programme.p = c.p.view();
  programme.upper.assign(3, 0.3);
  QuadraticSolver solver;

  EXPECT_FALSE(solver.solve(programme).feasible);

  programme.upper.assign(3, 1);
  programme.rows.push_back({{1, 2, 3}, 0, 0});
  EXPECT_FALSE(solver.solve(programme).feasible);
}

TEST(QuadraticProgramme, RefusesWhatIsNoProgramme) {
  const Case c = random_case(5, 3);
  QuadraticProgramme programme = c.programme;
  programme.p = c.p.view();
  QuadraticSolver solver;

  auto wrong = programme;
  wrong.lower.pop_back();
  EXPECT_THROW(solver.solve(wrong), Error);
  wrong = programme;
  wrong.lower[1] = 2;
  EXPECT_THROW(solver.solve(wrong), Error);
  wrong = programme;
  wrong.q[0] = std::nan("");
  EXPECT_THROW(solver.solve(wrong), Error);
  wrong = programme;
  const HostMatrix<double> indefinite =
      HostMatrix<double>(3, 3).fill([](std::int64_t, std::int64_t) { return 1.0; });
  wrong.p = indefinite.view();
  EXPECT_THROW(solver.solve(wrong), Error);
}

}  // namespace
}  // namespace kronite
