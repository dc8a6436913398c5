// Standard deviations and draws of KRSFD against the dense covariance of its coefficients.
#include <gtest/gtest.h>

#include <cmath>

#include "krfd/curves.hpp"
#include "kronite/error.hpp"
#include "kronite/krsfd.hpp"
#include "support/near.hpp"
#include "support/on_each_device.hpp"

namespace kronite::krfd {
namespace {

using namespace kronite::test;

class KrsfdPosterior : public OnEachDevice {
 protected:
  KrsfdPosterior() {
    options.sigma_x = 0.6;
    options.sigma_t = 0.5;
    options.lambda = 0.05;
    options.solver.tolerance = 1e-10;
  }

  KrsfdModel fit() {
    return fit_krsfd(device, data.x.view(), data.observations(), grid.view(), options);
  }

  /// s2 phi' (H'H + lambda)^-1 phi for each pair of points.
  Matrix covariance(const KrsfdModel& model, const CurveData& at) const {
    const Matrix h = design_rows(data.x, data.curve, data.t, data.x, grid, options);
    const Matrix phi = design_rows(at.x, at.curve, at.t, data.x, grid, options);
    const Matrix solved =
        oracle::solve(normal_matrix(h, options.lambda), oracle::apply(Op::transpose, phi));
    Matrix c = oracle::product(phi, solved);
    for (double& value : c.values) value *= model.noise_variance;
    return c;
  }

