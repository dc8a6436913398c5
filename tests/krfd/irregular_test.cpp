// KRFD on curves with points of their own: against the dense regression, and against KRFD where all
// curves have the same points.
#include <gtest/gtest.h>

#include <cmath>

#include "krfd/curves.hpp"
#include "krfd/problem.hpp"
#include "kronite/error.hpp"
#include "kronite/krsfd.hpp"
#include "support/near.hpp"
#include "support/on_each_device.hpp"

namespace kronite::krfd::test {
namespace {

using kronite::test::column;
using kronite::test::CurveData;
using kronite::test::even_grid;
using kronite::test::Matrix;
using kronite::test::random_curves;

class Irregular : public kronite::test::OnEachDevice {
 protected:
  Irregular() {
    hyper.g = kernel(KernelKind::gaussian, {0.9});
    hyper.t = kernel(KernelKind::matern32, {0.6});
    hyper.m = kernel(KernelKind::laplacian, {1.7});
    hyper.lambda_g = 0.3;
    hyper.lambda_t = 0.2;
    hyper.lambda_m = 0.1;
  }

  IrregularModel fit(const IrregularOptions& options = {}) {
    return fit_irregular(device, data.x.view(), data.observations(), grid.view(), hyper, options);
  }

  /// The prior's penalty of (Theta, c), as in problem.hpp, with the grid for the common points.
  Dense penalty() const {
    Problem p{data.x, grid, Matrix(data.x.rows, grid.rows), hyper};
    return regression(p).penalty;
  }

  /// Rows of the regression at points of curves.
  Dense design(const CurveData& at) const {
    const Dense g = gram(hyper.g, at.x, data.x), m = gram(hyper.m, at.x, data.x),
                t = gram(hyper.t, at.t, grid);
    const std::int64_t points = grid.rows, big = data.x.rows * points;
    return Dense(at.t.rows, big + data.x.rows).fill([&](std::int64_t n, std::int64_t k) {
      const std::int64_t i = at.curve[static_cast<std::size_t>(n)];
      return k < big ? g.at(i, k / points) * t.at(n, k % points) : m.at(i, k - big);
    });
  }

  /// Of y, over the variance of the noise: 1 + H P^-1 H'.
  Dense covariance_of_y() const {
    const Dense h = design(data);
    Dense s = oracle::product(h, oracle::solve(penalty(), transposed(h)));
    for (std::int64_t n = 0; n < s.rows; ++n) s.at(n, n) += 1;
    return s;
  }

