// Least-cost assignment against all permutations.
#include "math/assignment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "kronite/error.hpp"  // for Error

namespace kronite {
namespace {

double total(const std::vector<double>& cost, const std::vector<int>& columns) {
  double sum = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) sum += cost[i * columns.size() + columns[i]];
  return sum;
}

/// The first permutation in lexicographic order with the least cost.
std::vector<int> by_enumeration(const std::vector<double>& cost, int n) {
  std::vector<int> order(n), best;
  std::iota(order.begin(), order.end(), 0);
  double least = std::numeric_limits<double>::infinity();
  do {
    if (total(cost, order) < least) {
      least = total(cost, order);
      best = order;
    }
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

TEST(Assignment, AgreesWithEnumerationOnIntegerCostsFullOfTies) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> cost_of(-2, 3);

  for (int n = 1; n <= 7; ++n)
    for (int trial = 0; trial < 60; ++trial) {
      std::vector<double> cost(n * n);
      for (double& c : cost) c = cost_of(random);

      const auto columns = math::least_cost_assignment(cost, n);

      EXPECT_EQ(columns, by_enumeration(cost, n)) << "n = " << n << ", trial " << trial;
    }
}

TEST(Assignment, AgreesWithEnumerationOnRandomCosts) {
  std::mt19937 random(2);
  std::uniform_real_distribution<double> cost_of(0.0, 10.0);

  for (int n = 1; n <= 8; ++n) {
    std::vector<double> cost(n * n);
    for (double& c : cost) c = cost_of(random);

    EXPECT_EQ(math::least_cost_assignment(cost, n), by_enumeration(cost, n)) << "n = " << n;
  }
}

TEST(Assignment, MatchesSortedValuesWhenTheCostIsASquaredDifference) {
  const int n = 60;
  std::mt19937 random(3);
  std::vector<int> place(n);
  std::iota(place.begin(), place.end(), 0);
  std::shuffle(place.begin(), place.end(), random);
  std::vector<double> cost(n * n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) cost[i * n + j] = (i - place[j]) * (i - place[j]);

  const auto columns = math::least_cost_assignment(cost, n);

  for (int i = 0; i < n; ++i) EXPECT_EQ(place[columns[i]], i);
}

TEST(Assignment, TakesTheFirstOfOptimaThatOnlyRoundingTellsApart) {
  const std::vector<double> cost{0.1, 0.15, 0.15, 0.2};  // 0.1 + 0.2 > 0.15 + 0.15 in binary

  EXPECT_EQ(math::least_cost_assignment(cost, 2), (std::vector<int>{0, 1}));
}

TEST(Assignment, TakesNothingForNothing) {
  EXPECT_TRUE(math::least_cost_assignment({}, 0).empty());
}

TEST(Assignment, RefusesCostsThatAreNotAFiniteSquareMatrix) {
  const double nan = std::numeric_limits<double>::quiet_NaN();

  EXPECT_THROW(math::least_cost_assignment({1, 2, 3}, 2), Error);
  EXPECT_THROW(math::least_cost_assignment({1, nan, 3, 4}, 2), Error);
  EXPECT_THROW(math::least_cost_assignment({1}, -1), Error);
}

}  // namespace
}  // namespace kronite
