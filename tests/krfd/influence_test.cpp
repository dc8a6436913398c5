// What predictions hang on, against predictions of models fitted to other curves.
#include <gtest/gtest.h>

#include "krfd/problem.hpp"
#include "support/on_each_device.hpp"

namespace kronite::krfd::test {
namespace {

class KrfdInfluence : public kronite::test::OnEachDevice {};
KRONITE_ON_EACH_DEVICE(KrfdInfluence);

/// The mean is linear in Y, so that a difference of any size gives the derivative.
template <class F>
std::vector<double> derivatives(Problem p, const F& f) {
  const double before = f(p);
  std::vector<double> result;
  for (double& value : p.y.values) {
    value += 1;
    result.push_back(f(p) - before);
    value -= 1;
  }
  return result;
}

std::vector<Problem> problems() {
  std::vector<Problem> all{random_problem(6, 4), random_problem(6, 4), random_problem(5, 1),
                           random_problem(1, 3), random_problem(6, 4)};
  all[1].hyper.m = all[1].hyper.g;
  for (std::int64_t j = 0; j < 2; ++j) all[4].x.at(4, j) = all[4].x.at(1, j);  // equal systems
  return all;
}

TEST_P(KrfdInfluence, IsTheDerivativeOfThePrediction) {
  const auto t = random_matrix<double>(78, 1, 1), x = random_matrix<double>(77, 1, 2);
  for (const Problem& p : problems()) {
    const auto influence = fit(device, p).influence(device, x.view(), t.view());
    const auto expected = derivatives(
        p, [&](const Problem& q) { return fit(device, q).mean(device, x.view(), t.view())[0]; });
    EXPECT_LT(largest_difference(influence, expected), 1e-10);
  }
}

TEST_P(KrfdInfluence, WeighsTheCurvesToTheMean) {
  const Problem p = random_problem(6, 4);
  const auto t = random_matrix<double>(78, 1, 1), x = random_matrix<double>(77, 1, 2);
  const Model model = fit(device, p);
  const auto influence = model.influence(device, x.view(), t.view());
  double mean = 0;
  for (std::size_t i = 0; i < influence.size(); ++i) mean += influence[i] * p.y.values[i];
  EXPECT_NEAR(mean, model.mean(device, x.view(), t.view())[0], 1e-11);
}

TEST_P(KrfdInfluence, LeverageIsTheInfluenceOnItself) {
  for (const Problem& p : problems()) {
    const Model model = fit(device, p);
    const auto leverage = model.leverage(device);
    for (std::int64_t i = 0; i < p.n(); ++i)
      for (std::int64_t j = 0; j < p.points(); ++j) {
        const auto influence =
            model.influence(device, p.x.view().rows_from(i, 1), p.t.view().rows_from(j, 1));
        const auto at = static_cast<std::size_t>(i * p.points() + j);
        EXPECT_NEAR(leverage[at], influence[at], 1e-10);
        EXPECT_GE(leverage[at], 0);
        EXPECT_LE(leverage[at], 1);
      }
  }
}

}  // namespace
}  // namespace kronite::krfd::test