  CurveData data = random_curves(8);
  CurveData wanted = random_curves(5, 2, 1, 7);
  Matrix grid = even_grid(5);
  Hyperparameters hyper;
};
KRONITE_ON_EACH_DEVICE(Irregular);

TEST_P(Irregular, IsTheRidgeRegressionWithThePriorOfKrfd) {
  const IrregularModel model = fit();
  const Dense h = design(data);
  const Dense normal = sum(oracle::product(transposed(h), h), penalty());
  const Dense z = oracle::solve(normal, oracle::product(transposed(h), column(data.y)));
  const Dense expected = oracle::product(design(wanted), z);

  const auto at_points = model.predict(device, wanted.x.view(), wanted.points());

  // Values of about 1 out of Gram matrices with condition numbers of about 1e3.
  EXPECT_LT(largest_difference(at_points, expected.values), 1e-10);
  double squares = 0;
  const Dense fitted = oracle::product(h, z);
  for (std::size_t n = 0; n < data.y.size(); ++n) {
    const double left = data.y[n] - fitted.values[n];
    EXPECT_NEAR(model.residuals[n], left, 1e-10);  // random_curves() gives them curve by curve
    squares += left * left;
  }
  const auto n = static_cast<double>(data.y.size());
  EXPECT_NEAR(model.noise_variance, (squares + 2) / (4 + n), 1e-11);
}

TEST_P(Irregular, DeviationsAreThoseOfTheDensePosterior) {
  const IrregularModel model = fit();
  const Dense h = design(data), phi = design(wanted);
  const Dense normal = sum(oracle::product(transposed(h), h), penalty());
  const Dense covariance = oracle::product(phi, oracle::solve(normal, transposed(phi)));

  const IrregularBandOptions within_span{false, false}, noisy{true, false};
  const auto plain = model.predict_std(device, wanted.x.view(), wanted.points(), within_span);
  const auto with_noise = model.predict_std(device, wanted.x.view(), wanted.points(), noisy);

  EXPECT_EQ(plain.mean, model.predict(device, wanted.x.view(), wanted.points()));
  for (std::size_t n = 0; n < plain.std.size(); ++n) {
    const auto k = static_cast<std::int64_t>(n);
    const double variance = model.noise_variance * covariance.at(k, k);
    EXPECT_NEAR(plain.std[n] * plain.std[n], variance, 1e-10);
    EXPECT_NEAR(with_noise.std[n] * with_noise.std[n], variance + model.noise_variance, 1e-10);
  }
}

TEST_P(Irregular, EvidenceIsThatOfTheDenseCovariance) {
  const Dense s = covariance_of_y();
  const Dense solved = oracle::solve(s, column(data.y));
  double quad = 0;
  for (std::size_t n = 0; n < data.y.size(); ++n) quad += data.y[n] * solved.values[n];
  // The determinant by elimination: it is positive definite, no row needs to be exchanged.
  Dense u = s;
  double logdet = 0;
  for (std::int64_t k = 0; k < u.rows; ++k) {
    logdet += std::log(u.at(k, k));
    for (std::int64_t i = k + 1; i < u.rows; ++i)
      for (std::int64_t j = u.cols - 1; j >= k; --j)
        u.at(i, j) -= u.at(i, k) / u.at(k, k) * u.at(k, j);
  }
  const NoisePrior prior{1.5, 0.7};
  const double n = static_cast<double>(data.y.size()), shape = prior.alpha + n / 2;
  const double expected = std::lgamma(shape) - std::lgamma(prior.alpha) +
                          prior.alpha * std::log(prior.beta) - n / 2 * std::log(2 * M_PI) -
                          logdet / 2 - shape * std::log(prior.beta + quad / 2);

  const double value =
      irregular_evidence(device, data.x.view(), data.observations(), grid.view(), hyper, prior);
  IrregularOptions options;
  options.noise_prior = prior;
  options.noise = NoiseRule::conjugate;
  const IrregularModel model = fit(options);

  EXPECT_NEAR(value, expected, 1e-9);
  EXPECT_EQ(model.log_evidence, value);
  EXPECT_NEAR(model.noise_variance, (prior.beta + quad / 2) / (shape - 1), 1e-10);
}

TEST_P(Irregular, OnCommonPointsItIsKrfd) {
  Problem p = random_problem(9, 6);
  p.hyper.m = kernel(KernelKind::laplacian, {1.7});
  std::vector<std::int64_t> curve;
  std::vector<double> t;
  for (std::int64_t i = 0; i < p.n(); ++i)
    for (std::int64_t j = 0; j < p.points(); ++j) {
      curve.push_back(i);
      t.push_back(p.t.at(j, 0));
    }
  const Matrix at = column(t);
  const std::int64_t n = at.rows;
  const Observations observations{{curve.data(), n}, at.view(), {p.y.values.data(), n}};
  const Model common = krfd::fit(device, p.x.view(), p.t.view(), p.y.view(), p.hyper);
  const IrregularModel model = fit_irregular(device, p.x.view(), observations, p.t.view(), p.hyper);
  const auto x = random_matrix<double>(50, 4, 2), points = random_matrix<double>(51, 7, 1);

  EXPECT_NEAR(model.noise_variance, common.sigma2(), 1e-10);
  EXPECT_NEAR(model.log_evidence, evidence(device, p.x.view(), p.t.view(), p.y.view(), p.hyper).log,
              1e-8);
  EXPECT_LT(largest_difference(model.c, common.c()), 1e-8);
  EXPECT_LT(largest_difference(model.predict(device, x.view(), points.view()),
                               common.mean(device, x.view(), points.view())),
            1e-8);
  for (const bool complete : {false, true}) {
    IrregularBandOptions how;
    how.complete = complete;
    PosteriorOptions same;
    same.complete = complete;
    EXPECT_LT(largest_difference(model.predict_std(device, x.view(), points.view(), how).std,
                                 common.deviation(device, x.view(), points.view(), same)),
              1e-7)
        << complete;
  }
}

TEST_P(Irregular, EqualCurvesMayBeJoined) {
  // Two rows of x with the same inputs, as in KRFD on common points.
  Problem p = random_problem(6, 4);
  for (std::int64_t k = 0; k < 2; ++k) p.x.at(5, k) = p.x.at(2, k);
  std::vector<std::int64_t> curve;
  std::vector<double> t;
  for (std::int64_t i = 0; i < 6; ++i)
    for (std::int64_t j = 0; j < 4; ++j) {
      curve.push_back(i);
      t.push_back(p.t.at(j, 0));
    }
  const Matrix at = column(t);
  const Observations observations{{curve.data(), 24}, at.view(), {p.y.values.data(), 24}};
  const Model common = krfd::fit(device, p.x.view(), p.t.view(), p.y.view(), p.hyper);
  const IrregularModel model = fit_irregular(device, p.x.view(), observations, p.t.view(), p.hyper);
  const auto x = random_matrix<double>(50, 4, 2);

  EXPECT_LT(largest_difference(model.predict(device, x.view(), p.t.view()),
                               common.mean(device, x.view(), p.t.view())),
            1e-8);
  EXPECT_LT(largest_difference(model.predict_std(device, x.view(), p.t.view()).std,
                               common.deviation(device, x.view(), p.t.view())),
            1e-7);
}

TEST_P(Irregular, DrawsHaveMeanAndCovarianceOfThePosterior) {
  const IrregularModel model = fit();
  const auto x = random_matrix<double>(3, 2, 2), t = even_grid(3);
  CurveData at{x, Matrix(6, 1), {0, 0, 0, 1, 1, 1}, {}};
  for (std::int64_t n = 0; n < 6; ++n) at.t.at(n, 0) = t.at(n % 3, 0);
  const Dense h = design(data), phi = design(at);
  const Dense normal = sum(oracle::product(transposed(h), h), penalty());
  const Dense covariance = oracle::product(phi, oracle::solve(normal, transposed(phi)));
  const std::vector<double> mean = model.predict(device, x.view(), t.view());
  constexpr int kDraws = 4000;

  const std::vector<double> draws = model.sample(device, x.view(), t.view(), kDraws, 3);

  std::vector<double> average(6, 0.0);
  for (std::size_t n = 0; n < draws.size(); ++n) average[n % 6] += draws[n] / kDraws;
  for (std::size_t a = 0; a < 6; ++a) {
    const auto i = static_cast<std::int64_t>(a);
    const double of_a = model.noise_variance * covariance.at(i, i);
    // Five standard errors of a mean and of a covariance.
    EXPECT_NEAR(average[a], mean[a], 5 * std::sqrt(of_a / kDraws)) << a;
    for (std::size_t b = 0; b <= a; ++b) {
      const auto j = static_cast<std::int64_t>(b);
      double value = 0;
      for (int d = 0; d < kDraws; ++d)
        value += (draws[static_cast<std::size_t>(d) * 6 + a] - mean[a]) *
                 (draws[static_cast<std::size_t>(d) * 6 + b] - mean[b]) / kDraws;
      const double of_b = model.noise_variance * covariance.at(j, j);
      EXPECT_NEAR(value, model.noise_variance * covariance.at(i, j),
                  5 * std::sqrt(2 * of_a * of_b / kDraws))
          << a << ", " << b;
    }
  }
  const std::vector<double> fewer = model.sample(device, x.view(), t.view(), 2, 3);
  EXPECT_LT(largest_difference(fewer, {draws.begin(), draws.begin() + 12}), 1e-12);
}

TEST_P(Irregular, SeveralCoordinatesOfT) {
  data = random_curves(6, 3, 2);
  wanted = random_curves(4, 3, 2, 9);
  grid = Matrix(7, 2);
  const std::vector<double> points = cover_points(data.t.view(), 7);
  ASSERT_EQ(points.size(), 14u);
  grid.values = points;
  const IrregularModel model = fit();
  const Dense h = design(data);
  const Dense normal = sum(oracle::product(transposed(h), h), penalty());
  const Dense z = oracle::solve(normal, oracle::product(transposed(h), column(data.y)));

  EXPECT_LT(largest_difference(model.predict(device, wanted.x.view(), wanted.points()),
                               oracle::product(design(wanted), z).values),
            1e-9);
}

TEST_P(Irregular, KrsfdHasTheEvidenceOfItsDenseCovariance) {
  KrsfdOptions options;
  options.sigma_x = 0.6;
  options.sigma_t = 0.5;
  options.lambda = 0.05;
  const Matrix h = kronite::test::design_rows(data.x, data.curve, data.t, data.x, grid, options);
  Dense s = oracle::product(h, transposed(h));
  for (double& value : s.values) value /= options.lambda;
  for (std::int64_t n = 0; n < s.rows; ++n) s.at(n, n) += 1;
  const Dense solved = oracle::solve(s, column(data.y));
  double quad = 0, logdet = 0;
  for (std::size_t n = 0; n < data.y.size(); ++n) quad += data.y[n] * solved.values[n];
  for (std::int64_t k = 0; k < s.rows; ++k) {
    logdet += std::log(s.at(k, k));
    for (std::int64_t i = k + 1; i < s.rows; ++i)
      for (std::int64_t j = s.cols - 1; j >= k; --j)
        s.at(i, j) -= s.at(i, k) / s.at(k, k) * s.at(k, j);
  }
  const double n = static_cast<double>(data.y.size());
  const double expected = std::lgamma(1 + n / 2) - n / 2 * std::log(2 * M_PI) - logdet / 2 -
                          (1 + n / 2) * std::log(1 + quad / 2);
  EXPECT_NEAR(krsfd_evidence(device, data.x.view(), data.observations(), grid.view(), options),
              expected, 1e-9);
}

TEST_P(Irregular, TuningClimbs) {
  data = random_curves(20);
  EvidenceTuning tuning;
  tuning.start = hyper;
  tuning.starts = 2;
  tuning.tolerance = 1e-2;
  int calls = 0;
  tuning.progress = [&](long long, long long) {
    ++calls;
    return true;
  };
  const auto value = [&](const Hyperparameters& h) {
    return irregular_evidence(device, data.x.view(), data.observations(), grid.view(), h);
  };
  const EvidenceTuned tuned =
      tune_irregular(device, data.x.view(), data.observations(), grid.view(), tuning);
  ASSERT_EQ(tuned.climbs.size(), 2u);
  EXPECT_EQ(calls, tuned.climbs[0].evaluations + tuned.climbs[1].evaluations);
  EXPECT_NEAR(value(tuned.best.hyper), tuned.best.log_evidence, 1e-7);
  EXPECT_GT(tuned.best.log_evidence, value(hyper) + 1);
  if (tuned.best.converged) {
    // No step along one of the numbers gains more than the tolerance says.
    Hyperparameters moved = tuned.best.hyper;
    moved.lambda_m *= 1.1;
    EXPECT_LT(value(moved), tuned.best.log_evidence + 1e-2);
  }

  KrsfdOptions start;
  const KrsfdTuned ridge =
      tune_krsfd(device, data.x.view(), data.observations(), grid.view(), start, tuning);
  EXPECT_GT(ridge.best.log_evidence,
            krsfd_evidence(device, data.x.view(), data.observations(), grid.view(), start) + 1);
  tuning.progress = [](long long, long long) { return false; };
  try {
    tune_krsfd(device, data.x.view(), data.observations(), grid.view(), start, tuning);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::cancelled);
  }
}

TEST_P(Irregular, RefusesWhatMakesNoSense) {
  const auto message = [&](const auto& call) -> std::string {
    try {
      call();
    } catch (const Error& e) {
      return e.what();
    }
    return "nothing";
  };
  hyper.lambda_t = 0;
  EXPECT_NE(message([&] { fit(); }).find("lambda_t is 0"), std::string::npos);
  hyper.lambda_t = 0.1;
  const Matrix wide = even_grid(4, 2);
  EXPECT_NE(message([&] {
              fit_irregular(device, data.x.view(), data.observations(), wide.view(), hyper);
            }).find("points t have 1 coordinates, and those of the grid 2"),
            std::string::npos);
  const IrregularModel model = fit();
  EXPECT_NE(message([&] {
              model.predict(device, data.x.view(), wide.view());
            }).find("t has 2 columns, and had 1"),
            std::string::npos);
  EXPECT_NE(
      message([&] { model.sample(device, data.x.view(), grid.view(), 0); }).find("draws is 0"),
      std::string::npos);
  EXPECT_NE(message([&] { cover_points(data.t.view(), 0); }).find("a grid of 0 points"),
            std::string::npos);
}

TEST(CoverPoints, EqualStepsOrPointsFarFromEachOther) {
  const Matrix line = column({3, 1, 2, 5});
  EXPECT_EQ(cover_points(line.view(), 3), (std::vector<double>{1, 3, 5}));
  EXPECT_EQ(cover_points(column({2, 2}).view(), 3), (std::vector<double>{2}));
  EXPECT_EQ(cover_points(line.view(), 1), (std::vector<double>{3}));
  Matrix plane(4, 2);
  plane.values = {0, 0, 0.1, 0, 1, 10, 0, 10};
  EXPECT_EQ(cover_points(plane.view(), 3), (std::vector<double>{0, 0, 1, 10, 0, 10}));
  plane.values = {0, 0, 0, 0, 1, 1, 0, 0};
  EXPECT_EQ(cover_points(plane.view(), 4), (std::vector<double>{0, 0, 1, 1}));
}

}  // namespace
}  // namespace kronite::krfd::test
