// KRSFD and the functional linear model on the curves of the KRFD tutorial that are each measured
// at their own points. Expected numbers were computed with numpy from the definitions (normal
// equations, dense), those of `compat` with the published program.
#include <gtest/gtest.h>

#include "krfd/captured_log.hpp"
#include "krfd/tutorial.hpp"
#include "kronite/functional_baselines.hpp"
#include "kronite/krsfd.hpp"
#include "support/on_each_device.hpp"

namespace kronite::krfd {
namespace {

using namespace kronite::test;

class KrsfdTutorial : public OnEachDevice {
 protected:
  void SetUp() override { KRONITE_NEEDS_DATA(tutorial("sparse_observations.csv")); }

  Measures test_measures(const KrsfdModel& model, const CurveData& test) {
    return measure(model.predict(device, test.x.view(), test.points()), test.y);
  }
};
KRONITE_ON_EACH_DEVICE(KrsfdTutorial);

TEST_P(KrsfdTutorial, HasTheNumbersOfTheConvergedSolution) {
  const CurveData training = sparse_part("sparse_train_ids.npy");
  const CurveData test = sparse_part("sparse_test_ids.npy");
  ASSERT_EQ(training.y.size(), 3964U);
  ASSERT_EQ(test.y.size(), 1449U);
  KrsfdOptions options = tutorial_options();
  options.solver.tolerance = 1e-10;

  const KrsfdModel model = fit_krsfd(device, training.x.view(), training.observations(),
                                     npy_matrix("sparse_t_grid.npy").view(), options);

  EXPECT_TRUE(model.report.converged);
  EXPECT_LE(model.report.relative_residual, 1e-10);
  // 114 to 118 in other programs; without the preconditioner 1850.
  EXPECT_LT(model.report.iterations, 140);
  EXPECT_NEAR(model.threshold_x, 0.01301124026333348, 1e-15);
  EXPECT_NEAR(model.threshold_t, 0.304992374306445, 1e-14);
  const Measures m = test_measures(model, test);
  EXPECT_NEAR(m.mae, 0.5992851208, 1e-8);
  EXPECT_NEAR(m.rmse, 0.8910716296, 1e-8);
  EXPECT_NEAR(m.squared_correlation, 0.9277704956, 1e-8);
}

TEST_P(KrsfdTutorial, CompatHasTheNumbersOfThePublishedProgram) {
  const CurveData training = sparse_part("sparse_train_ids.npy");
  const CurveData test = sparse_part("sparse_test_ids.npy");
  KrsfdOptions options = tutorial_options();
  options.compat = true;
  const CapturedLog log;

  const KrsfdModel model = fit_krsfd(device, training.x.view(), training.observations(),
                                     npy_matrix("sparse_t_grid.npy").view(), options);

  EXPECT_EQ(model.report.iterations, 500);
  EXPECT_FALSE(model.report.converged);
  ASSERT_EQ(log.warnings.size(), 1U);
  EXPECT_NE(log.warnings[0].find("has not converged"), std::string::npos) << log.warnings[0];
  const Measures m = test_measures(model, test);
  // After 500 steps that have not converged, rounding moves the last digits.
  EXPECT_NEAR(m.mae, 0.6003099418, 1e-6);
  EXPECT_NEAR(m.rmse, 0.8927502719, 1e-6);
  EXPECT_NEAR(m.squared_correlation, 0.9274462541, 1e-6);
}

TEST_P(KrsfdTutorial, IsBetterWithoutTruncation) {
  const CurveData training = sparse_part("sparse_train_ids.npy");
  const CurveData test = sparse_part("sparse_test_ids.npy");
  KrsfdOptions options = tutorial_options();
  options.zero_ratio_x = options.zero_ratio_t = 0;

  const KrsfdModel model = fit_krsfd(device, training.x.view(), training.observations(),
                                     npy_matrix("sparse_t_grid.npy").view(), options);

  const Measures m = test_measures(model, test);
  // The residual of 1e-8 leaves 1e-5 and less of theta.
  EXPECT_NEAR(m.mae, 0.5320530861, 1e-6);
  EXPECT_NEAR(m.rmse, 0.8074463090, 1e-6);
  EXPECT_NEAR(m.squared_correlation, 0.9408350689, 1e-6);
}

TEST_P(KrsfdTutorial, PathwiseDeviationsAgreeWithTheExactOnes) {
  const CurveData training = first_curves(sparse_part("sparse_train_ids.npy"), 120);  // for speed
  const CurveData test = sparse_part("sparse_test_ids.npy");
  KrsfdOptions options = tutorial_options();
  options.zero_ratio_x = options.zero_ratio_t = 0;
  options.solver.tolerance = 1e-5;  // far below what 64 draws can tell
  const KrsfdModel model = fit_krsfd(device, training.x.view(), training.observations(),
                                     npy_matrix("sparse_t_grid.npy").view(), options);
  const Matrix x = Matrix(20, 5).fill([&](auto i, auto j) { return test.x.at(i, j); });
  const Matrix t =
      Matrix(5, 1).fill([](auto i, auto) { return 0.1 + 0.45 * static_cast<double>(i); });
  KrsfdStdOptions exact, pathwise;
  exact.variance = KrsfdVariance::exact;
  pathwise.variance = KrsfdVariance::pathwise;

  const auto e = model.predict_std(device, x.view(), t.view(), exact);
  const auto p = model.predict_std(device, x.view(), t.view(), pathwise);

  EXPECT_EQ(e.mean, p.mean);
  double squares = 0;
  for (std::size_t k = 0; k < e.std.size(); ++k) {
    const double ratio = p.std[k] / e.std[k];
    // One standard error is 1 / sqrt(128) = .088; 100 points, of which neighbours go together.
    EXPECT_NEAR(ratio, 1, 4 * 0.0884) << k;
    squares += ratio * ratio / static_cast<double>(e.std.size());
  }
  EXPECT_NEAR(squares, 1, 0.1);
}

TEST_P(KrsfdTutorial, FunctionalLinearModelHasTheNumbersOfTheNormalEquations) {
  const CurveData training = sparse_part("sparse_train_ids.npy");
  const CurveData test = sparse_part("sparse_test_ids.npy");

  const FlmModel model = fit_flm(device, training.x.view(), training.observations(),
                                 npy_matrix("sparse_t_grid.npy").view());

  EXPECT_TRUE(model.report.converged);
  const Measures m = measure(model.predict(device, test.x.view(), test.points()), test.y);
  EXPECT_NEAR(m.mae, 1.4429887396, 1e-7);
  EXPECT_NEAR(m.rmse, 1.8552509127, 1e-7);
  EXPECT_NEAR(m.squared_correlation, 0.6860026201, 1e-7);
}

}  // namespace
}  // namespace kronite::krfd