  CurveData data = random_curves(8);
  CurveData wanted = random_curves(5, 2, 1, 7);
  Matrix grid = even_grid(5);
  KrsfdOptions options;
};
KRONITE_ON_EACH_DEVICE(KrsfdPosterior);

TEST_P(KrsfdPosterior, ExactDeviationsAreThoseOfTheDenseCovariance) {
  const KrsfdModel model = fit();
  const Matrix c = covariance(model, wanted);
  KrsfdStdOptions how;
  how.variance = KrsfdVariance::exact;

  const auto plain = model.predict_std(device, wanted.x.view(), wanted.points(), how);
  how.include_noise = true;
  const auto noisy = model.predict_std(device, wanted.x.view(), wanted.points(), how);

  EXPECT_EQ(plain.mean, model.predict(device, wanted.x.view(), wanted.points()));
  EXPECT_EQ(plain.variance, KrsfdVariance::exact);
  for (std::size_t n = 0; n < plain.std.size(); ++n) {
    const double variance = c.at(static_cast<std::int64_t>(n), static_cast<std::int64_t>(n));
    // |phi|^2 / lambda, about 100, less what the data explain.
    EXPECT_NEAR(plain.std[n] * plain.std[n], variance, 1e-11);
    EXPECT_NEAR(noisy.std[n] * noisy.std[n], variance + model.noise_variance, 1e-11);
  }
}

TEST_P(KrsfdPosterior, OfManyPointsOnACurveTheyAreTheSame) {
  const KrsfdModel model = fit();
  KrsfdStdOptions how;
  how.variance = KrsfdVariance::exact;
  const Matrix t = even_grid(23);  // more than basis functions of t
  const auto all = model.predict_std(device, wanted.x.view(), t.view(), how);
  for (std::int64_t j = 0; j < t.rows; ++j) {
    const auto one = model.predict_std(device, wanted.x.view(), t.view().rows_from(j, 1), how);
    for (std::int64_t i = 0; i < wanted.x.rows; ++i) {
      const double a = all.std[static_cast<std::size_t>(i * t.rows + j)],
                   b = one.std[static_cast<std::size_t>(i)];
      EXPECT_NEAR(a * a, b * b, 1e-11) << i << " " << j;  // as above
    }
  }
}

TEST_P(KrsfdPosterior, OnAGridDeviationsAreThoseOfItsPoints) {
  const KrsfdModel model = fit();
  const Matrix t = even_grid(4);
  std::vector<std::int64_t> curve;
  std::vector<double> all;
  for (std::int64_t i = 0; i < 5; ++i)
    for (std::int64_t j = 0; j < 4; ++j) {
      curve.push_back(i);
      all.push_back(t.at(j, 0));
    }
  const Matrix points = column(all);

  const auto on_grid = model.predict_std(device, wanted.x.view(), t.view());
  const auto at_points =
      model.predict_std(device, wanted.x.view(), CurvePoints{{curve.data(), 20}, points.view()});

  EXPECT_EQ(on_grid.variance, KrsfdVariance::exact);  // it is small
  EXPECT_EQ(on_grid.std, at_points.std);
  EXPECT_TRUE(near(column(on_grid.mean), column(model.predict(device, wanted.x.view(), t.view())),
                   {1e-13, 0}));
}

TEST_P(KrsfdPosterior, ManyPathwiseDrawsHaveTheDenseCovariance) {
  const KrsfdModel model = fit();
  const Matrix c = covariance(model, wanted);
  KrsfdStdOptions how;
  how.variance = KrsfdVariance::pathwise;
  how.draws = 4000;
  how.seed = 5;

  const auto result = model.predict_std(device, wanted.x.view(), wanted.points(), how);

  EXPECT_EQ(result.variance, KrsfdVariance::pathwise);
  for (std::size_t n = 0; n < result.std.size(); ++n) {
    const auto i = static_cast<std::int64_t>(n);
    // The relative standard error of a standard deviation is 1 / sqrt(2 draws) = .011.
    EXPECT_NEAR(result.std[n] / std::sqrt(c.at(i, i)), 1, 4 * 0.0112) << n;
  }
}

TEST_P(KrsfdPosterior, SamplesHaveMeanAndCovarianceOfThePosterior) {
  const KrsfdModel model = fit();
  const Matrix x = random_matrix<double>(3, 2, 2), t = even_grid(3);
  const int draws = 4000;

  const std::vector<double> samples = model.sample(device, x.view(), t.view(), draws, 11);

  ASSERT_EQ(samples.size(), 4000U * 6);
  CurveData at{x, Matrix(6, 1), {0, 0, 0, 1, 1, 1}, {}};
  at.t.fill([&](std::int64_t n, std::int64_t) { return t.at(n % 3, 0); });
  const Matrix c = covariance(model, at);
  const auto mean = model.predict(device, x.view(), t.view());
  for (std::int64_t a = 0; a < 6; ++a) {
    double average = 0;
    for (int d = 0; d < draws; ++d) average += samples[static_cast<std::size_t>(6 * d + a)] / draws;
    EXPECT_NEAR(average, mean[static_cast<std::size_t>(a)], 4 * std::sqrt(c.at(a, a) / draws));
    for (std::int64_t b = 0; b <= a; ++b) {
      double sum = 0;
      for (int d = 0; d < draws; ++d)
        sum += (samples[static_cast<std::size_t>(6 * d + a)] - mean[static_cast<std::size_t>(a)]) *
               (samples[static_cast<std::size_t>(6 * d + b)] - mean[static_cast<std::size_t>(b)]) /
               draws;
      const double error = std::sqrt((c.at(a, a) * c.at(b, b) + c.at(a, b) * c.at(a, b)) / draws);
      EXPECT_NEAR(sum, c.at(a, b), 4 * error) << a << ", " << b;
    }
  }
}

TEST_P(KrsfdPosterior, ADrawIsTheSameFunctionHoweverItIsAskedFor) {
  const KrsfdModel model = fit();
  const Matrix t = even_grid(3);

  const auto many = model.sample(device, wanted.x.view(), t.view(), 70, 3);  // two batches
  const auto few = model.sample(device, wanted.x.view().rows_from(2, 1), t.view(), 66, 3);
  const auto other = model.sample(device, wanted.x.view().rows_from(2, 1), t.view(), 1, 4);

  for (std::size_t d = 0; d < 66; ++d)
    for (std::size_t j = 0; j < 3; ++j)
      EXPECT_NEAR(few[d * 3 + j], many[(d * 5 + 2) * 3 + j], 1e-8) << d;  // of the solver
  EXPECT_GT(std::abs(other[0] - few[0]), 1e-3);
}

TEST_P(KrsfdPosterior, AutomaticGoesPathwiseWhereTheMatrixDoesNotFit) {
  DeviceOptions small;
  small.memory_limit = 8 << 20;
  Device narrow = Device::parse(GetParam(), 1e300, small);
  const Matrix x = random_matrix<double>(1, 20, 2), three = even_grid(3);
  std::vector<std::int64_t> curve;
  std::vector<double> t, y;
  for (std::uint64_t n = 0; n < 1200; ++n) {
    curve.push_back(static_cast<std::int64_t>(n % 20));
    t.push_back(random_value(2, n));
    y.push_back(random_value(3, n));
  }
  const Matrix points = column(t);
  const KrsfdModel model = fit_krsfd(
      narrow, x.view(), {{curve.data(), 1200}, points.view(), {y.data(), 1200}}, three.view());
  KrsfdStdOptions how;
  how.draws = 3;

  // 1,200^2 values are 11 MB.
  EXPECT_EQ(model.predict_std(narrow, x.view(), three.view(), how).variance,
            KrsfdVariance::pathwise);
  how.variance = KrsfdVariance::exact;
  try {
    model.predict_std(narrow, x.view(), three.view(), how);
    ADD_FAILURE() << "it fits";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::out_of_memory);
  }
}

TEST_P(KrsfdPosterior, RefusesNoDraws) {
  const KrsfdModel model = fit();
  KrsfdStdOptions how;
  how.draws = 0;

  EXPECT_THROW(model.predict_std(device, wanted.x.view(), wanted.points(), how), Error);
  EXPECT_THROW(model.sample(device, wanted.x.view(), grid.view(), 0), Error);
  EXPECT_TRUE(model.predict_std(device, Matrix(0, 2).view(), grid.view()).std.empty());
}

}  // namespace
}  // namespace kronite::krfd
