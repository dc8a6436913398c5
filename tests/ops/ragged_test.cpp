// Least squares on curves of different lengths: each device against plain loops.
#include <gtest/gtest.h>

#include <cmath>

#include "cases/ragged_cases.hpp"
#include "device/backend.hpp"  // for RaggedOps
#include "support/near.hpp"
#include "support/on_each_device.hpp"

namespace kronite::test {
namespace {

using Matrix = HostMatrix<double>;

class Ragged : public OnEachDevice {
 protected:
  RaggedOps& ops() { return device.backend().ragged(); }
};
KRONITE_ON_EACH_DEVICE(Ragged);

/// Sums of up to a few thousand products of values below 1, in another order.
constexpr Tolerance kSums{1e-12, 1e-13};
constexpr Tolerance kRounded{0, 4 * kEpsilon<double>};  // one operation or two

/// A case on a device.
struct Curves {
  Curves(Device& device, const RaggedCase& c)
      : first(device, c.first(), c.curves() + 1, 1), curve(device, c.curve(), c.rows(), 1) {}
  RaggedRows rows() const { return {first.vector(), curve.vector()}; }

  Array<std::int64_t> first, curve;
};

Array<double> vector_on(Device& device, const std::vector<double>& values) {
  return {device, values, static_cast<std::int64_t>(values.size()), 1};
}

std::vector<double> random_vector(std::uint64_t seed, std::int64_t size, double from = 0) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < size; ++i)
    values.push_back(from + random_value(seed, static_cast<std::uint64_t>(i)));
  return values;
}

TEST_P(Ragged, ProductIsOneDotProductPerRowAndSystem) {
  for (const RaggedCase& c : ragged_cases()) {
    SCOPED_TRACE(c.name);
    const Curves curves(device, c);
    const auto basis = random_matrix<double>(1, c.rows(), c.basis, c.pad);
    const auto z = random_matrix<double>(2, c.curves(), c.systems * c.basis, c.pad);
    DeviceMatrix<double> b(device, basis), x(device, z);
    DeviceMatrix<double> out(device, Matrix(c.rows(), c.systems, c.pad));

    ops().ragged_product(curves.rows(), b.view(), x.view(), out.view());

    const auto of = c.curve();
    Matrix expected(c.rows(), c.systems);
    expected.fill([&](std::int64_t n, std::int64_t s) {
      double sum = 0;
      for (std::int64_t k = 0; k < c.basis; ++k)
        sum += basis.at(n, k) * z.at(of[static_cast<std::size_t>(n)], s * c.basis + k);
      return sum;
    });
    EXPECT_TRUE(near(out.to_host(), expected, kSums));
  }
}

TEST_P(Ragged, TransposeProductAddsUpTheRowsOfEachCurve) {
  for (const RaggedCase& c : ragged_cases()) {
    SCOPED_TRACE(c.name);
    const Curves curves(device, c);
    const auto basis = random_matrix<double>(1, c.rows(), c.basis, c.pad);
    const auto r = random_matrix<double>(3, c.rows(), c.systems, c.pad);
    DeviceMatrix<double> b(device, basis), x(device, r);
    DeviceMatrix<double> out(device, Matrix(c.curves(), c.systems * c.basis, c.pad));

    ops().ragged_transpose_product(curves.rows(), b.view(), x.view(), out.view());

    const auto of = c.curve();
    Matrix expected(c.curves(), c.systems * c.basis);
    expected.fill([](std::int64_t, std::int64_t) { return 0.0; });
    for (std::int64_t n = 0; n < c.rows(); ++n)
      for (std::int64_t s = 0; s < c.systems; ++s)
        for (std::int64_t k = 0; k < c.basis; ++k)
          expected.at(of[static_cast<std::size_t>(n)], s * c.basis + k) +=
              basis.at(n, k) * r.at(n, s);
    EXPECT_TRUE(near(out.to_host(), expected, kSums));
  }
}

TEST_P(Ragged, BlockDotsAreSumsOverBlocks) {
  for (const RaggedCase& c : ragged_cases()) {
    SCOPED_TRACE(c.name);
    const auto a = random_matrix<double>(4, c.rows(), c.systems * c.basis, c.pad);
    const auto b = random_matrix<double>(5, c.rows(), c.systems * c.basis, 2 * c.pad);
    DeviceMatrix<double> x(device, a), y(device, b);
    DeviceMatrix<double> sums(device, Matrix(1, c.systems));

    ops().block_dots(x.view(), y.view(), sums.vector());

    Matrix expected(1, c.systems);
    expected.fill([&](std::int64_t, std::int64_t s) {
      double sum = 0;
      for (std::int64_t i = 0; i < c.rows(); ++i)
        for (std::int64_t j = s * c.basis; j < (s + 1) * c.basis; ++j)
          sum += a.at(i, j) * b.at(i, j);
      return sum;
    });
    // Up to 4,000 x 30 products.
    EXPECT_TRUE(near(sums.to_host(), expected, {1e-10, 1e-12}));
  }
}

