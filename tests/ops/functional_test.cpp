// The steps of functional regression on every device against their definitions.
#include <gtest/gtest.h>

#include <cmath>

#include "cases/functional_cases.hpp"
#include "cases/gram_cases.hpp"  // for kernel_kinds
#include "device/backend.hpp"
#include "support/near.hpp"
#include "support/on_each_device.hpp"
#include "support/oracle.hpp"

namespace kronite::test {
namespace {

using Host = HostMatrix<double>;
using There = DeviceMatrix<double>;

class Functional : public OnEachDevice {
 protected:
  FunctionalOps& ops() { return device.backend().functional(); }
};
KRONITE_ON_EACH_DEVICE(Functional);

constexpr double kRounded = kEpsilon<double>;

/// n values above zero, over many orders of magnitude, the first one zero.
Host eigenvalues(std::uint64_t seed, std::int64_t n) {
  return Host(n, 1).fill([&](std::int64_t i, std::int64_t) {
    return i == 0 ? 0.0 : std::pow(10.0, 8 * random_value(seed, static_cast<std::uint64_t>(i)));
  });
}

TEST_P(Functional, ScaleMultipliesRowsAndColumns) {
  for (const FunctionalCase& c : functional_cases())
    for (const double beta : {0.0, 0.5}) {
      SCOPED_TRACE(c.name);
      const Host x = random_matrix<double>(1, c.n, c.m, c.pad),
                 row = random_matrix<double>(2, c.n, 1), column = random_matrix<double>(3, c.m, 1);
      Host before = random_matrix<double>(4, c.n, c.m, c.pad);
      if (beta == 0) before.fill([](std::int64_t, std::int64_t) { return std::nan(""); });
      for (const bool with_row : {false, true})
        for (const bool with_column : {false, true}) {
          There dx(device, x), drow(device, row), dcolumn(device, column), out(device, before);
          const VectorView<const double> none;
          ops().scale(1.5, with_row ? VectorView<const double>(drow.vector()) : none, dx.view(),
                      with_column ? VectorView<const double>(dcolumn.vector()) : none, beta,
                      out.view());
          const Host expected = Host(c.n, c.m).fill([&](std::int64_t i, std::int64_t j) {
            return 1.5 * (with_row ? row.at(i, 0) : 1) * x.at(i, j) *
                       (with_column ? column.at(j, 0) : 1) +
                   (beta == 0 ? 0 : beta * before.at(i, j));
          });
          // Rounded a few times; a sum of two terms can be small.
          EXPECT_TRUE(near(out.to_host(), expected, {4 * kRounded, 4 * kRounded}));
        }
    }
}

TEST_P(Functional, DiagonalsAreReadAndMoved) {
  for (const FunctionalCase& c : functional_cases()) {
    SCOPED_TRACE(c.name);
    const Host x = random_matrix<double>(1, c.n, c.n, c.pad), v = random_matrix<double>(2, c.n, 1);
    There dx(device, x), dv(device, v), out(device, Host(c.n, 1));

    ops().add_to_diagonal(0.25, dv.vector(), dx.view());
    ops().add_to_diagonal(2, {}, dx.view());
    ops().diagonal(dx.view(), out.vector());

    const Host moved = Host(c.n, c.n).fill([&](std::int64_t i, std::int64_t j) {
      return x.at(i, j) + (i == j ? 2.25 + v.at(i, 0) : 0);
    });
    EXPECT_TRUE(near(dx.to_host(), moved, {0, 4 * kRounded}));
    EXPECT_TRUE(near(out.to_host(), Host(c.n, 1).fill([&](std::int64_t i, std::int64_t) {
      return moved.at(i, i);
    }),
                     {0, 4 * kRounded}));
  }
}

TEST_P(Functional, RowDotsAreSumsOverColumns) {
  for (const FunctionalCase& c : functional_cases()) {
    SCOPED_TRACE(c.name);
    const Host x = random_matrix<double>(1, c.n, c.m, c.pad),
               y = random_matrix<double>(2, c.n, c.m, c.pad);
    There dx(device, x), dy(device, y), out(device, Host(c.n, 1));

    ops().row_dots(dx.view(), dy.view(), out.vector());

    const Host expected = Host(c.n, 1).fill([&](std::int64_t i, std::int64_t) {
      double sum = 0;
      for (std::int64_t k = 0; k < c.m; ++k) sum += x.at(i, k) * y.at(i, k);
      return sum;
    });
    // m terms of at most 1.
    EXPECT_TRUE(near(out.to_host(), expected, {static_cast<double>(c.m) * kRounded}));
  }
}

/// s, d and the weights of components as the contract defines them, in long double, where 1 - a b
/// keeps some digits.
struct Components {
  Host s, d;
  double lambda_s = 1e-3, lambda_d = 1e-2;

