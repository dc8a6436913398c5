// Principal components: the definition on small data, numbers of NumPy, and signs that stay.
#include "math/pca.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kronite/error.hpp"
#include "support/on_each_device.hpp"
#include "support/random.hpp"

namespace kronite::math {
namespace {

class PrincipalComponents : public test::OnEachDevice {};

/// Rows out of memory.
Rows rows_of(const std::vector<double>& values, std::int64_t rows, std::int64_t cols) {
  return {rows, cols, [&values, cols](std::int64_t first, MatrixView<double> out) {
            for (std::int64_t i = 0; i < out.rows; ++i)
              for (std::int64_t j = 0; j < cols; ++j)
                out.row(i)[j] = values[static_cast<std::size_t>((first + i) * cols + j)];
          }};
}

/// Columns of different lengths that hang together, far from zero.
std::vector<double> sample(std::int64_t rows, std::int64_t cols) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < rows; ++i) {
    const double common = test::random_value(7, static_cast<std::uint64_t>(i));
    for (std::int64_t j = 0; j < cols; ++j) {
      const double own = test::random_value(8, static_cast<std::uint64_t>(i * cols + j));
      values.push_back(100 + static_cast<double>(j + 1) * (own + 2 * common));
    }
  }
  return values;
}

TEST_P(PrincipalComponents, AxesAreEigenvectorsOfTheCovariance) {
  constexpr std::int64_t kRows = 5000, kCols = 7;  // more than two tiles
  const auto values = sample(kRows, kCols);
  const Pca pca = fit_pca(device, rows_of(values, kRows, kCols), {kCols, false});

  // The definition, in plain loops.
  std::vector<double> mean(kCols), covariance(kCols * kCols);
  for (std::int64_t i = 0; i < kRows; ++i)
    for (std::int64_t j = 0; j < kCols; ++j) mean[j] += values[i * kCols + j] / kRows;
  for (std::int64_t i = 0; i < kRows; ++i)
    for (std::int64_t j = 0; j < kCols; ++j)
      for (std::int64_t k = 0; k < kCols; ++k)
        covariance[j * kCols + k] +=
            (values[i * kCols + j] - mean[j]) * (values[i * kCols + k] - mean[k]) / (kRows - 1);
  double trace = 0;
  for (std::int64_t j = 0; j < kCols; ++j) {
    EXPECT_NEAR(pca.mean[j], mean[j], 1e-10);  // 5000 roundings of numbers near 100
    trace += covariance[j * kCols + j];
  }
  EXPECT_NEAR(pca.total_variance, trace, 1e-11 * trace);
  for (std::int64_t a = 0; a < kCols; ++a) {
    const double* axis = pca.axes.data() + a * kCols;
    if (a > 0) EXPECT_LE(pca.variance[a], pca.variance[a - 1]);
    for (std::int64_t b = 0; b <= a; ++b) {
      double product = 0;
      for (std::int64_t j = 0; j < kCols; ++j) product += axis[j] * pca.axes[b * kCols + j];
      EXPECT_NEAR(product, a == b ? 1 : 0, 1e-13);
    }
    for (std::int64_t j = 0; j < kCols; ++j) {
      double image = 0;
      for (std::int64_t k = 0; k < kCols; ++k) image += covariance[j * kCols + k] * axis[k];
      EXPECT_NEAR(image, pca.variance[a] * axis[j], 1e-10 * trace);
    }
    double largest = 0;
    for (std::int64_t j = 0; j < kCols; ++j)
      if (std::abs(axis[j]) > std::abs(largest)) largest = axis[j];
    EXPECT_GT(largest, 0);
  }
}

