// Kernel means of mixtures of every device against plain loops.
#include <gtest/gtest.h>

#include <cmath>

#include "cases/gram_cases.hpp"  // for kernel_kinds
#include "cases/mixture_cases.hpp"
#include "device/backend.hpp"  // for MixtureOps
#include "support/near.hpp"
#include "support/on_each_device.hpp"
#include "support/oracle.hpp"

namespace kronite::test {
namespace {

class Mixture : public OnEachDevice {
 protected:
  /// W H of the rows from `from` on, through the sparse form.
  HostMatrix<double> mix(const HostRows& w, std::int64_t from, const HostMatrix<double>& h,
                         std::int64_t pad) {
    const std::int64_t rows = std::ssize(w.first) - 1 - from, entry = w.first[from];
    const std::vector<std::int64_t> first_values(w.first.begin() + from, w.first.end());
    const std::vector<std::int32_t> columns(w.column.begin() + entry, w.column.end());
    const std::vector<double> values(w.value.begin() + entry, w.value.end());
    const std::int64_t entries = std::ssize(values);
    const Array<std::int64_t> first(device, first_values, rows + 1, 1);
    const Array<std::int32_t> column(device, columns, entries, 1);
    const Array<double> value(device, values, entries, 1);
    DeviceMatrix<double> there(device, h), out(device, HostMatrix<double>(rows, h.cols, pad));
    device.backend().mixtures().mix_rows({first.vector(), column.vector(), value.vector()},
                                         there.view(), out.view());
    return out.to_host();
  }
};
KRONITE_ON_EACH_DEVICE(Mixture);

TEST_P(Mixture, GridKernelsAreKernelsOfOneFeatureEach) {
  for (const NamedKernel& kernel : kernel_kinds())
    for (const MixtureCase& c : mixture_cases()) {
      SCOPED_TRACE(std::string(kernel.name) + ", " + c.name);
      const auto x = random_matrix<double>(1, c.n, c.features, c.pad);
      const auto grid = random_matrix<double>(2, c.features, c.grid, c.pad);
      HostMatrix<double> s(1, c.features);
      s.fill([](std::int64_t, std::int64_t f) { return 0.3 + 0.1 * static_cast<double>(f); });
      DeviceMatrix<double> dx(device, x), dgrid(device, grid), ds(device, s);
      DeviceMatrix<double> out(device, HostMatrix<double>(c.n, c.features * c.grid, c.pad));

      device.backend().mixtures().grid_kernels(kernel.kind, dx.view(), dgrid.view(), ds.vector(),
                                               out.view());

      const auto expected =
          oracle::Matrix(c.n, c.features * c.grid).fill([&](std::int64_t i, std::int64_t column) {
            const std::int64_t f = column / c.grid, j = column % c.grid;
            HostMatrix<double> a(1, 1), b(1, 1);
            a.at(0, 0) = x.at(i, f);
            b.at(0, 0) = grid.at(f, j);
            return oracle::kernel(kernel.kind, s.at(0, f), a, 0, b, 0);
          });
      // A few roundings in the exponent, weighed by |dk/d(log q)| < 1, and a few after it.
      EXPECT_TRUE(near(out.to_host(), expected, {11 * kEpsilon<double>}));
    }
}

TEST_P(Mixture, MixedRowsAreWeightsTimesH) {
  for (const MixtureCase& c : mixture_cases()) {
    SCOPED_TRACE(c.name);
    const HostRows w = mixtures(c);
    const auto h = random_matrix<double>(3, c.n, c.features * c.grid, c.pad);

    const auto out = mix(w, 0, h, c.pad);

    // Weights add up to 1 and |h| <= 1: one rounding a product and a sum.
    EXPECT_TRUE(near(out, oracle::product(dense(w, c.n), h),
                     {2 * kEpsilon<double> * static_cast<double>(c.most + 1)}));
  }
}

TEST_P(Mixture, ARunOfRowsIsAViewOfTheSameMemory) {
  const MixtureCase c{"", 20, 15, 4, 6, 5};
  const HostRows w = mixtures(c);
  const auto h = random_matrix<double>(3, c.n, c.features * c.grid);

  const auto all = mix(w, 0, h, 0), rest = mix(w, 7, h, 0);

  ASSERT_GT(w.first[7], 0);
  for (std::int64_t i = 0; i < rest.rows; ++i)
    for (std::int64_t j = 0; j < rest.cols; ++j) ASSERT_EQ(rest.at(i, j), all.at(i + 7, j));
}

TEST_P(Mixture, DistancesAreThoseOfTheDifference) {
  for (const MixtureCase& c : mixture_cases()) {
    SCOPED_TRACE(c.name);
    const auto w = dense(mixtures(c), c.n, c.pad);
    const auto h = random_matrix<double>(3, c.n, c.features * c.grid, c.pad);
    const auto phi = random_matrix<double>(4, c.rows, c.features * c.grid, c.pad);
    DeviceMatrix<double> dw(device, w), dh(device, h), dphi(device, phi);
    DeviceMatrix<double> distance(device, HostMatrix<double>(1, c.rows));
    DeviceMatrix<double> length(device, HostMatrix<double>(1, c.rows));

    device.backend().mixtures().mixture_distances(dw.view(), dh.view(), dphi.view(),
                                                  distance.vector(), length.vector());

    const auto mean = oracle::product(oracle::to_double(w), oracle::to_double(h));
    HostMatrix<double> apart(1, c.rows), size(1, c.rows);
    for (std::int64_t i = 0; i < c.rows; ++i) {
      double difference = 0, square = 0;
      for (std::int64_t j = 0; j < phi.cols; ++j) {
        difference += (phi.at(i, j) - mean.at(i, j)) * (phi.at(i, j) - mean.at(i, j));
        square += phi.at(i, j) * phi.at(i, j);
      }
      apart.at(0, i) = std::sqrt(difference);
      size.at(0, i) = std::sqrt(square);
    }
    // A rounding a term of sums of one sign, halved by the root, and those of the mean.
    const double rounding = kEpsilon<double> * static_cast<double>(phi.cols + c.most + 10);
    EXPECT_TRUE(near(distance.to_host(), apart, {rounding, rounding}));
    EXPECT_TRUE(near(length.to_host(), size, {0, rounding}));
  }
}

}  // namespace
}  // namespace kronite::test
