// Quadratic programs on the simplex of every device: against every possible support, against their
// optimality conditions, and one way of exchanging components against the other.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cases/simplex_cases.hpp"
#include "device/backend.hpp"  // for SimplexOps
#include "support/near.hpp"
#include "support/on_each_device.hpp"
#include "support/simplex_oracle.hpp"

namespace kronite::test {
namespace {

class Simplex : public OnEachDevice {
 protected:
  struct Result {
    HostMatrix<double> w;
    std::vector<SimplexOutcome> outcome;
  };

  Result minimise(const HostMatrix<double>& p, const HostMatrix<double>& q,
                  const HostMatrix<double>& guess, std::int32_t block_steps = 8) {
    DeviceMatrix<double> dp(device, p), dq(device, q), w(device, guess);
    Array<SimplexOutcome> outcome(device, q.rows, 1);
    SimplexOptions options;
    options.block_steps = block_steps;
    device.backend().simplex().minimise_on_simplex(dp.view(), dq.view(), options, w.view(),
                                                   outcome.vector());
    return {w.to_host(), outcome.to_host()};
  }
};
KRONITE_ON_EACH_DEVICE(Simplex);

HostMatrix<double> no_guess(const HostMatrix<double>& q) {
  HostMatrix<double> guess(q.rows, q.cols, q.ld - q.cols);
  return guess.fill([](std::int64_t, std::int64_t) { return 0.0; });
}

/// Gradients are sums of n terms, and the linear systems are solved as well as that.
double rounding(const HostMatrix<double>& p) {
  return 2 * (32 + static_cast<double>(p.rows)) * kEpsilon<double>;
}

TEST_P(Simplex, NoSupportOfAllPossibleOnesIsBetter) {
  for (const SimplexCase& c : simplex_cases()) {
    if (c.n > 6) continue;
    SCOPED_TRACE(c.name);
    const auto p = simplex_matrix(c), q = simplex_targets(c);

    const Result result = minimise(p, q, no_guess(q));

    EXPECT_TRUE(result.w.padding_is_untouched());
    for (std::int64_t i = 0; i < c.rows; ++i) {
      const auto best = best_of_all_supports(p, q, i);
      for (std::int64_t j = 0; j < c.n; ++j)
        // |error of w| <= |error of the gradient| / least eigenvalue, which is the ridge at least.
        EXPECT_NEAR(result.w.at(i, j), best[j],
                    1e2 * kEpsilon<double> * (largest(p) + largest_of_row(q, i)) / c.ridge)
            << "row " << i;
    }
  }
}

TEST_P(Simplex, TheOptimalityConditionsHold) {
  for (const SimplexCase& c : simplex_cases())
    for (const std::int32_t block_steps : {8, 1, 0}) {
      SCOPED_TRACE(c.name + ", block steps " + std::to_string(block_steps));
      const auto p = simplex_matrix(c), q = simplex_targets(c);

      const Result result = minimise(p, q, no_guess(q), block_steps);

      EXPECT_TRUE(result.w.padding_is_untouched());
      for (std::int64_t i = 0; i < c.rows; ++i) {
        const SimplexOutcome& outcome = result.outcome[i];
        ASSERT_EQ(outcome.status, SimplexStatus::solved) << "row " << i;
        const double scale = largest(p) + largest_of_row(q, i);
        const double violation = violation_of(p, q, result.w, i);
        EXPECT_LE(violation, rounding(p) * scale) << "row " << i;
        EXPECT_NEAR(outcome.violation * largest_of_row(q, i), violation, rounding(p) * scale);
      }
    }
}

TEST_P(Simplex, SingleExchangesAndBlocksFindTheSame) {
  for (const SimplexCase& c : simplex_cases()) {
    SCOPED_TRACE(c.name);
    const auto p = simplex_matrix(c), q = simplex_targets(c);

    const Result blocks = minimise(p, q, no_guess(q)), single = minimise(p, q, no_guess(q), 0);

    for (std::int64_t i = 0; i < c.rows; ++i) {
      const double allowed = rounding(p) * (largest(p) + largest_of_row(q, i)) / c.ridge;
      for (std::int64_t j = 0; j < c.n; ++j)
        EXPECT_NEAR(single.w.at(i, j), blocks.w.at(i, j), allowed) << "row " << i;
    }
  }
}

TEST_P(Simplex, ExactTargetsGiveTheirMixtureInOneStepFromItsSupport) {
  for (const SimplexCase& c : simplex_cases()) {
    if (c.noise != 0) continue;
    SCOPED_TRACE(c.name);
    const auto p = simplex_matrix(c), q = simplex_targets(c), truth = simplex_truth(c);

    const Result result = minimise(p, q, truth);

    for (std::int64_t i = 0; i < c.rows; ++i) {
      EXPECT_EQ(result.outcome[i].steps, 1);
      for (std::int64_t j = 0; j < c.n; ++j)
        EXPECT_NEAR(result.w.at(i, j), truth.at(i, j),
                    rounding(p) * (largest(p) + largest_of_row(q, i)) / c.ridge);
    }
  }
}

TEST_P(Simplex, NoGuessIsTooBad) {
  const SimplexCase c{"", 40, 12, 12, 4, 0.05, 0.5};
  const auto p = simplex_matrix(c), q = simplex_targets(c);
  auto all = no_guess(q), wrong = no_guess(q);
  all.fill([](std::int64_t, std::int64_t) { return 1.0; });
  wrong.fill([](std::int64_t i, std::int64_t j) { return j == i % 12 ? 0.7 : -5.0; });

  const Result expected = minimise(p, q, no_guess(q));

  for (const auto& guess : {all, wrong})
    for (const std::int32_t block_steps : {8, 0}) {
      const Result result = minimise(p, q, guess, block_steps);
      for (std::int64_t i = 0; i < c.rows; ++i)
        for (std::int64_t j = 0; j < c.n; ++j)
          EXPECT_NEAR(result.w.at(i, j), expected.w.at(i, j), 1e-12) << "row " << i;
    }
}

TEST_P(Simplex, BlocksThatStopImprovingGiveWayToSingleExchanges) {
  // Found among random matrices of condition 1e6: with no patience, these rows are handed over.
  const SimplexCase c{"", 400, 12, 4, 3, 1e-5, 0.5};
  const auto p = simplex_matrix(c), q = simplex_targets(c);

  const Result impatient = minimise(p, q, no_guess(q), 1),
               patient = minimise(p, q, no_guess(q), 30);

  std::int64_t handed_over = 0;
  for (std::int64_t i = 0; i < c.rows; ++i) {
    if (impatient.outcome[i].steps != patient.outcome[i].steps) ++handed_over;
    EXPECT_EQ(impatient.outcome[i].status, SimplexStatus::solved);
    EXPECT_LE(violation_of(p, q, impatient.w, i),
              rounding(p) * (largest(p) + largest_of_row(q, i)));
  }
  EXPECT_GT(handed_over, 0);
}

TEST_P(Simplex, EqualComponentsShareAsAnyOfThemWould) {
  // P of two equal components is singular: one pivot is 0.
  const HostMatrix<double> p = HostMatrix<double>(2, 2).fill([](auto, auto) { return 1.0; });
  const HostMatrix<double> q = HostMatrix<double>(1, 2).fill([](auto, auto) { return 1.0; });
  const HostMatrix<double> both = HostMatrix<double>(1, 2).fill([](auto, auto) { return 0.5; });

  const Result result = minimise(p, q, both);

  EXPECT_EQ(result.outcome[0].status, SimplexStatus::not_definite);
  EXPECT_EQ(result.w.at(0, 0), 1.0);  // one of the best vertices
  EXPECT_EQ(result.w.at(0, 1), 0.0);
}

}  // namespace
}  // namespace kronite::test