TEST_P(PrincipalComponents, AgreesWithNumPy) {
  // numpy.linalg.svd of the centred matrix, NumPy 2.4.6, signs as ours.
  const std::vector<double> values = {2.5, 2.4, 0.5, 0.7, 2.2, 2.9, 1.9, 2.2, 3.1, 3.0,
                                      2.3, 2.7, 2.0, 1.6, 1.0, 1.1, 1.5, 1.6, 1.1, 0.9};
  const Rows rows = rows_of(values, 10, 2);

  const Pca pca = fit_pca(device, rows);
  std::vector<double> scores(20);
  project(device, pca, rows, {scores.data(), 10, 2});

  EXPECT_NEAR(pca.variance[0], 1.2840277121727839, 1e-14);
  EXPECT_NEAR(pca.variance[1], 0.04908339893832733, 1e-14);
  EXPECT_NEAR(pca.axes[0], 0.6778733985280119, 1e-14);
  EXPECT_NEAR(pca.axes[1], 0.735178655544408, 1e-14);
  EXPECT_NEAR(pca.explained(0), 0.963181314348646, 1e-14);
  const double expected[] = {0.8279701862010882, 0.1751153070469155, -1.777580325280429,
                             -0.14285722654428032};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(scores[i], expected[i], 1e-14) << i;
}

TEST_P(PrincipalComponents, ScoresAreUncorrelatedAndHaveTheVariances) {
  constexpr std::int64_t kRows = 3000, kCols = 5;
  const auto values = sample(kRows, kCols);
  const Rows rows = rows_of(values, kRows, kCols);
  const Pca pca = fit_pca(device, rows, {3, true});
  std::vector<double> scores(kRows * 3);
  project(device, pca, rows, {scores.data(), kRows, 3});

  EXPECT_NEAR(pca.total_variance, kCols, 1e-12);  // standardised columns have variance one
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b <= a; ++b) {
      double product = 0;
      for (std::int64_t i = 0; i < kRows; ++i)
        product += scores[i * 3 + a] * scores[i * 3 + b] / (kRows - 1);
      EXPECT_NEAR(product, a == b ? pca.variance[a] : 0, 1e-11);
    }
}

TEST_P(PrincipalComponents, DoNotDependOnTheOrderOfRows) {
  constexpr std::int64_t kRows = 2500, kCols = 4;
  const auto values = sample(kRows, kCols);
  std::vector<double> reversed;
  for (std::int64_t i = kRows; i-- > 0;)
    reversed.insert(reversed.end(), values.begin() + i * kCols, values.begin() + (i + 1) * kCols);

  const Pca a = fit_pca(device, rows_of(values, kRows, kCols));
  const Pca b = fit_pca(device, rows_of(reversed, kRows, kCols));

  for (std::size_t j = 0; j < a.axes.size(); ++j) EXPECT_NEAR(a.axes[j], b.axes[j], 1e-10);
}

TEST_P(PrincipalComponents, ConstantColumnsCountAsZero) {
  // 0.1 is no binary number: its mean has a rounding error that must not be scaled up to one.
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) {
    values.push_back(0.1);
    values.push_back(test::random_value(3, static_cast<std::uint64_t>(i)));
  }
  const Rows rows = rows_of(values, 100, 2);

  const Pca pca = fit_pca(device, rows, {2, true});

  EXPECT_EQ(pca.factor[0], 0);
  EXPECT_NEAR(pca.variance[0], 1, 1e-13);
  EXPECT_NEAR(pca.variance[1], 0, 1e-13);
  EXPECT_NEAR(pca.explained(0), 1, 1e-13);
  EXPECT_NEAR(pca.axes[1], 1, 1e-13);
}

TEST_P(PrincipalComponents, EqualRowsHaveNoVariance) {
  const std::vector<double> values = {1, 2, 1, 2, 1, 2};

  const Pca pca = fit_pca(device, rows_of(values, 3, 2));

  EXPECT_EQ(pca.total_variance, 0);
  EXPECT_EQ(pca.explained(0), 0);
}

TEST_P(PrincipalComponents, RefusesWhatHasNoComponents) {
  const std::vector<double> values = {1, 2, 3, 4, 5, std::nan("")};
  EXPECT_THROW(fit_pca(device, rows_of(values, 1, 3)), Error);
  EXPECT_THROW(fit_pca(device, rows_of(values, 0, 3)), Error);
  EXPECT_THROW(fit_pca(device, rows_of(values, 3, 2), {3, false}), Error);
  EXPECT_THROW(fit_pca(device, rows_of(values, 3, 2), {0, false}), Error);
  EXPECT_THROW(fit_pca(device, rows_of(values, 3, 2)), Error);  // NaN
}

KRONITE_ON_EACH_DEVICE(PrincipalComponents);

}  // namespace
}  // namespace kronite::math
