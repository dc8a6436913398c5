// KRSFD: its coefficients against dense normal equations, and what must not change them.
#include "kronite/krsfd.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "krfd/captured_log.hpp"
#include "krfd/curves.hpp"
#include "support/near.hpp"
#include "support/on_each_device.hpp"

namespace kronite::krfd {
namespace {

using namespace kronite::test;

class Krsfd : public OnEachDevice {};
KRONITE_ON_EACH_DEVICE(Krsfd);

KrsfdOptions sharp_options() {
  KrsfdOptions options;
  options.sigma_x = 0.7;
  options.sigma_t = 0.4;
  options.lambda = 0.05;
  options.solver.tolerance = 1e-12;
  return options;
}

TEST_P(Krsfd, SolvesTheNormalEquations) {
  struct Case {
    std::int64_t features, dimensions, grid;
    KernelKind kernel_x, kernel_t;
  };
  for (const Case& c : {Case{2, 1, 5, KernelKind::gaussian, KernelKind::gaussian},
                        Case{1, 2, 4, KernelKind::laplacian, KernelKind::gaussian},
                        Case{3, 1, 6, KernelKind::gaussian, KernelKind::laplacian},
                        Case{2, 1, 1, KernelKind::matern32, KernelKind::matern52}}) {
    SCOPED_TRACE(c.grid);
    const CurveData data = random_curves(9, c.features, c.dimensions);
    const Matrix grid = even_grid(c.grid, c.dimensions);
    KrsfdOptions options = sharp_options();
    options.kernel_x = c.kernel_x;
    options.kernel_t = c.kernel_t;

    const KrsfdModel model =
        fit_krsfd(device, data.x.view(), data.observations(), grid.view(), options);

    EXPECT_TRUE(model.report.converged);
    const Matrix h = design_rows(data.x, data.curve, data.t, data.x, grid, options);
    // The condition number is about |H|^2 / lambda = 1e3.
    EXPECT_TRUE(near(column(model.theta), ridge(h, options.lambda, data.y), {1e-9, 0}));

    const Matrix fitted = oracle::product(h, column(model.theta));
    double squares = 0;
    for (std::int64_t n = 0; n < fitted.rows; ++n) {
      const double e = data.y[static_cast<std::size_t>(n)] - fitted.at(n, 0);
      squares += e * e;
    }
    EXPECT_NEAR(model.noise_variance, (2 + squares) / (4 + static_cast<double>(fitted.rows)),
                1e-12);

    const CurveData wanted = random_curves(4, c.features, c.dimensions, 9);
    const auto at_points = model.predict(device, wanted.x.view(), wanted.points());
    const Matrix expected = oracle::product(
        design_rows(wanted.x, wanted.curve, wanted.t, data.x, grid, options), column(model.theta));
    EXPECT_TRUE(near(column(at_points), expected, {1e-11, 0}));
    const auto on_grid = model.predict(device, wanted.x.view(), wanted.t.view());
    for (std::int64_t n = 0; n < wanted.t.rows; ++n)
      EXPECT_NEAR(on_grid[static_cast<std::size_t>(
                      wanted.curve[static_cast<std::size_t>(n)] * wanted.t.rows + n)],
                  expected.at(n, 0), 1e-11);
  }
}

TEST_P(Krsfd, TheOrderOfObservationsPlaysNoPart) {
  const CurveData data = random_curves(7);
  CurveData turned = data;
  std::vector<std::size_t> order(data.y.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [](std::size_t a, std::size_t b) { return random_bits(3, a) < random_bits(3, b); });
  for (std::size_t n = 0; n < order.size(); ++n) {
    turned.curve[n] = data.curve[order[n]];
    turned.t.at(static_cast<std::int64_t>(n), 0) =
        data.t.at(static_cast<std::int64_t>(order[n]), 0);
    turned.y[n] = data.y[order[n]];
  }
  ASSERT_NE(turned.curve, data.curve);
  const Matrix grid = even_grid(5);

  const auto a =
      fit_krsfd(device, data.x.view(), data.observations(), grid.view(), sharp_options());
  const auto b =
      fit_krsfd(device, turned.x.view(), turned.observations(), grid.view(), sharp_options());

  EXPECT_TRUE(near(column(a.theta), column(b.theta), {1e-9, 0}));
  const auto straight = a.predict(device, data.x.view(), data.points());
  const auto mixed = a.predict(device, data.x.view(), turned.points());
  for (std::size_t n = 0; n < order.size(); ++n) EXPECT_NEAR(mixed[n], straight[order[n]], 1e-14);
}

TEST_P(Krsfd, TheOrderOfCurvesPlaysNoPart) {
  const CurveData data = random_curves(7);
  CurveData turned = data;
  turned.x.fill([&](std::int64_t i, std::int64_t j) { return data.x.at(6 - i, j); });
  for (std::int64_t& curve : turned.curve) curve = 6 - curve;
  const Matrix grid = even_grid(5);

  const auto a =
      fit_krsfd(device, data.x.view(), data.observations(), grid.view(), sharp_options());
  const auto b =
      fit_krsfd(device, turned.x.view(), turned.observations(), grid.view(), sharp_options());

  for (std::int64_t i = 0; i < 7; ++i)
    for (std::int64_t l = 0; l < 5; ++l)
      EXPECT_NEAR(a.theta[static_cast<std::size_t>(i * 5 + l)],
                  b.theta[static_cast<std::size_t>((6 - i) * 5 + l)], 1e-9);
  const CurveData wanted = random_curves(4, 2, 1, 9);
  const auto p = a.predict(device, wanted.x.view(), wanted.points());
  const auto q = b.predict(device, wanted.x.view(), wanted.points());
  EXPECT_TRUE(near(column(p), column(q), {1e-9, 0}));
}

TEST_P(Krsfd, CurvesOfEqualInputsAreFine) {
  CurveData data = random_curves(6);
  data.x.fill([&](std::int64_t i, std::int64_t j) { return data.x.at(i / 2 * 2, j); });
  const Matrix grid = even_grid(4);

  const auto model =
      fit_krsfd(device, data.x.view(), data.observations(), grid.view(), sharp_options());

  const Matrix h = design_rows(data.x, data.curve, data.t, data.x, grid, sharp_options());
  EXPECT_TRUE(near(column(model.theta), ridge(h, sharp_options().lambda, data.y), {1e-9, 0}));
}

TEST_P(Krsfd, ScaledValuesGiveAScaledAnswer) {
  const CurveData data = random_curves(7);
  CurveData small = data;
  for (double& y : small.y) y *= 1e-4;
  const Matrix grid = even_grid(5);
  KrsfdOptions options;  // as they come

  const auto a = fit_krsfd(device, data.x.view(), data.observations(), grid.view(), options);
  const auto b = fit_krsfd(device, small.x.view(), small.observations(), grid.view(), options);

  EXPECT_EQ(a.report.iterations, b.report.iterations);
  for (std::size_t n = 0; n < a.theta.size(); ++n)
    EXPECT_NEAR(b.theta[n], 1e-4 * a.theta[n], 1e-12) << n;
}

TEST_P(Krsfd, CompatDependsOnTheScaleAndSaysThatItHasNotConverged) {
  const CurveData data = random_curves(7);
  CurveData small = data;
  for (double& y : small.y) y *= 1e-4;
  KrsfdOptions options = sharp_options();
  options.compat = true;
  options.compat_tolerance = 1e-6;

  const auto compat =
      fit_krsfd(device, small.x.view(), small.observations(), even_grid(5).view(), options);
  options.compat = false;
  const auto right =
      fit_krsfd(device, small.x.view(), small.observations(), even_grid(5).view(), options);

  // It stops while most of the start, theta = 0.1, is still there.
  EXPECT_TRUE(compat.report.converged);
  EXPECT_GT(compat.report.relative_residual, 1e-3);
  const auto largest = [](const std::vector<double>& v) {
    double most = 0;
    for (const double value : v) most = std::max(most, std::abs(value));
    return most;
  };
  EXPECT_GT(largest(compat.theta), 100 * largest(right.theta));

  options = sharp_options();
  options.compat = true;
  options.compat_iterations = 2;
  const CapturedLog log;
  EXPECT_FALSE(fit_krsfd(device, data.x.view(), data.observations(), even_grid(5).view(), options)
                   .report.converged);
  EXPECT_EQ(log.warnings.size(), 1U);
}

TEST(KrsfdOptions, PublishedAreThoseOfThePublishedProgram) {
  const KrsfdOptions options = KrsfdOptions::published();

  EXPECT_TRUE(options.compat);
  EXPECT_EQ(options.zero_ratio_x, 0.9);
  EXPECT_EQ(options.zero_ratio_t, 0.1);
  EXPECT_EQ(options.lambda, 0.0625);
  EXPECT_EQ(options.compat_tolerance, 0.001);
  EXPECT_EQ(options.compat_iterations, 500);
}

TEST_P(Krsfd, CompatReachesTheSameSolutionWhenItMayGoOn) {
  const CurveData data = random_curves(6);
  const Matrix grid = even_grid(5);
  KrsfdOptions options = sharp_options();
  const auto converged =
      fit_krsfd(device, data.x.view(), data.observations(), grid.view(), options);
  options.compat = true;
  options.compat_tolerance = 1e-22;
  options.compat_iterations = 5000;

  const auto compat = fit_krsfd(device, data.x.view(), data.observations(), grid.view(), options);

  EXPECT_TRUE(near(column(compat.theta), column(converged.theta), {1e-8, 0}));
}

TEST_P(Krsfd, TruncationZeroesTheSmallestValuesEverywhere) {
  const CurveData data = random_curves(10);
  const Matrix grid = even_grid(6);
  KrsfdOptions options = sharp_options();
  options.zero_ratio_x = 0.5;
  options.zero_ratio_t = 0.3;

  const auto model = fit_krsfd(device, data.x.view(), data.observations(), grid.view(), options);

  // Half of 100 values, and int(36 * .3) = 10 of the grid's.
  std::vector<double> values;
  for (std::int64_t i = 0; i < 10; ++i)
    for (std::int64_t j = 0; j < 10; ++j)
      values.push_back(oracle::kernel(options.kernel_x, options.sigma_x, data.x, i, data.x, j));
  std::sort(values.begin(), values.end());
  EXPECT_NEAR(model.threshold_x, values[49], 1e-14);
  Matrix h = design_rows(data.x, data.curve, data.t, data.x, grid, options);
  h.fill([&](std::int64_t n, std::int64_t c) {
    const std::int64_t i = data.curve[static_cast<std::size_t>(n)];
    const double gx = oracle::kernel(options.kernel_x, options.sigma_x, data.x, i, data.x, c / 6);
    const double gt = oracle::kernel(options.kernel_t, options.sigma_t, data.t, n, grid, c % 6);
    // 1e-14: the threshold is one of the values of the Gram matrix, computed elsewhere.
    return gx <= model.threshold_x + 1e-14 || gt <= model.threshold_t + 1e-14 ? 0.0 : gx * gt;
  });
  EXPECT_TRUE(near(column(model.theta), ridge(h, options.lambda, data.y), {1e-8, 0}));
}

TEST_P(Krsfd, CurvesThatShareTheirPointsNeedOneStep) {
  const Matrix x = random_matrix<double>(1, 6, 2), grid = even_grid(4);
  std::vector<std::int64_t> curve;
  std::vector<double> t, y;
  for (std::int64_t i = 0; i < 6; ++i)
    for (std::int64_t l = 0; l < 4; ++l) {
      curve.push_back(i);
      t.push_back(grid.at(l, 0));
      y.push_back(random_value(8, y.size()));
    }
  const Matrix points = column(t);

  const auto model =
      fit_krsfd(device, x.view(), Observations{{curve.data(), 24}, points.view(), {y.data(), 24}},
                grid.view());

  EXPECT_LE(model.report.iterations, 2);  // the preconditioner is the inverse
}

TEST_P(Krsfd, OneCurveOnePointAndConstantsAreFine) {
  const Matrix x = Matrix(1, 2).fill([](auto, auto) { return 0.5; }), grid = even_grid(1);
  const std::vector<std::int64_t> curve{0};
  const std::vector<double> y{3};
  const Observations one{{curve.data(), 1}, grid.view(), {y.data(), 1}};
  KrsfdOptions options = sharp_options();

  const auto model = fit_krsfd(device, x.view(), one, grid.view(), options);

  // H is the number 1.
  ASSERT_EQ(model.theta.size(), 1U);
  EXPECT_NEAR(model.theta[0], 3 / 1.05, 1e-12);

  CurveData constant = random_curves(5);
  std::fill(constant.y.begin(), constant.y.end(), 0.0);
  const auto zero =
      fit_krsfd(device, constant.x.view(), constant.observations(), even_grid(3).view(), options);
  EXPECT_TRUE(zero.report.converged);
  for (const double theta : zero.theta) EXPECT_EQ(theta, 0);
  std::fill(constant.y.begin(), constant.y.end(), 7.0);
  const auto seven =
      fit_krsfd(device, constant.x.view(), constant.observations(), even_grid(3).view(), options);
  const Matrix h =
      design_rows(constant.x, constant.curve, constant.t, constant.x, even_grid(3), options);
  EXPECT_TRUE(near(column(seven.theta), ridge(h, options.lambda, constant.y), {1e-8, 0}));
}

TEST_P(Krsfd, InputsArePredictedOneByOneAsTogether) {
  const CurveData data = random_curves(6);
  const auto model = fit_krsfd(device, data.x.view(), data.observations(), even_grid(4).view());
  const Matrix t = even_grid(3);

  EXPECT_TRUE(model.predict(device, Matrix(0, 2).view(), t.view()).empty());
  EXPECT_TRUE(model.predict(device, data.x.view(), Matrix(0, 1).view()).empty());
  const auto all = model.predict(device, data.x.view(), t.view());
  for (std::int64_t i = 0; i < 6; ++i) {
    const auto one = model.predict(device, data.x.view().rows_from(i, 1), t.view());
    for (std::size_t j = 0; j < 3; ++j)
      EXPECT_NEAR(one[j], all[static_cast<std::size_t>(i) * 3 + j], 1e-13);
  }
}

}  // namespace
}  // namespace kronite::krfd
