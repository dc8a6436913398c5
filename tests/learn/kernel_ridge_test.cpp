// Kernel ridge regression against scikit-learn, its definition in plain loops, and refitting.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kronite/regression.hpp"
#include "support/matrix.hpp"
#include "support/near.hpp"
#include "support/on_each_device.hpp"
#include "support/oracle.hpp"
#include "support/random.hpp"
#include "support/rows.hpp"

namespace kronite::learn {
namespace {

using test::column;
using test::expect_in;
using test::HostMatrix;
using test::parts_of;
using test::refusal;
using test::oracle::Matrix;

const KernelKind kKernels[] = {KernelKind::gaussian, KernelKind::laplacian, KernelKind::matern32,
                               KernelKind::matern52};

/// Rows of three values with two smooth targets.
struct Task {
  HostMatrix<double> x, y;
  RowParts parts;

  Task(std::int64_t n, std::int64_t training, std::int64_t validation)
      : x(test::random_matrix<double>(1, n, 3, 1)),
        y(n, 2),
        parts(parts_of(n, training, validation)) {
    for (std::int64_t i = 0; i < n; ++i) {
      y.at(i, 0) = 5 + std::sin(2 * x.at(i, 0)) + x.at(i, 1) * x.at(i, 2);
      y.at(i, 1) = 100 * (x.at(i, 0) - x.at(i, 2)) +
                   5 * test::random_value(2, static_cast<std::uint64_t>(i));
    }
  }
  HostMatrix<double> rows(const HostMatrix<double>& of,
                          const std::vector<std::int64_t>& which) const {
    return HostMatrix<double>(static_cast<std::int64_t>(which.size()), of.cols)
        .fill([&](std::int64_t i, std::int64_t j) {
          return of.at(which[static_cast<std::size_t>(i)], j);
        });
  }
};

KernelRidgeOptions one(KernelKind kernel, double length_scale, double ridge) {
  KernelRidgeOptions options;
  options.kernel = kernel;
  options.length_scales = {length_scale};
  options.ridges = {ridge};
  return options;
}

Matrix gram(KernelKind kernel, double s, const Matrix& a, const Matrix& b) {
  return Matrix(a.rows, b.rows).fill([&](std::int64_t i, std::int64_t j) {
    return test::oracle::kernel(kernel, s, a, i, b, j);
  });
}

class KernelRidgeOn : public test::OnEachDevice {
 protected:
  KernelRidgeFit fit(const Task& task, const KernelRidgeOptions& options) {
    return fit_kernel_ridge(device, options, task.x.view(), task.y.view(), task.parts);
  }
};
KRONITE_ON_EACH_DEVICE(KernelRidgeOn);

// --- what it is ---------------------------------------------------------------------------------

// scikit-learn 1.9.1: KernelRidge(alpha=0.05) on StandardScaler().fit_transform(x) and y minus its
// mean, with kernel="rbf", gamma=1 / (2 * 1.7^2); kernel="laplacian", gamma=1 / 1.7; and
// gaussian_process.kernels.Matern(1.7, nu=1.5 or 2.5) as a precomputed kernel. Rows 0 to 8 train,
// rows 9 to 11 are predicted.
TEST_P(KernelRidgeOn, PredictsWhatScikitLearnPredicts) {
  HostMatrix<double> x(12, 3), y(12, 2);
  x.fill([](std::int64_t i, std::int64_t j) {
    const auto a = static_cast<double>(i + 1), b = static_cast<double>(j);
    return std::sin(0.37 * a * (b + 1) + 0.11 * b);
  });
  for (std::int64_t i = 0; i < 12; ++i) {
    y.at(i, 0) = x.at(i, 0) * x.at(i, 1) + x.at(i, 2);
    y.at(i, 1) = std::exp(x.at(i, 0)) - x.at(i, 1);
  }
  const double expected[4][6] = {{-0.6689003520202529, 0.7137511698563819, -0.37256398658597245,
                                  1.03592395790098, -0.04370848355108138, 1.4751603225832093},
                                 {-0.16530062517328362, 1.37658214657048, 0.01997024890022768,
                                  1.5590515465907009, 0.11145365024859433, 1.6636517483773996},
                                 {-0.4839850865088312, 0.8865833694543593, -0.19735006663010482,
                                  1.1877219993153965, 0.02839379661712141, 1.5057304087475363},
                                 {-0.5461993268905073, 0.819363566111599, -0.24566779391017438,
                                  1.1401261075196718, 0.010541302234498375, 1.4963222074044475}};
  for (const KernelKind kernel : kKernels) {
    SCOPED_TRACE(static_cast<int>(kernel));
    KernelRidgeOptions options = one(kernel, 1.7, 0.05);
    options.clip = false;  // as scikit-learn
    const auto result = fit_kernel_ridge(device, options, x.view(), y.view(), parts_of(12, 9, 0));

    const auto predicted = result.model.predict(device, x.view());
    for (std::int64_t i = 0; i < 3; ++i)
      for (std::int64_t k = 0; k < 2; ++k)
        // A matrix of condition 200, in double.
        EXPECT_NEAR(predicted.at(9 + i, k), expected[static_cast<int>(kernel)][2 * i + k], 1e-12);
  }
}

TEST_P(KernelRidgeOn, OneRidgeOfSeveralIsTheSameAsAlone) {
  const Task task(60, 50, 0);
  for (const KernelKind kernel : kKernels) {
    KernelRidgeOptions several = one(kernel, 2.0, 1e-3);
    several.ridges = {1e3, 1e-3, 1e4};  // by eigenvectors, and the middle one is the best

    const auto a = fit(task, one(kernel, 2.0, 1e-3)), b = fit(task, several);

    EXPECT_EQ(b.model.ridge, 1e-3);
    const auto pa = a.model.predict(device, task.x.view()),
               pb = b.model.predict(device, task.x.view());
    for (std::size_t i = 0; i < pa.values.size(); ++i)
      EXPECT_NEAR(pa.values[i], pb.values[i], 1e-8);  // targets of 100, a condition of 5e4
    for (std::size_t i = 0; i < a.leave_one_out.values.size(); ++i)
      EXPECT_NEAR(a.leave_one_out.values[i], b.leave_one_out.values[i], 1e-8);
  }
}

// --- leave one out ------------------------------------------------------------------------------

/// The rows as they are, so that leaving one out changes no scaler of the inputs.
TEST_P(KernelRidgeOn, LeavingOneOutIsRefittingWithoutIt) {
  const Task task(25, 25, 0);
  KernelRidgeOptions options = one(KernelKind::matern52, 1.5, 0.02);
  options.standardise = false;
  const auto all = fit(task, options);

  const Matrix k = gram(options.kernel, 1.5, task.rows(task.x, task.parts.training),
                        task.rows(task.x, task.parts.training));
  for (std::int64_t left = 0; left < 25; ++left) {
    const auto place = [&](std::int64_t i) { return i < left ? i : i + 1; };
    const auto without = Matrix(24, 24).fill([&](std::int64_t i, std::int64_t j) {
      return k.at(place(i), place(j)) + (i == j ? 0.02 : 0);
    });
    // Scalers of the targets stay, as stated.
    const RowScaler& scaler = all.model.targets;
    const auto y = Matrix(24, 2).fill([&](std::int64_t i, std::int64_t j) {
      return task.y.at(place(i), j) - scaler.mean[static_cast<std::size_t>(j)];
    });
    const Matrix a = test::oracle::solve(without, y);
    for (std::int64_t j = 0; j < 2; ++j) {
      double predicted = scaler.mean[static_cast<std::size_t>(j)];
      for (std::int64_t i = 0; i < 24; ++i) predicted += k.at(left, place(i)) * a.at(i, j);
      EXPECT_NEAR(all.leave_one_out.at(left, j), predicted, 1e-9);  // targets of 100
    }
  }
}

TEST_P(KernelRidgeOn, WithoutAValidationPartTheLeaveOneOutErrorDecides) {
  const Task task(60, 60, 0);
  KernelRidgeOptions options;
  options.length_scales = {0.05, 2, 50};
  options.ridges = {1e-2, 10};

  const auto result = fit(task, options);

  ASSERT_EQ(result.trials.size(), 6U);
  double least = std::numeric_limits<double>::infinity();
  for (const KernelRidgeTrial& trial : result.trials) least = std::min(least, trial.error);
  double error = 0;
  for (std::int64_t i = 0; i < 60; ++i)
    for (std::int64_t k = 0; k < 2; ++k)
      error += std::pow((result.leave_one_out.at(i, k) - task.y.at(i, k)) /
                            result.model.targets.std[static_cast<std::size_t>(k)],
                        2);
  EXPECT_NEAR(error / 120, least, 1e-12);
  EXPECT_EQ(result.model.length_scale, 2);
  EXPECT_EQ(result.model.ridge, 1e-2);
}

TEST_P(KernelRidgeOn, AValidationPartDecidesWhereThereIsOne) {
  Task task(80, 50, 30);
  const auto by_rows = [&](const Task& of) {
    KernelRidgeOptions options;
    options.length_scales = {1, 2};
    options.ridges = {1e-3, 1e3};
    return fit(of, options);
  };
  const auto smooth = by_rows(task);
  for (std::int64_t i = 50; i < 80; ++i)  // by these a constant is best
    for (std::int64_t k = 0; k < 2; ++k)
      task.y.at(i, k) = smooth.model.targets.mean[static_cast<std::size_t>(k)];

  EXPECT_EQ(smooth.model.ridge, 1e-3);
  EXPECT_EQ(by_rows(task).model.ridge, 1e3);
  const auto predicted = smooth.model.predict(device, task.x.view());
  Task original(80, 50, 30);
  double error = 0;
  for (std::int64_t i = 50; i < 80; ++i)
    for (std::int64_t k = 0; k < 2; ++k)
      error += std::pow((predicted.at(i, k) - original.y.at(i, k)) /
                            smooth.model.targets.std[static_cast<std::size_t>(k)],
                        2);
  double least = std::numeric_limits<double>::infinity();
  for (const KernelRidgeTrial& trial : smooth.trials) least = std::min(least, trial.error);
  EXPECT_NEAR(error / 60, least, 1e-12);
}

TEST_P(KernelRidgeOn, RecoversSmoothTargets) {
  const Task task(400, 300, 0);

  const auto result = fit(task, {});

  const auto predicted = result.model.predict(device, task.x.view());
  const auto r2 = [&](std::int64_t k) {
    return value_metrics(column(task.y, task.parts.test, k), column(predicted, task.parts.test, k))
        .r2;
  };
  EXPECT_GT(r2(0), 0.999);  // one ridge serves both
  EXPECT_GT(r2(1), 0.99);   // noise of 3 beside 80
  EXPECT_EQ(result.trials.size(), 35U);
}

TEST_P(KernelRidgeOn, UnitsOfInputsAndTargetsDoNotMatter) {
  const Task task(60, 50, 0);
  Task scaled = task;
  for (std::int64_t i = 0; i < 60; ++i) {
    for (std::int64_t j = 0; j < 3; ++j) scaled.x.at(i, j) = 3 + 1000 * task.x.at(i, j);
    for (std::int64_t k = 0; k < 2; ++k) scaled.y.at(i, k) = 7 - 0.01 * task.y.at(i, k);
  }
  KernelRidgeOptions options;
  options.ridges = {1e-3, 1e-2};

  const auto a = fit(task, options), b = fit(scaled, options);

  EXPECT_NEAR(a.model.length_scale, b.model.length_scale, 1e-10);
  const auto pa = a.model.predict(device, task.x.view()),
             pb = b.model.predict(device, scaled.x.view());
  for (std::size_t i = 0; i < pa.values.size(); ++i)
    EXPECT_NEAR(7 - 0.01 * pa.values[i], pb.values[i], 1e-8);
}

TEST(KernelRidgeThreads, DoNotChangeABit) {
  const Task task(700, 600, 50);
  for (const std::int64_t centres : {0, 70}) {
    const auto on = [&](int threads) {
      Device device = test::cpu_with(threads);
      KernelRidgeOptions options;
      options.length_scales = {2};
      options.ridges = {1e-3};
      options.centres = centres;
      const auto result =
          fit_kernel_ridge(device, options, task.x.view(), task.y.view(), task.parts);
      return result.model.predict(device, task.x.view()).values;
    };
    EXPECT_EQ(on(1), on(2));
  }
}

// --- centres ------------------------------------------------------------------------------------

/// (K_mn K_nm + ridge K_mm)^-1 K_mn y, on the centres that the model drew.
TEST_P(KernelRidgeOn, OnCentresItIsTheSubsetOfRegressors) {
  const Task task(90, 70, 0);
  for (const KernelKind kernel : kKernels) {
    SCOPED_TRACE(static_cast<int>(kernel));
    KernelRidgeOptions options = one(kernel, 0.8, 0.05);
    options.centres = 12;
    options.standardise = false;

    const auto result = fit(task, options);

    const KernelRidge& m = result.model;
    ASSERT_EQ(m.rows.size(), 36U);
    const auto centres = Matrix(12, 3).fill([&](std::int64_t i, std::int64_t j) {
      return m.rows[static_cast<std::size_t>(3 * i + j)];
    });
    const Matrix nm = gram(kernel, 0.8, task.rows(task.x, task.parts.training), centres);
    const Matrix mm = gram(kernel, 0.8, centres, centres);
    const Matrix mn = test::oracle::apply(Op::transpose, nm);
    Matrix normal = test::oracle::product(mn, nm);
    for (std::size_t i = 0; i < normal.values.size(); ++i) normal.values[i] += 0.05 * mm.values[i];
    const auto y = Matrix(70, 2).fill([&](std::int64_t i, std::int64_t k) {
      return task.y.at(i, k) - m.targets.mean[static_cast<std::size_t>(k)];
    });
    const Matrix a = test::oracle::solve(normal, test::oracle::product(mn, y));
    const auto predicted = m.predict(device, task.x.view());
    for (std::int64_t i = 0; i < 70; ++i)
      for (std::int64_t k = 0; k < 2; ++k) {
        double expected = m.targets.mean[static_cast<std::size_t>(k)];
        for (std::int64_t c = 0; c < 12; ++c) expected += nm.at(i, c) * a.at(c, k);
        EXPECT_NEAR(predicted.at(i, k), expected, 1e-8);  // targets of 100, a condition of 1e4
      }
  }
}

TEST_P(KernelRidgeOn, OnAllRowsAsCentresItIsExact) {
  const Task task(60, 50, 0);
  for (const std::vector<double>& ridges : {std::vector<double>{1e-2}, {1e-2, 1e3}}) {
    KernelRidgeOptions options = one(KernelKind::matern32, 2.0, 1e-2);
    options.ridges = ridges;
    const auto exact = fit(task, options);
    options.centres = 50;

    const auto on_all = fit(task, options);

    EXPECT_EQ(on_all.model.ridge, exact.model.ridge);
    const auto a = exact.model.predict(device, task.x.view()),
               b = on_all.model.predict(device, task.x.view());
    for (std::size_t i = 0; i < a.values.size(); ++i) EXPECT_NEAR(a.values[i], b.values[i], 1e-7);
    for (std::size_t i = 0; i < exact.leave_one_out.values.size(); ++i)
      EXPECT_NEAR(exact.leave_one_out.values[i], on_all.leave_one_out.values[i], 1e-7);
  }
}

TEST_P(KernelRidgeOn, CentresThatAreTheSameRowDoNoHarm) {
  Task task(60, 50, 0);
  for (std::int64_t i = 25; i < 50; ++i)  // every training row twice
    for (std::int64_t j = 0; j < 3; ++j) task.x.at(i, j) = task.x.at(i - 25, j);
  KernelRidgeOptions options = one(KernelKind::gaussian, 2.0, 1e-2);
  const auto exact = fit(task, options);
  options.centres = 50;

  const auto on_all = fit(task, options);

  const auto a = exact.model.predict(device, task.x.view()),
             b = on_all.model.predict(device, task.x.view());
  // Eigenvalues of rounding errors are left out: the square root of 1e-15, times targets of 100.
  for (std::size_t i = 0; i < a.values.size(); ++i) EXPECT_NEAR(a.values[i], b.values[i], 1e-5);
}

TEST_P(KernelRidgeOn, TilesOfRowsDoNotMatter) {
  // More rows than a tile of the solver (2,048) has, and of predictions as well as of fitting.
  const Task task(2500, 2300, 200);
  KernelRidgeOptions options = one(KernelKind::gaussian, 2.0, 1e-3);
  options.centres = 40;

  const auto result = fit(task, options);

  EXPECT_TRUE(result.leave_one_out.values.empty());  // it was not chosen by
  options.centres = 0;
  options.ridges = {1e-3};
  const auto metrics =
      value_metrics(column(task.y, task.parts.validation),
                    column(result.model.predict(device, task.x.view()), task.parts.validation));
  EXPECT_GT(metrics.r2, 0.999);
  RowParts without = task.parts;
  without.validation.clear();
  options.centres = 40;
  const auto left =
      fit_kernel_ridge(device, options, task.x.view(), task.y.view(), without).leave_one_out;
  ASSERT_EQ(left.rows, 2300);
  const auto fitted = result.model.predict(device, task.x.view());
  for (std::int64_t i = 0; i < 2300; ++i) {
    // Without one of 2,300 rows 40 functions hardly change, and they fit that row less well.
    EXPECT_NEAR(left.at(i, 0), fitted.at(i, 0), 0.02);
    EXPECT_GE(std::abs(left.at(i, 0) - task.y.at(i, 0)),
              std::abs(fitted.at(i, 0) - task.y.at(i, 0)) - 1e-9);
  }
}

// --- what is refused ----------------------------------------------------------------------------

TEST_P(KernelRidgeOn, RefusesValuesPartsAndOptionsThatMakeNoSense) {
  const auto with = [&](auto change) {
    Task task(30, 20, 5);
    KernelRidgeOptions options = one(KernelKind::gaussian, 1, 0.1);
    change(options, task);
    return refusal(Errc::invalid_argument, [&] { fit(task, options); });
  };

  expect_in(with([](auto&, auto& t) { t.x.at(3, 2) = NAN; }),
            "row 3, column 2 of the descriptors is nan");
  expect_in(with([](auto&, auto& t) { t.y.at(22, 0) = NAN; }),
            "row 22, column 0 of the targets is nan");
  expect_in(with([](auto&, auto& t) { t.y.fill([](auto, auto) { return 4.0; }); }),
            "target 0 is 4 in each of the 20 training rows");
  expect_in(with([](auto&, auto& t) { t.y = HostMatrix<double>(31, 1); }), "31 rows have targets");
  expect_in(with([](auto&, auto& t) { t.y = HostMatrix<double>(30, 0); }), "no target");
  expect_in(with([](auto&, auto& t) { t.parts.training.clear(); }), "no training rows");
  expect_in(with([](auto& o, auto&) { o.ridges = {0.1, 0}; }), "a ridge is 0");
  expect_in(with([](auto& o, auto&) { o.ridges.clear(); }), "no ridge to try");
  expect_in(with([](auto& o, auto&) { o.length_scales = {-1}; }), "a length scale is -1");
  expect_in(with([](auto& o, auto&) { o.centres = 21; }), "21 centres");
  expect_in(with([](auto& o, auto&) { o.centres = -1; }), "-1 centres");
  expect_in(with([](auto& o, auto& t) {
              o.length_scales.clear();
              t.x.fill([](auto, auto) { return 1.0; });
            }),
            "all training rows are the same");
  const auto model = fit(Task(30, 20, 5), one(KernelKind::gaussian, 1, 0.1)).model;
  const HostMatrix<double> narrow = test::random_matrix<double>(1, 4, 2);
  expect_in(refusal(Errc::invalid_argument, [&] { model.predict(device, narrow.view()); }),
            "the rows have 2 values, the model takes 3");
}

TEST(KernelRidgeMemory, NamesTheBytesThatItTakes) {
  const Task task(400, 400, 0);
  Device small = test::cpu_with(1, 1 << 20);

  const auto message = refusal(Errc::out_of_memory, [&] {
    fit_kernel_ridge(small, {}, task.x.view(), task.y.view(), task.parts);
  });

  // 8 (400 x 3 + 3 x 400^2): rows, kernel matrix, room of the eigensolver.
  EXPECT_EQ(message,
            "kernel ridge regression of 400 rows on 400 centres takes 3849600 bytes, and the "
            "device's limit is 1048576; on 40 centres it takes 316800");
  KernelRidgeOptions fewer;
  fewer.centres = 40;
  EXPECT_NO_THROW(fit_kernel_ridge(small, fewer, task.x.view(), task.y.view(), task.parts));
}

}  // namespace
}  // namespace kronite::learn