  Components(std::int64_t n, std::int64_t m) : s(eigenvalues(5, n)), d(eigenvalues(6, m)) {}
  long double omega(std::int64_t i, std::int64_t j) const {
    const long double a = s.at(i, 0) / (static_cast<long double>(s.at(i, 0)) + lambda_s);
    const long double b = d.at(j, 0) / (static_cast<long double>(d.at(j, 0)) + lambda_d);
    return 1 - a * b;
  }
};

/// 1 - a b of long doubles loses what epsilon of a long double is to lambda / eigenvalue, 1e-11.
constexpr double kOmega = 1e-8;

TEST_P(Functional, SmoothingSumsFollowTheirFormulas) {
  for (const FunctionalCase& c : functional_cases())
    for (const bool with_y : {false, true}) {
      SCOPED_TRACE(c.name);
      const Components w(c.n, c.m);
      const Host v = random_matrix<double>(2, c.m, 1),
                 y = random_matrix<double>(3, c.n, c.m, c.pad);
      There ds(device, w.s), dd(device, w.d), dv(device, v), dy(device, y),
          out(device, Host(c.n, kSmoothingSums));

      ops().smoothing_sums(
          {ds.vector(), dd.vector(), w.lambda_s, w.lambda_d}, dv.vector(),
          with_y ? MatrixView<const double>(dy.view()) : MatrixView<const double>(), out.view());

      const Host expected = Host(c.n, kSmoothingSums).fill([&](std::int64_t i, std::int64_t k) {
        long double sum = 0;
        for (std::int64_t j = 0; j < c.m; ++j) {
          const long double omega = w.omega(i, j), vj = v.at(j, 0);
          const long double value = with_y ? y.at(i, j) : 0;
          const long double b =
              w.d.at(j, 0) / (static_cast<long double>(w.d.at(j, 0)) + w.lambda_d);
          switch (k) {
            case kSumQ:
              sum += vj * vj * omega;
              break;
            case kSumR:
              sum += vj * omega * value;
              break;
            case kSumQuad:
              sum += omega * value * value;
              break;
            case kSumLog:
              sum += std::log(omega);
              break;
            case kSumOver:
              sum += b / omega;
              break;
            default:
              sum += vj * vj * omega * omega;
          }
        }
        return static_cast<double>(sum);
      });
      EXPECT_TRUE(near(out.to_host(), expected, {static_cast<double>(c.m) * kRounded, kOmega}));
    }
}

TEST_P(Functional, ResidualsAreWeighedByOmega) {
  for (const FunctionalCase& c : functional_cases()) {
    SCOPED_TRACE(c.name);
    const Components w(c.n, c.m);
    const Host y = random_matrix<double>(3, c.n, c.m, c.pad);
    There ds(device, w.s), dd(device, w.d), dy(device, y);

    ops().smoothing_residual({ds.vector(), dd.vector(), w.lambda_s, w.lambda_d}, dy.view(),
                             dy.view());

    EXPECT_TRUE(near(dy.to_host(), Host(c.n, c.m).fill([&](std::int64_t i, std::int64_t j) {
      return static_cast<double>(w.omega(i, j) * y.at(i, j));
    }),
                     {0, kOmega}));
  }
}

TEST_P(Functional, BandsAreRootsOfTheirVariance) {
  for (const FunctionalCase& c : functional_cases()) {
    SCOPED_TRACE(c.name);
    const auto squares = [](std::uint64_t seed, std::int64_t n) {
      return Host(n, 1).fill([&](std::int64_t i, std::int64_t) {
        return std::pow(random_value(seed, static_cast<std::uint64_t>(i)), 2);
      });
    };
    const Host u = squares(1, c.n), w = squares(2, c.m), first = random_matrix<double>(3, c.n, 1),
               along = random_matrix<double>(4, c.n, 1), rest = random_matrix<double>(5, c.n, 1),
               beta = random_matrix<double>(6, c.m, 1);
    There du(device, u), dw(device, w), dfirst(device, first), dalong(device, along),
        drest(device, rest), dbeta(device, beta), out(device, Host(c.n, c.m, c.pad));

    ops().band({du.vector(), dw.vector(), dfirst.vector(), dalong.vector(), drest.vector(),
                dbeta.vector(), 0.7, 0.1},
               out.view());

    EXPECT_TRUE(near(out.to_host(), Host(c.n, c.m).fill([&](std::int64_t i, std::int64_t j) {
      const double b = beta.at(j, 0), constant = first.at(i, 0) + along.at(i, 0) * b;
      return std::sqrt(
          0.7 * (u.at(i, 0) * w.at(j, 0) + constant * constant + std::pow(rest.at(i, 0) * b, 2)) +
          0.1);
    }),
                     {0, 8 * kRounded}));
  }
}

TEST_P(Functional, LengthScaleSumsAreDerivativesOfTheKernel) {
  for (const NamedKernel& kernel : kernel_kinds())
    for (const FunctionalCase& c : functional_cases()) {
      if (c.n * c.n * c.m > 100000) continue;  // the definition takes kernels for every feature
      SCOPED_TRACE(std::string(kernel.name) + ", " + c.name);
      const Host x = random_matrix<double>(1, c.n, c.m, c.pad),
                 weight = random_matrix<double>(2, c.n, c.n, c.pad);
      There dx(device, x), dw(device, weight), out(device, Host(c.n, c.m, c.pad));

      ops().length_scale_sums(kernel.kind, dx.view(), dw.view(), out.view());

      // Central differences of the kernel function, feature by feature.
      constexpr double kStep = 1e-5;
      const auto stretched = [&](std::int64_t feature, double factor) {
        Host y = x;
        return y.fill([&](std::int64_t i, std::int64_t k) {
          return x.at(i, k) / (k == feature ? factor : 1);
        });
      };
      Host expected(c.n, c.m);
      for (std::int64_t k = 0; k < c.m; ++k) {
        const Host above = stretched(k, std::exp(kStep)), below = stretched(k, std::exp(-kStep));
        for (std::int64_t i = 0; i < c.n; ++i) {
          double sum = 0;
          for (std::int64_t j = 0; j < c.n; ++j)
            sum += weight.at(i, j) *
                   (oracle::kernel(kernel.kind, 1, above, i, above, j) -
                    oracle::kernel(kernel.kind, 1, below, i, below, j)) /
                   (2 * kStep);
          expected.at(i, k) = sum;
        }
      }
      // Differences of numbers up to 1 that are 1e-5 apart keep 1e-11 of each of n terms.
      EXPECT_TRUE(near(out.to_host(), expected, {1e-9}));
    }
}

}  // namespace
}  // namespace kronite::test
