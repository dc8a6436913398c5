// What KRSFD refuses, in which words, and what it only remarks.
#include <gtest/gtest.h>

#include <cmath>

#include "krfd/captured_log.hpp"
#include "krfd/curves.hpp"
#include "kronite/error.hpp"
#include "kronite/krsfd.hpp"

namespace kronite::krfd {
namespace {

using namespace kronite::test;

class KrsfdInput : public ::testing::Test {
 protected:
  /// What fitting refuses with.
  std::string refusal() {
    try {
      fit_krsfd(device, data.x.view(), data.observations(), grid.view(), options);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::invalid_argument);
      return error.what();
    }
    return "nothing";
  }

  Device device = Device::cpu();
  CurveData data = random_curves(4);
  Matrix grid = even_grid(3);
  KrsfdOptions options;
};

TEST_F(KrsfdInput, RefusesNumbersThatAreNone) {
  data.x.at(2, 1) = std::nan("");
  EXPECT_EQ(refusal(), "x is nan in row 2, column 1, and must be a finite number");
  data = random_curves(4);
  data.t.at(3, 0) = INFINITY;
  EXPECT_EQ(refusal(), "t is inf in row 3, column 0, and must be a finite number");
  data = random_curves(4);
  data.y[5] = std::nan("");
  EXPECT_EQ(refusal(), "y is nan in row 5, column 0, and must be a finite number");
  data = random_curves(4);
  grid.at(1, 0) = std::nan("");
  EXPECT_EQ(refusal(), "the grid is nan in row 1, column 0, and must be a finite number");
}

TEST_F(KrsfdInput, RefusesShapesThatDoNotFit) {
  data.y.pop_back();
  EXPECT_EQ(refusal(), "y has 11 values for 12 points");
  data.curve.pop_back();
  EXPECT_EQ(refusal(), "there are 11 numbers of curves for 12 points");
  data = random_curves(4);
  data.curve[1] = 4;
  EXPECT_EQ(refusal(), "point 1 is on curve 4, and x has the rows 0 to 3");
  data.curve[1] = -1;
  EXPECT_EQ(refusal(), "point 1 is on curve -1, and x has the rows 0 to 3");
  data = random_curves(4);
  grid = even_grid(3, 2);
  EXPECT_EQ(refusal(), "points t have 1 coordinates, and those of the grid 2");
  grid = Matrix(0, 1);
  EXPECT_EQ(refusal(), "the grid has no points");
  grid = even_grid(3);
  data = {Matrix(0, 2), Matrix(0, 1), {}, {}};
  EXPECT_EQ(refusal(), "x has no rows: there is nothing to learn from");
  data.x = Matrix(1, 0);
  EXPECT_EQ(refusal(), "x is no matrix: 1 x 0 values, 0 from row to row");
}

TEST_F(KrsfdInput, RefusesACurveWithoutObservations) {
  for (std::int64_t& curve : data.curve)
    if (curve == 2) curve = 3;

  EXPECT_EQ(refusal(), "curve 2 has no observation: leave its row of x out");
}

TEST_F(KrsfdInput, RefusesOptionsThatMakeNoSense) {
  const auto with = [&](auto change) {
    options = {};
    change(options);
    return refusal();
  };
  const std::string must = ", and must be a finite number > 0";
  EXPECT_EQ(with([](auto& o) { o.sigma_x = 0; }), "sigma_x is 0" + must);
  EXPECT_EQ(with([](auto& o) { o.sigma_t = -2; }), "sigma_t is -2" + must);
  EXPECT_EQ(with([](auto& o) { o.lambda = std::nan(""); }), "lambda is nan" + must);
  EXPECT_EQ(with([](auto& o) { o.alpha = 0; }), "alpha is 0" + must);
  EXPECT_EQ(with([](auto& o) { o.beta = INFINITY; }), "beta is inf" + must);
  EXPECT_EQ(with([](auto& o) { o.solver.tolerance = 0; }), "tolerance is 0" + must);
  EXPECT_EQ(with([](auto& o) { o.solver.max_iterations = 0; }),
            "max_iterations is 0, and must be 1 at least");
  EXPECT_EQ(with([](auto& o) { o.zero_ratio_x = 1; }), "zero_ratio_x is 1, and must be in [0, 1)");
  EXPECT_EQ(with([](auto& o) { o.zero_ratio_t = -0.1; }),
            "zero_ratio_t is -0.1, and must be in [0, 1)");
  EXPECT_EQ(with([](auto& o) {
              o.compat = true;
              o.compat_tolerance = 0;
            }),
            "compat_tolerance is 0" + must);
  EXPECT_EQ(with([](auto& o) {
              o.compat = true;
              o.compat_iterations = 0;
            }),
            "compat_iterations is 0, and must be 1 at least");
}

TEST_F(KrsfdInput, RefusesATruncationThatLeavesNothing) {
  data.x.fill([](auto, auto) { return 1.0; });
  options.zero_ratio_x = 0.5;

  EXPECT_EQ(refusal(),
            "zero_ratio_x = 0.5 leaves nothing of the Gram matrix: too many of its points are the "
            "same");
}

TEST_F(KrsfdInput, RemarksOnPointsThatAreThereTwiceAndCountsBoth) {
  data.t.at(2, 0) = data.t.at(1, 0);
  ASSERT_EQ(data.curve[1], data.curve[2]);
  options.solver.tolerance = 1e-12;
  const CapturedLog log;

  const auto model = fit_krsfd(device, data.x.view(), data.observations(), grid.view(), options);

  ASSERT_EQ(log.notices.size(), 1U);
  EXPECT_EQ(log.notices[0],
            "1 of 12 observations repeat a point of their curve, first on curve 1; each of them "
            "counts");
  const Matrix h = design_rows(data.x, data.curve, data.t, data.x, grid, options);
  const Matrix expected = ridge(h, options.lambda, data.y);
  for (std::size_t n = 0; n < model.theta.size(); ++n)
    EXPECT_NEAR(model.theta[n], expected.at(static_cast<std::int64_t>(n), 0), 1e-9);
}

TEST_F(KrsfdInput, RemarksOnPointsOutsideTheTrainedRange) {
  double low = INFINITY, high = -INFINITY;
  for (const double t : data.t.values) {
    low = std::min(low, t);
    high = std::max(high, t);
  }
  const auto model = fit_krsfd(device, data.x.view(), data.observations(), grid.view());
  const CapturedLog log;

  model.predict(device, data.x.view(), column({low, high}).view());
  EXPECT_TRUE(log.notices.empty());
  model.predict(device, data.x.view(), column({low, high + 1, low - 1e-9}).view());
  ASSERT_EQ(log.notices.size(), 1U);
  EXPECT_EQ(log.notices[0].find("2 of 3 points t lie outside the range"), 0U) << log.notices[0];
  const std::vector<std::int64_t> curve{1};
  const Matrix far = column({9});
  model.predict_std(device, data.x.view(), CurvePoints{{curve.data(), 1}, far.view()});
  EXPECT_EQ(log.notices.size(), 2U);
}

TEST_F(KrsfdInput, PredictionRefusesWhatDoesNotFitTheModel) {
  const auto model = fit_krsfd(device, data.x.view(), data.observations(), grid.view());
  const auto message = [&](auto call) {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::invalid_argument);
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  const Matrix wide = random_matrix<double>(1, 2, 3), two = even_grid(3, 2);
  EXPECT_EQ(message([&] { model.predict(device, wide.view(), grid.view()); }),
            "x has 3 columns, and had 2 when the model was trained");
  EXPECT_EQ(message([&] { model.predict(device, data.x.view(), two.view()); }),
            "t has 2 columns, and had 1 when the model was trained");
  EXPECT_EQ(message([&] { model.predict_std(device, wide.view(), grid.view()); }),
            "x has 3 columns, and had 2 when the model was trained");
  const std::vector<std::int64_t> curve{4};
  const Matrix t = column({0});
  EXPECT_EQ(message([&] {
              model.predict(device, data.x.view(), CurvePoints{{curve.data(), 1}, t.view()});
            }),
            "point 0 is on curve 4, and x has the rows 0 to 3");
  EXPECT_EQ(
      message([&] {
        model.predict(device, {data.x.values.data(), 4, 2, Place{DeviceKind::cuda, 0}}, t.view());
      }),
      "x must be in host memory");
}

}  // namespace
}  // namespace kronite::krfd