TEST_P(Ragged, BlocksAreCombinedWithFactorsOfTheirOwn) {
  for (const RaggedCase& c : ragged_cases()) {
    SCOPED_TRACE(c.name);
    const auto x = random_matrix<double>(6, c.curves(), c.systems * c.basis, c.pad);
    auto y = random_matrix<double>(7, c.curves(), c.systems * c.basis, c.pad);
    const auto alpha = random_vector(8, c.systems);
    auto beta = random_vector(9, c.systems);
    if (c.systems > 1 && c.curves() > 0) {  // what is not read may be anything
      beta[1] = 0;
      y.at(0, c.basis) = std::nan("");
    }
    const auto a = vector_on(device, alpha), b = vector_on(device, beta);
    DeviceMatrix<double> from(device, x), to(device, y);

    ops().combine_blocks(a.vector(), from.view(), b.vector(), to.view());

    Matrix expected(c.curves(), c.systems * c.basis);
    expected.fill([&](std::int64_t i, std::int64_t j) {
      const auto s = static_cast<std::size_t>(j / c.basis);
      return alpha[s] * x.at(i, j) + (beta[s] == 0 ? 0 : beta[s] * y.at(i, j));
    });
    // Two products that may cancel.
    EXPECT_TRUE(near(to.to_host(), expected, {4 * kEpsilon<double>, kRounded.relative}));
  }
}

TEST_P(Ragged, SpectrumDividesEachBlockAlike) {
  for (const RaggedCase& c : ragged_cases()) {
    SCOPED_TRACE(c.name);
    const auto x = random_matrix<double>(10, c.curves(), c.systems * c.basis, c.pad);
    const auto w = random_vector(11, c.curves(), 1), d = random_vector(12, c.basis, 1);
    const auto rows = vector_on(device, w), columns = vector_on(device, d);
    DeviceMatrix<double> out(device, x);

    ops().divide_by_spectrum(rows.vector(), columns.vector(), 0.25, out.view());

    Matrix expected(c.curves(), c.systems * c.basis);
    expected.fill([&](std::int64_t i, std::int64_t j) {
      return x.at(i, j) /
             (w[static_cast<std::size_t>(i)] * d[static_cast<std::size_t>(j % c.basis)] + 0.25);
    });
    EXPECT_TRUE(near(out.to_host(), expected, kRounded));
  }
}

TEST_P(Ragged, CurvesMultiplyTheirRowsAndColumns) {
  for (const RaggedCase& c : ragged_cases()) {
    SCOPED_TRACE(c.name);
    const auto factors = random_matrix<double>(13, c.curves(), c.curves(), c.pad);
    const auto b = random_matrix<double>(14, c.rows(), c.curves() + 2, c.pad);
    std::vector<std::int64_t> column;
    for (std::int64_t m = 0; m < c.curves() + 2; ++m)
      column.push_back(c.curves() == 0 ? 0 : m % c.curves());
    const Curves curves(device, c);
    const Array<std::int64_t> columns(device, column, c.curves() + 2, 1);
    DeviceMatrix<double> f(device, factors), out(device, b);

    ops().multiply_by_curves(curves.curve.vector(), columns.vector(), f.view(), out.view());

    const auto of = c.curve();
    Matrix expected(c.rows(), c.curves() + 2);
    expected.fill([&](std::int64_t n, std::int64_t m) {
      return b.at(n, m) *
             factors.at(of[static_cast<std::size_t>(n)], column[static_cast<std::size_t>(m)]);
    });
    EXPECT_TRUE(near(out.to_host(), expected, kRounded));
  }
}

TEST(RaggedOnTheCpu, ResultsDoNotDependOnTheNumberOfThreads) {
  const RaggedCase c = ragged_cases().back();
  const auto basis = random_matrix<double>(1, c.rows(), c.basis);
  const auto r = random_matrix<double>(3, c.rows(), c.systems);
  std::vector<std::vector<double>> results;
  for (const int threads : {1, 2, 5}) {
    DeviceOptions options;
    options.threads = threads;
    Device device = Device::cpu(options);
    const Curves curves(device, c);
    DeviceMatrix<double> b(device, basis), x(device, r);
    DeviceMatrix<double> out(device, Matrix(c.curves(), c.systems * c.basis));
    DeviceMatrix<double> sums(device, Matrix(1, c.systems));
    device.backend().ragged().ragged_transpose_product(curves.rows(), b.view(), x.view(),
                                                       out.view());
    device.backend().ragged().block_dots(out.view(), out.view(), sums.vector());
    results.push_back(sums.to_host().values);
    const auto values = out.to_host().values;
    results.back().insert(results.back().end(), values.begin(), values.end());
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

}  // namespace
}  // namespace kronite::test
