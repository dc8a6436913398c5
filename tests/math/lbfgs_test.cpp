// Minima that are known.
#include "math/lbfgs.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace kronite::math {
namespace {

/// Rosenbrock's valley in n dimensions; least, 0, where all are 1.
double rosenbrock(const std::vector<double>& x, std::vector<double>& gradient) {
  double value = 0;
  std::fill(gradient.begin(), gradient.end(), 0.0);
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
    value += 100 * a * a + b * b;
    gradient[i] += -400 * a * x[i] - 2 * b;
    gradient[i + 1] += 200 * a;
  }
  return value;
}

TEST(Lbfgs, FindsTheEndOfTheValley) {
  LbfgsOptions options;
  options.most_steps = 500;
  const Minimum m = minimise(rosenbrock, {-1.2, 1, 0.5, -2}, options);
  EXPECT_TRUE(m.converged);
  for (const double x : m.x) EXPECT_NEAR(x, 1, 1e-5);
  EXPECT_LT(m.evaluations, 300);
}

TEST(Lbfgs, EndsWhereStepsBringNoMore) {
  LbfgsOptions exact, rough;
  exact.most_steps = rough.most_steps = 500;
  rough.gain = 1e-3;
  const Minimum a = minimise(rosenbrock, {-1.2, 1, 0.5, -2}, exact),
                b = minimise(rosenbrock, {-1.2, 1, 0.5, -2}, rough);
  EXPECT_TRUE(b.converged);
  EXPECT_LT(b.evaluations, a.evaluations);
  EXPECT_LT(b.value, 0.1);
}

TEST(Lbfgs, GoesFarWhereItIsFlat) {
  // sqrt(1 + x^2) from 1,000 away: its slope is the same nearly everywhere.
  const Objective objective = [](const std::vector<double>& x, std::vector<double>& g) {
    g = {x[0] / std::sqrt(1 + x[0] * x[0])};
    return std::sqrt(1 + x[0] * x[0]);
  };
  LbfgsOptions options;
  options.longest_step = 256;
  const Minimum m = minimise(objective, {1000}, options);
  EXPECT_TRUE(m.converged);
  EXPECT_NEAR(m.x[0], 0, 1e-4);
  EXPECT_LT(m.evaluations, 40);
}

TEST(Lbfgs, StopsAtBoundsThatTheMinimumIsBehind) {
  // (x - 3)^2 + (y + 2)^2 + x y in [0, 1] x [-1, 5]: at x = 1, y falls to -2.5 and so to -1.
  const Objective objective = [](const std::vector<double>& x, std::vector<double>& g) {
    g = {2 * (x[0] - 3) + x[1], 2 * (x[1] + 2) + x[0]};
    return (x[0] - 3) * (x[0] - 3) + (x[1] + 2) * (x[1] + 2) + x[0] * x[1];
  };
  LbfgsOptions options;
  options.low = {0, -1};
  options.high = {1, 5};
  const Minimum m = minimise(objective, {0.5, 4}, options);
  EXPECT_TRUE(m.converged);
  EXPECT_EQ(m.x[0], 1);
  EXPECT_EQ(m.x[1], -1);
}

TEST(Lbfgs, StepsBackFromWhereThereIsNoValue) {
  // x - log x, without a value for x <= 0; least at 1.
  const Objective objective = [](const std::vector<double>& x, std::vector<double>& g) {
    g = {1 - 1 / x[0]};
    return x[0] > 0 ? x[0] - std::log(x[0]) : std::numeric_limits<double>::infinity();
  };
  const Minimum m = minimise(objective, {0.01});
  EXPECT_TRUE(m.converged);
  EXPECT_NEAR(m.x[0], 1, 1e-4);
}

TEST(Lbfgs, SaysThatTheStartHasNoValue) {
  const Objective objective = [](const std::vector<double>&, std::vector<double>&) {
    return std::nan("");
  };
  const Minimum m = minimise(objective, {0.0});
  EXPECT_FALSE(m.converged);
  EXPECT_FALSE(std::isfinite(m.value));
  EXPECT_EQ(m.evaluations, 1);
}

}  // namespace
}  // namespace kronite::math
