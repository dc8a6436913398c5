// The functional linear model: against its normal equations, and on the tutorial's data.
#include <gtest/gtest.h>

#include "krfd/captured_log.hpp"
#include "krfd/tutorial.hpp"
#include "kronite/error.hpp"
#include "kronite/functional_baselines.hpp"
#include "support/near.hpp"
#include "support/on_each_device.hpp"

namespace kronite::krfd {
namespace {

using namespace kronite::test;

class Flm : public OnEachDevice {};
KRONITE_ON_EACH_DEVICE(Flm);

/// Row n is kron([1 x_{curve n}], k_t(t_n, .)).
Matrix linear_rows(const Matrix& x, const std::vector<std::int64_t>& curve, const Matrix& t,
                   const Matrix& grid, const FlmOptions& o) {
  return Matrix(t.rows, (1 + x.cols) * grid.rows).fill([&](std::int64_t n, std::int64_t c) {
    const std::int64_t feature = c / grid.rows - 1;
    const double value = feature < 0 ? 1 : x.at(curve[static_cast<std::size_t>(n)], feature);
    return value * oracle::kernel(o.kernel_t, o.sigma_t, t, n, grid, c % grid.rows);
  });
}

Matrix as_matrix(const std::vector<double>& values, std::int64_t rows, std::int64_t cols) {
  Matrix m(rows, cols);
  m.values = values;
  return m;
}

/// All points on every curve: curve by curve.
struct Full {
  Full(std::int64_t curves, const Matrix& t) : points(curves * t.rows, t.cols) {
    for (std::int64_t i = 0; i < curves; ++i)
      curve.insert(curve.end(), static_cast<std::size_t>(t.rows), i);
    points.fill([&](std::int64_t n, std::int64_t k) { return t.at(n % t.rows, k); });
  }
  std::vector<std::int64_t> curve;
  Matrix points;
};

TEST_P(Flm, SolvesTheNormalEquations) {
  for (const std::int64_t dimensions : {1, 2}) {
    for (const KernelKind kind : {KernelKind::gaussian, KernelKind::laplacian}) {
      const Matrix x = random_matrix<double>(1, 9, 3, 2), y = random_matrix<double>(2, 9, 6, 1);
      const Matrix t = random_matrix<double>(3, 6, dimensions);
      FlmOptions options;
      options.kernel_t = kind;
      options.sigma_t = 0.4;
      options.lambda = 0.02;

      const FlmModel model = fit_flm(device, x.view(), t.view(), y.view(), options);

      const Full full(9, t);
      const Matrix h = linear_rows(x, full.curve, full.points, t, options);
      std::vector<double> flat;
      for (std::int64_t i = 0; i < 9; ++i)
        for (std::int64_t j = 0; j < 6; ++j) flat.push_back(y.at(i, j));
      // The condition number is about 1e3 / lambda.
      EXPECT_TRUE(near(column(model.theta), ridge(h, 0.02, flat), {1e-9, 0}));

      const Matrix x_new = random_matrix<double>(4, 4, 3),
                   t_new = random_matrix<double>(5, 7, dimensions);
      const Full wanted(4, t_new);
      const auto at_all = model.predict(device, x_new.view(), t_new.view());
      const Matrix expected = oracle::product(
          linear_rows(x_new, wanted.curve, wanted.points, t, options), column(model.theta));
      EXPECT_TRUE(near(column(at_all), expected, {1e-10, 0}));
      const auto at_points = model.predict(
          device, x_new.view(), CurvePoints{{wanted.curve.data(), 28}, wanted.points.view()});
      EXPECT_TRUE(near(column(at_points), expected, {1e-10, 0}));
    }
  }
}

TEST_P(Flm, CurvesWithPointsOfTheirOwnSolveTheNormalEquationsToo) {
  const CurveData data = random_curves(8);
  const Matrix grid = even_grid(5);
  FlmOptions options;
  options.sigma_t = 0.5;
  options.lambda = 0.1;
  options.solver.tolerance = 1e-12;

  const FlmModel model = fit_flm(device, data.x.view(), data.observations(), grid.view(), options);

  EXPECT_TRUE(model.report.converged);
  const Matrix h = linear_rows(data.x, data.curve, data.t, grid, options);
  EXPECT_TRUE(near(column(model.theta), ridge(h, 0.1, data.y), {1e-9, 0}));
}

TEST_P(Flm, SamePointsForAllCurvesNeedNoIterations) {
  const Matrix x = random_matrix<double>(1, 7, 2), grid = even_grid(6);
  const Full full(7, grid);
  std::vector<double> y;
  for (std::uint64_t n = 0; n < 42; ++n) y.push_back(random_value(2, n));
  const Matrix table = as_matrix(y, 7, 6);
  FlmOptions options;
  options.sigma_t = 0.3;

  const FlmModel spectral = fit_flm(device, x.view(), grid.view(), table.view(), options);
  const FlmModel iterated = fit_flm(
      device, x.view(), Observations{{full.curve.data(), 42}, full.points.view(), {y.data(), 42}},
      grid.view(), options);

  EXPECT_TRUE(near(column(iterated.theta), column(spectral.theta), {1e-8, 0}));
  EXPECT_EQ(spectral.report.iterations, 0);
  EXPECT_LE(iterated.report.iterations, 2);  // the preconditioner is the inverse
}

TEST_P(Flm, HasTheNumbersOfTheTutorial) {
  KRONITE_NEEDS_DATA(tutorial("dense_Y_train.npy"));

  const FlmModel model =
      fit_flm(device, npy_matrix("dense_X_train.npy").view(), npy_matrix("dense_t.npy").view(),
              npy_matrix("dense_Y_train.npy").view());

  const Measures m = measure(model.predict(device, npy_matrix("dense_X_test.npy").view(),
                                           npy_matrix("dense_t.npy").view()),
                             npy_matrix("dense_Y_test.npy").values);
  // The normal equations of 306 unknowns, solved with numpy.
  EXPECT_NEAR(m.mae, 1.3079331887, 1e-8);
  EXPECT_NEAR(m.rmse, 1.6876111114, 1e-8);
  EXPECT_NEAR(m.squared_correlation, 0.7101041348, 1e-8);
}

TEST_P(Flm, OneRowOnePointAndConstantsAreFine) {
  const Matrix x = random_matrix<double>(1, 1, 2), t = even_grid(1);
  const Matrix one = Matrix(1, 1).fill([](auto, auto) { return 3.0; });

  const FlmModel model = fit_flm(device, x.view(), t.view(), one.view());

  // theta = z y / (|z|^2 + 1) with z = [1 x].
  const double norm = 1 + x.at(0, 0) * x.at(0, 0) + x.at(0, 1) * x.at(0, 1);
  const auto fitted = model.predict(device, x.view(), t.view());
  ASSERT_EQ(fitted.size(), 1U);
  EXPECT_NEAR(fitted[0], 3 * norm / (norm + 1), 1e-14);
}

TEST_P(Flm, RefusesWhatMakesNoSense) {
  const Matrix x = random_matrix<double>(1, 4, 2), t = even_grid(3),
               y = random_matrix<double>(2, 4, 3);
  const auto message = [&](const Matrix& a, const Matrix& b, const Matrix& c, FlmOptions o = {}) {
    try {
      fit_flm(device, a.view(), b.view(), c.view(), o);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::invalid_argument);
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  FlmOptions options;
  options.lambda = 0;
  EXPECT_EQ(message(x, t, y, options), "lambda is 0, and must be a finite number > 0");
  options = {};
  options.sigma_t = -1;
  EXPECT_EQ(message(x, t, y, options), "sigma_t is -1, and must be a finite number > 0");
  EXPECT_EQ(message(x, t, random_matrix<double>(2, 4, 2)),
            "y is 4 x 2, and must be 4 x 3: a row for each row of x, a column for each t");
  Matrix hole = y;
  hole.at(2, 1) = std::nan("");
  EXPECT_EQ(message(x, t, hole), "y is nan in row 2, column 1, and must be a finite number");
  EXPECT_EQ(message(Matrix(0, 2), t, Matrix(0, 3)),
            "x has no rows: there is nothing to learn from");

  const FlmModel model = fit_flm(device, x.view(), t.view(), y.view());
  EXPECT_THROW(model.predict(device, t.view(), t.view()), Error);
  const CapturedLog log;
  model.predict(device, x.view(), Matrix(1, 1).fill([](auto, auto) { return 1.5; }).view());
  ASSERT_EQ(log.notices.size(), 1U);
  EXPECT_EQ(log.notices[0],
            "1 of 1 points t lie outside the range that the model was trained on (-1 to 1)");
}

}  // namespace
}  // namespace kronite::krfd
