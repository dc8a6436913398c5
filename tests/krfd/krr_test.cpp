// Kernel ridge regression at each point: against dense solves, its scores against refitting, and on
// the tutorial's data.
#include <gtest/gtest.h>

#include <cmath>

#include "krfd/tutorial.hpp"
#include "kronite/error.hpp"
#include "kronite/functional_baselines.hpp"
#include "support/near.hpp"
#include "support/on_each_device.hpp"

namespace kronite::krfd {
namespace {

using namespace kronite::test;

class Krr : public OnEachDevice {};
KRONITE_ON_EACH_DEVICE(Krr);

Matrix gram(const Matrix& a, const Matrix& b, KernelKind kind, double sigma) {
  return Matrix(a.rows, b.rows).fill([&](std::int64_t i, std::int64_t j) {
    return oracle::kernel(kind, sigma, a, i, b, j);
  });
}

Matrix solution(const Matrix& x, const Matrix& y, KernelKind kind, double sigma, double lambda) {
  Matrix g = gram(x, x, kind, sigma);
  for (std::int64_t i = 0; i < g.rows; ++i) g.at(i, i) += lambda;
  return oracle::solve(g, oracle::to_double(y));
}

/// The rows of m that are (or, `inside` false, are not) of a fold.
Matrix rows_of(const Matrix& m, const std::vector<std::int64_t>& fold, std::int64_t f,
               bool inside) {
  Matrix some(0, m.cols);
  for (std::int64_t i = 0; i < m.rows; ++i)
    if ((fold[static_cast<std::size_t>(i)] == f) == inside) {
      for (std::int64_t j = 0; j < m.cols; ++j) some.values.push_back(m.at(i, j));
      ++some.rows;
    }
  return some;
}

/// Mean error of each point when each fold is predicted by a fit without it.
std::vector<double> refitted(const Matrix& x, const Matrix& y, KernelKind kind, double sigma,
                             double lambda, const std::vector<std::int64_t>& fold,
                             std::int64_t folds, KrrScore score) {
  std::vector<double> sums(static_cast<std::size_t>(y.cols), 0);
  for (std::int64_t f = 0; f < folds; ++f) {
    const Matrix rest = rows_of(x, fold, f, false), held = rows_of(x, fold, f, true);
    const Matrix wanted = rows_of(y, fold, f, true);
    const Matrix got =
        oracle::product(gram(held, rest, kind, sigma),
                        solution(rest, rows_of(y, fold, f, false), kind, sigma, lambda));
    for (std::int64_t i = 0; i < wanted.rows; ++i)
      for (std::int64_t j = 0; j < y.cols; ++j) {
        const double e = wanted.at(i, j) - got.at(i, j);
        sums[static_cast<std::size_t>(j)] +=
            (score == KrrScore::absolute_error ? std::abs(e) : e * e) / static_cast<double>(y.rows);
      }
  }
  return sums;
}

TEST_P(Krr, SolvesTheNormalEquationsAndPredicts) {
  for (const KernelKind kind : {KernelKind::gaussian, KernelKind::laplacian}) {
    const Matrix x = random_matrix<double>(1, 12, 3, 2), y = random_matrix<double>(2, 12, 4, 1);
    const Matrix x_new = random_matrix<double>(3, 5, 3);

    const KrrModel model = fit_krr(device, x.view(), y.view(), {kind, 0.8, 0.01});

    const Matrix theta = solution(x, y, kind, 0.8, 0.01);
    EXPECT_TRUE(near(column(model.theta), column(theta.values), {1e-10, 1e-10}));
    const Matrix expected = oracle::product(gram(x_new, x, kind, 0.8), theta);
    EXPECT_TRUE(
        near(column(model.predict(device, x_new.view())), column(expected.values), {1e-10, 0}));
    EXPECT_TRUE(model.predict(device, Matrix(0, 3).view()).empty());
  }
}

TEST_P(Krr, ScoresAreThoseOfRefitting) {
  const Matrix x = random_matrix<double>(1, 13, 2), y = random_matrix<double>(2, 13, 5);
  std::vector<std::int64_t> each(13), three(13);
  for (std::size_t i = 0; i < 13; ++i) {
    each[i] = static_cast<std::int64_t>(i);
    three[i] = static_cast<std::int64_t>((i * 5) % 3);
  }
  for (const KrrScore score : {KrrScore::absolute_error, KrrScore::squared_error})
    for (const bool one_out : {true, false}) {
      KrrSearch search;
      search.sigmas = {0.7};
      search.lambdas = {0.03};
      search.score = score;
      if (!one_out) search.fold = three;

      const KrrTuned tuned = tune_krr(device, x.view(), y.view(), search);

      const auto expected = refitted(x, y, KernelKind::gaussian, 0.7, 0.03, one_out ? each : three,
                                     one_out ? 13 : 3, score);
      EXPECT_TRUE(near(column(tuned.score), column(expected), {1e-11, 0}));
      double mean = 0;
      for (const double value : expected) mean += value / 5;
      EXPECT_NEAR(tuned.mean_score, mean, 1e-11);
      // Whatever the folds, the model is of all rows.
      EXPECT_TRUE(near(column(tuned.model.theta),
                       column(solution(x, y, KernelKind::gaussian, 0.7, 0.03).values), {1e-10, 0}));
    }
}

TEST_P(Krr, EveryPointGetsItsBestPairAndAllTogetherTheBestOfAll) {
  const Matrix x = random_matrix<double>(4, 10, 2);
  // Points of different smoothness and noise.
  Matrix y(10, 6);
  y.fill([&](std::int64_t i, std::int64_t j) {
    return std::sin(static_cast<double>(1 + 2 * j) * x.at(i, 0)) +
           0.1 * static_cast<double>(j) * random_value(5, static_cast<std::uint64_t>(6 * i + j));
  });
  KrrSearch search;
  search.sigmas = {0.3, 1, 3};
  search.lambdas = {1e-4, 1e-2, 1};
  std::vector<std::int64_t> each{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

  const KrrTuned per_point = tune_krr(device, x.view(), y.view(), search);
  search.per_point = false;
  const KrrTuned shared = tune_krr(device, x.view(), y.view(), search);

  std::vector<double> best(6, INFINITY), sigma(6), lambda(6), best_shared;
  double mean_shared = INFINITY, sigma_shared = 0, lambda_shared = 0;
  for (const double s : search.sigmas)
    for (const double l : search.lambdas) {
      const auto scores =
          refitted(x, y, KernelKind::gaussian, s, l, each, 10, KrrScore::absolute_error);
      double mean = 0;
      for (std::size_t j = 0; j < 6; ++j) {
        mean += scores[j] / 6;
        if (scores[j] < best[j]) {
          best[j] = scores[j];
          sigma[j] = s;
          lambda[j] = l;
        }
      }
      if (mean < mean_shared) {
        mean_shared = mean;
        best_shared = scores;
        sigma_shared = s;
        lambda_shared = l;
      }
    }
  EXPECT_EQ(per_point.model.sigma, sigma);
  EXPECT_EQ(per_point.model.lambda, lambda);
  EXPECT_TRUE(near(column(per_point.score), column(best), {1e-9, 0}));
  EXPECT_GT(*std::max_element(sigma.begin(), sigma.end()),
            *std::min_element(sigma.begin(), sigma.end()));  // else this shows little
  EXPECT_EQ(shared.model.sigma, std::vector<double>(6, sigma_shared));
  EXPECT_EQ(shared.model.lambda, std::vector<double>(6, lambda_shared));
  EXPECT_TRUE(near(column(shared.score), column(best_shared), {1e-9, 0}));
  EXPECT_LE(per_point.mean_score, shared.mean_score);

  const Matrix x_new = random_matrix<double>(6, 4, 2);
  const auto predicted = per_point.model.predict(device, x_new.view());
  for (std::int64_t j = 0; j < 6; ++j) {
    const auto at = static_cast<std::size_t>(j);
    const KrrModel alone =
        fit_krr(device, x.view(), y.view(), {KernelKind::gaussian, sigma[at], lambda[at]});
    const auto expected = alone.predict(device, x_new.view());
    for (std::size_t i = 0; i < 4; ++i)
      EXPECT_NEAR(predicted[i * 6 + at], expected[i * 6 + at], 1e-8);
  }
}

TEST_P(Krr, HasTheNumbersOfTheTutorial) {
  KRONITE_NEEDS_DATA(tutorial("dense_Y_train.npy"));
  const Matrix x = npy_matrix("dense_X_train.npy"), y = npy_matrix("dense_Y_train.npy");
  const Matrix x_test = npy_matrix("dense_X_test.npy"), y_test = npy_matrix("dense_Y_test.npy");

  const KrrModel shared = fit_krr(device, x.view(), y.view(), {KernelKind::gaussian, 2, 1e-3});
  // What any point chose of the grid sigma = 10^(k / 10), k from 0 to 9, lambda = 10^(k / 4 - 6), k
  // from 0 to 24.
  KrrSearch search;
  for (const int k : {2, 3, 4, 5, 6, 7, 9}) search.sigmas.push_back(std::pow(10, k / 10.0));
  for (int k = 0; k <= 14; ++k) search.lambdas.push_back(std::pow(10, k / 4.0 - 6));
  search.fold = npy_integers("dense_fold_of_train_row.npy");
  const KrrTuned tuned = tune_krr(device, x.view(), y.view(), search);

  const Measures one = measure(shared.predict(device, x_test.view()), y_test.values);
  EXPECT_NEAR(one.mae, 0.2601055741, 1e-8);
  EXPECT_NEAR(one.rmse, 0.3548154062, 1e-8);
  EXPECT_NEAR(one.squared_correlation, 0.9872105127, 1e-8);
  const Measures each = measure(tuned.model.predict(device, x_test.view()), y_test.values);
  EXPECT_NEAR(each.mae, 0.2375604690, 1e-7);
  EXPECT_NEAR(each.rmse, 0.3302965726, 1e-7);
  EXPECT_NEAR(each.squared_correlation, 0.9889079553, 1e-7);
  EXPECT_NEAR(tuned.mean_score, 0.2636666394, 1e-8);
}

TEST_P(Krr, OneRowOnePointAndConstantsAreFine) {
  const Matrix x = Matrix(1, 1).fill([](auto, auto) { return 2.0; }),
               y = Matrix(1, 1).fill([](auto, auto) { return 3.0; });
  const KrrModel model = fit_krr(device, x.view(), y.view(), {KernelKind::gaussian, 1, 0.5});
  EXPECT_NEAR(model.predict(device, x.view())[0], 2, 1e-15);  // 3 / 1.5

  const Matrix same = Matrix(5, 2).fill([](auto, auto) { return 1.0; });
  KrrSearch search;
  search.sigmas = {1};
  search.lambdas = {0.5};
  const KrrTuned tuned = tune_krr(device, same.view(), same.view(), search);
  // Five equal rows: each of the other four says 4 / 4.5.
  EXPECT_NEAR(tuned.mean_score, 1 - 4 / 4.5, 1e-13);
}

TEST_P(Krr, RefusesWhatMakesNoSense) {
  const Matrix x = random_matrix<double>(1, 4, 2), y = random_matrix<double>(2, 4, 3);
  const auto message = [&](auto call) {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::invalid_argument);
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  const auto tuning = [&](const Matrix& a, const Matrix& b, const KrrSearch& search) {
    return message([&] { tune_krr(device, a.view(), b.view(), search); });
  };
  EXPECT_EQ(message([&] {
              fit_krr(device, x.view(), y.view(), {KernelKind::gaussian, 0, 1});
            }),
            "sigma is 0, and must be a finite number > 0");
  EXPECT_EQ(message([&] {
              fit_krr(device, x.view(), y.view(), {KernelKind::gaussian, 1, -1});
            }),
            "lambda is -1, and must be a finite number > 0");
  EXPECT_EQ(message([&] { fit_krr(device, x.view(), random_matrix<double>(2, 3, 3).view()); }),
            "y has 3 rows for 4 rows of x");
  EXPECT_EQ(message([&] { fit_krr(device, Matrix(0, 2).view(), Matrix(0, 3).view()); }),
            "x has no rows: there is nothing to learn from");
  Matrix hole = y;
  hole.at(1, 2) = std::nan("");
  EXPECT_EQ(message([&] { fit_krr(device, x.view(), hole.view()); }),
            "y is nan in row 1, column 2, and must be a finite number");
  const KrrModel model = fit_krr(device, x.view(), y.view());
  EXPECT_EQ(message([&] { model.predict(device, y.view()); }),
            "x has 3 columns, and had 2 when the model was trained");

  KrrSearch search;
  EXPECT_EQ(tuning(x, y, search), "a search takes one sigma and one lambda at least");
  search.sigmas = {1, 0};
  search.lambdas = {1};
  EXPECT_EQ(tuning(x, y, search), "sigma is 0, and must be a finite number > 0");
  search.sigmas = {1};
  search.fold = {0, 1, 0};
  EXPECT_EQ(tuning(x, y, search), "there are 3 numbers of folds for 4 rows");
  search.fold = {0, 0, 0, 0};
  EXPECT_EQ(tuning(x, y, search), "all rows are of one fold");
  search.fold = {0, 1, -1, 0};
  EXPECT_EQ(tuning(x, y, search), "row 2 is of fold -1");
  search.fold = {};
  EXPECT_EQ(tuning(Matrix(1, 1).fill([](auto, auto) { return 1.0; }),
                   Matrix(1, 1).fill([](auto, auto) { return 1.0; }), search),
            "leaving one out takes two rows at least");
}

}  // namespace
}  // namespace kronite::krfd
