// Left-out predictions against models that are fitted again.
#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "krfd/cross_validation.hpp"  // for FoldTrials
#include "krfd/left_out.hpp"          // for left_out_by_spectra, left_out_by_factors
#include "krfd/problem.hpp"
#include "kronite/error.hpp"
#include "support/on_each_device.hpp"

namespace kronite::krfd::test {
namespace {

class KrfdCrossValidation : public kronite::test::OnEachDevice {
 protected:
  std::vector<double> validate(const Problem& p, const std::vector<std::int32_t>& fold) {
    return cross_validate(device, p.x.view(), p.t.view(), p.y.view(), p.hyper, fold);
  }

  /// Each fold predicted by a model of the others.
  std::vector<double> refitted(const Problem& p, const std::vector<std::int32_t>& fold) {
    std::vector<double> values(p.y.values.size());
    for (const std::int32_t left_out : fold) {
      std::vector<std::int64_t> kept, out;
      for (std::int64_t i = 0; i < p.n(); ++i)
        (fold[static_cast<std::size_t>(i)] == left_out ? out : kept).push_back(i);
      const auto rows = [](const HostMatrix<double>& m, const std::vector<std::int64_t>& which) {
        return HostMatrix<double>(static_cast<std::int64_t>(which.size()), m.cols)
            .fill([&](std::int64_t i, std::int64_t j) {
              return m.at(which[static_cast<std::size_t>(i)], j);
            });
      };
      Problem rest = p;
      rest.x = rows(p.x, kept);
      rest.y = rows(p.y, kept);
      const auto mean = fit(device, rest).mean(device, rows(p.x, out).view(), p.t.view());
      for (std::size_t k = 0; k < out.size(); ++k)
        for (std::int64_t j = 0; j < p.points(); ++j)
          values[static_cast<std::size_t>(out[k] * p.points() + j)] =
              mean[k * static_cast<std::size_t>(p.points()) + static_cast<std::size_t>(j)];
    }
    return values;
  }
};
KRONITE_ON_EACH_DEVICE(KrfdCrossValidation);

std::vector<Problem> problems() {
  std::vector<Problem> all{random_problem(9, 5), random_problem(9, 5),       random_problem(9, 1),
                           random_problem(9, 5), random_problem(9, 4, 1, 2), random_problem(9, 5),
                           random_problem(9, 5)};
  all[1].hyper.m = all[1].hyper.g;
  for (std::int64_t j = 0; j < 2; ++j) all[3].x.at(7, j) = all[3].x.at(2, j);  // equal systems
  all[4].hyper.g.kind = all[4].hyper.m.kind = KernelKind::laplacian;
  all[5].hyper.lambda_g = 1e-6;  // of very different sizes
  all[5].hyper.lambda_t = 50;
  all[5].hyper.lambda_m = 1e-5;
  all[6].hyper.lambda_t = 1e-7;  // Q^-1 as a sum
  all[6].hyper.lambda_m = 1;
  return all;
}

std::vector<std::int32_t> folds_of(std::int64_t n, int count) {
  std::vector<std::int32_t> fold;
  for (std::int64_t i = 0; i < n; ++i) fold.push_back(static_cast<std::int32_t>(i % count));
  return fold;
}

/// P_11, P_21, P_22 and H.
std::vector<Dense> inverses(const LeftOut& left_out) {
  const auto dense = [](const Matrix& m) {
    const auto values = m.to_host();
    return Dense(m.view().rows, m.view().cols).fill([&](std::int64_t i, std::int64_t j) {
      return values[static_cast<std::size_t>(i * m.view().cols + j)];
    });
  };
  const auto square = [](const Dense& a, const Dense& b) {
    return oracle::product(a, transposed(b));
  };
  const Dense chi = dense(left_out.chi), psi = dense(left_out.psi), h = dense(left_out.h),
              rest = dense(left_out.rest);
  return {square(chi, chi), square(psi, chi),
          sum(square(psi, psi), left_out.rest_is_root ? square(rest, rest) : rest), square(h, h)};
}

TEST_P(KrfdCrossValidation, FoldsAreThoseOfRefitting) {
  const std::vector<std::int32_t> fold{4, -1, 7, 7, 4, 4, -1, 7, 4};
  int number = 0;
  for (const Problem& p : problems()) {
    SCOPED_TRACE("problem " + std::to_string(number++));
    // The equations of the sixth problem have a condition number of about 1e6.
    EXPECT_LT(largest_difference(validate(p, fold), refitted(p, fold)), 1e-8);
  }
}

TEST_P(KrfdCrossValidation, LeavingOneOutIsRefittingWithoutIt) {
  std::vector<std::int32_t> fold(9);
  std::iota(fold.begin(), fold.end(), 10);
  int number = 0;
  for (const Problem& p : problems()) {
    SCOPED_TRACE("problem " + std::to_string(number++));
    const auto one_out = leave_one_out(device, p.x.view(), p.t.view(), p.y.view(), p.hyper);
    EXPECT_LT(largest_difference(one_out, refitted(p, fold)), 1e-8);
    EXPECT_EQ(one_out, validate(p, fold));
  }
}

TEST_P(KrfdCrossValidation, FoldsOfManySystemsAreThoseOfRefitting) {
  Problem p = random_problem(160, 4);  // more than one strip of the triangles
  p.hyper.lambda_t = 0.01;
  for (const double lambda_m : {0.1, 1e3}) {
    p.hyper.lambda_m = lambda_m;
    const std::vector<std::int32_t> fold = folds_of(160, 3);
    EXPECT_LT(largest_difference(validate(p, fold), refitted(p, fold)), 1e-9);
  }
}

TEST_P(KrfdCrossValidation, FactorsAndEigenvaluesGiveOneInverse) {
  std::vector<Problem> all = problems();
  all.push_back(random_problem(140, 3));
  for (const Problem& p : all) {
    SCOPED_TRACE(std::to_string(p.n()) +
                 " systems, lambda_t = " + std::to_string(p.hyper.lambda_t));
    const Data data = prepare(p.x.view(), p.t.view(), p.y.view(), EqualRows::keep);
    Spectra of_one(data), of_other(data);
    const LeftOut a = left_out_by_factors(device, of_one, p.hyper),
                  b = left_out_by_spectra(device, of_other, p.hyper);
    const auto of_a = inverses(a), of_b = inverses(b);
    for (std::size_t k = 0; k < of_a.size(); ++k) {
      double scale = 0;
      for (const double value : of_b[k].values) scale = std::max(scale, std::abs(value));
      // Conditions are below 1e6 (see above).
      EXPECT_LT(largest_difference(of_a[k].values, of_b[k].values), 1e-9 * scale) << k;
    }
    EXPECT_LT(largest_difference(a.smoothed.to_host(), b.smoothed.to_host()), 1e-8);
    EXPECT_LT(largest_difference(a.chi_with_all, b.chi_with_all), 1e-8);
    EXPECT_LT(largest_difference(a.psi_with_all, b.psi_with_all), 1e-8);
  }
}

TEST_P(KrfdCrossValidation, ManyTrialsOfTheSameKernelsTakeEigenvalues) {
  Problem p = random_problem(9, 5);
  p.hyper.m = p.hyper.g;
  const std::vector<std::int32_t> fold = folds_of(9, 3);
  FoldTrials trials(p.x.view(), p.t.view(), p.y.view(), fold, Spectra::Distances::keep);
  for (int k = 0; k < 12; ++k) {
    p.hyper.lambda_g = 0.1 * (k + 1);
    p.hyper.lambda_t = 0.1 + 0.05 * (k % 3);
    EXPECT_LT(largest_difference(trials.predictions(device, p.hyper), refitted(p, fold)), 1e-9)
        << k;
  }
}

TEST_P(KrfdCrossValidation, EigenvaluesStandInWhereAFactorFails) {
  Problem p = random_problem(12, 5);
  p.hyper.g.length_scales = {50.0};  // a Gram matrix of ones but for rounding
  p.hyper.lambda_g = 1e-17;
  const Data data = prepare(p.x.view(), p.t.view(), p.y.view(), EqualRows::keep);
  Spectra spectra(data);
  EXPECT_THROW(left_out_by_factors(device, spectra, p.hyper), Error);

  const std::vector<std::int32_t> fold = folds_of(12, 3);
  FoldTrials trials(p.x.view(), p.t.view(), p.y.view(), fold, Spectra::Distances::keep);
  std::vector<double> first;
  try {
    first = trials.predictions(device, p.hyper);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::numerical);  // not even eigenvalues are enough
    return;
  }
  for (const double value : first) EXPECT_TRUE(std::isfinite(value));
  EXPECT_EQ(first, trials.predictions(device, p.hyper));
}

TEST_P(KrfdCrossValidation, TwoSystemsPredictEachOther) {
  const Problem p = random_problem(2, 3);
  EXPECT_LT(largest_difference(validate(p, {0, 1}), refitted(p, {0, 1})), 1e-11);
}

TEST_P(KrfdCrossValidation, ImpossibleFoldsAreRefused) {
  const Problem p = random_problem(4, 3);
  EXPECT_THROW(validate(p, {0, 1, 0}), Error);
  EXPECT_THROW(validate(p, {3, 3, 3, 3}), Error);
  EXPECT_THROW(random_folds(4, 5, 0), Error);
  EXPECT_THROW(random_folds(4, 1, 0), Error);
}

TEST(KrfdFolds, RandomOnesHaveNearlyOneSize) {
  std::map<std::int32_t, int> sizes;
  for (const std::int32_t f : random_folds(23, 5, 3)) ++sizes[f];
  EXPECT_EQ(sizes.size(), 5U);
  for (const auto& [fold, size] : sizes) EXPECT_TRUE(size == 4 || size == 5) << fold;
  EXPECT_NE(random_folds(23, 5, 3), random_folds(23, 5, 4));
}

TEST(KrfdErrors, FollowTheirDefinitions) {
  const std::vector<double> predicted{1, 2, 3, 6}, observed{1, 3, 2, 8}, equal{2, 2, 2, 2};
  const auto view = [](const std::vector<double>& v) {
    return MatrixView<const double>(v.data(), 2, 2);
  };
  const Errors e = errors(view(predicted), view(observed));
  EXPECT_DOUBLE_EQ(e.mae, 1.0);
  EXPECT_DOUBLE_EQ(e.rmse, std::sqrt(6.0 / 4));
  EXPECT_DOUBLE_EQ(e.r2, 1 - 6.0 / 29);  // the observed values have a mean of 3.5
  EXPECT_NEAR(e.correlation2, 19.0 * 19 / 29 / 14, 1e-15);
  EXPECT_TRUE(std::isnan(errors(view(predicted), view(equal)).r2));
  EXPECT_TRUE(std::isnan(errors(view(equal), view(observed)).correlation2));
  EXPECT_THROW(errors(view(predicted), {observed.data(), 1, 4}), Error);
  EXPECT_THROW(errors({}, {}), Error);
}

}  // namespace
}  // namespace kronite::krfd::test
