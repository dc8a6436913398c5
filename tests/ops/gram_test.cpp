// Distances and Gram matrices of every device against plain loops.
#include <gtest/gtest.h>

#include <cmath>

#include "cases/gram_cases.hpp"
#include "device/backend.hpp"  // for kernels
#include "support/near.hpp"
#include "support/on_each_device.hpp"
#include "support/oracle.hpp"

namespace kronite::test {
namespace {

class Gram : public OnEachDevice {};
KRONITE_ON_EACH_DEVICE(Gram);

/// Sums of d rounded squares have at most d + 2 roundings, all of one sign.
template <class T>
Tolerance distance_tolerance(std::int64_t d) {
  return {0, kEpsilon<T> * static_cast<double>(d + 2)};
}

TEST_P(Gram, SquaredDistancesAreSumsOfSquares) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    for (const GramCase& c : gram_cases()) {
      SCOPED_TRACE(c.name);
      const auto x = random_matrix<T>(1, c.n, c.d, c.pad);
      const auto y = random_matrix<T>(2, c.m, c.d, c.pad);
      DeviceMatrix<T> dx(device, x), dy(device, y), out(device, HostMatrix<T>(c.n, c.m, c.pad));

      kernels<T>(device).squared_distances(dx.view(), dy.view(), out.view());

      EXPECT_TRUE(near(out.to_host(), oracle::squared_distances(x, y), distance_tolerance<T>(c.d)));
    }
  });
}

TEST_P(Gram, SquaredDistancesOfFarAwayPointsDoNotCancel) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    auto x = random_matrix<T>(1, 20, 6), y = random_matrix<T>(2, 40, 6);
    for (auto* m : {&x, &y})
      for (T& value : m->values) value += T{10000};
    DeviceMatrix<T> dx(device, x), dy(device, y), out(device, HostMatrix<T>(20, 40));

    kernels<T>(device).squared_distances(dx.view(), dy.view(), out.view());

    EXPECT_TRUE(near(out.to_host(), oracle::squared_distances(x, y), distance_tolerance<T>(6)));
  });
}

TEST_P(Gram, EqualRowsAreExactlyZeroApart) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    const auto x = random_matrix<T>(1, 70, 290);
    DeviceMatrix<T> dx(device, x), out(device, HostMatrix<T>(70, 70));

    kernels<T>(device).squared_distances(dx.view(), dx.view(), out.view());

    const auto distances = out.to_host();
    for (std::int64_t i = 0; i < 70; ++i) EXPECT_EQ(distances.at(i, i), T{0}) << "row " << i;
  });
}

TEST_P(Gram, EveryKernelFollowsItsFormula) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    for (const NamedKernel& kernel : kernel_kinds())
      for (const GramCase& c : gram_cases()) {
        SCOPED_TRACE(std::string(kernel.name) + ", " + c.name);
        const auto x = random_matrix<T>(1, c.n, c.d, c.pad);
        const auto y = random_matrix<T>(2, c.m, c.d, c.pad);
        const double s = 0.5 + 0.25 * static_cast<double>(c.d);
        DeviceMatrix<T> dx(device, x), dy(device, y), out(device, HostMatrix<T>(c.n, c.m, c.pad));

        kernels<T>(device).gram(kernel.kind, static_cast<T>(s), dx.view(), dy.view(), out.view());

        const auto expected = oracle::Matrix(c.n, c.m).fill([&](std::int64_t i, std::int64_t j) {
          return oracle::kernel(kernel.kind, s, x, i, y, j);
        });
        // d + 2 roundings in the distance q, weighed by |dk/d(log q)| < 1, and a few after it.
        EXPECT_TRUE(near(out.to_host(), expected, {kEpsilon<T> * static_cast<double>(c.d + 10)}));
      }
  });
}

TEST_P(Gram, DistancesThatAreKeptGiveTheSameGramMatrix) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    for (const NamedKernel& kernel : kernel_kinds())
      for (const GramCase& c : gram_cases()) {
        SCOPED_TRACE(std::string(kernel.name) + ", " + c.name);
        const auto x = random_matrix<T>(1, c.n, c.d, c.pad);
        const auto y = random_matrix<T>(2, c.m, c.d, c.pad);
        const double s = 0.5 + 0.25 * static_cast<double>(c.d);
        DeviceMatrix<T> dx(device, x), dy(device, y), out(device, HostMatrix<T>(c.n, c.m, c.pad));
        DeviceMatrix<T> apart(device, HostMatrix<T>(c.n, c.m, c.pad));

        kernels<T>(device).kernel_distances(kernel.kind, dx.view(), dy.view(), apart.view());
        kernels<T>(device).gram_of_distances(kernel.kind, static_cast<T>(s), apart.view(),
                                             out.view());
        const HostMatrix<T> from_kept = out.to_host();
        kernels<T>(device).gram(kernel.kind, static_cast<T>(s), dx.view(), dy.view(), out.view());
        const HostMatrix<T> at_once = out.to_host();
        const auto expected = oracle::Matrix(c.n, c.m).fill([&](std::int64_t i, std::int64_t j) {
          return oracle::kernel(kernel.kind, s, x, i, y, j);
        });
        EXPECT_TRUE(near(from_kept, expected, {kEpsilon<T> * static_cast<double>(c.d + 10)}));
        // The same operations in the same order on the CPU.
        const double apart_by = device.place() == Place{} ? 0 : 4 * kEpsilon<T>;
        for (std::int64_t i = 0; i < c.n; ++i)
          for (std::int64_t j = 0; j < c.m; ++j)
            EXPECT_NEAR(from_kept.at(i, j), at_once.at(i, j), apart_by);

        kernels<T>(device).gram_of_distances(kernel.kind, static_cast<T>(s), apart.view(),
                                             apart.view());
        EXPECT_TRUE(near(apart.to_host(), expected, {kEpsilon<T> * static_cast<double>(c.d + 10)}));
      }
  });
}

TEST_P(Gram, KernelsAreOneAtZeroAndVanishFarAway) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    HostMatrix<T> x(1, 2), y(2, 2);
    x.fill([](std::int64_t, std::int64_t) { return 0.0; });
    y.fill([](std::int64_t i, std::int64_t) { return i == 0 ? 0.0 : 1e6; });
    for (const NamedKernel& kernel : kernel_kinds()) {
      SCOPED_TRACE(kernel.name);
      DeviceMatrix<T> dx(device, x), dy(device, y), out(device, HostMatrix<T>(1, 2));

      kernels<T>(device).gram(kernel.kind, T{1}, dx.view(), dy.view(), out.view());

      const auto values = out.to_host();
      EXPECT_EQ(values.at(0, 0), T{1});
      EXPECT_GE(values.at(0, 1), T{0});
      EXPECT_LT(static_cast<double>(values.at(0, 1)),
                1e-25);  // an exponential may stop at the smallest number
    }
  });
}

}  // namespace
}  // namespace kronite::test
