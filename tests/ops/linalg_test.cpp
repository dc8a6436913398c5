// Linear algebra of every device against plain loops.
#include <gtest/gtest.h>

#include <cmath>

#include "cases/linalg_cases.hpp"
#include "device/backend.hpp"  // for linalg
#include "support/near.hpp"
#include "support/on_each_device.hpp"
#include "support/oracle.hpp"

namespace kronite::test {
namespace {

class Linalg : public OnEachDevice {};
KRONITE_ON_EACH_DEVICE(Linalg);

TEST_P(Linalg, GemmIsTheSumOfProducts) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    for (const GemmCase& c : gemm_cases()) {
      SCOPED_TRACE(c.name);
      const bool ta = c.op_a == Op::transpose, tb = c.op_b == Op::transpose;
      const auto a = random_matrix<T>(1, ta ? c.k : c.n, ta ? c.n : c.k, c.pad);
      const auto b = random_matrix<T>(2, tb ? c.m : c.k, tb ? c.k : c.m, c.pad);
      const auto before = random_matrix<T>(3, c.n, c.m, c.pad);
      DeviceMatrix<T> da(device, a), db(device, b), dc(device, before);

      linalg<T>(device).gemm(static_cast<T>(c.alpha), da.view(), c.op_a, db.view(), c.op_b,
                             static_cast<T>(c.beta), dc.view());

      auto expected = oracle::product(oracle::apply(c.op_a, a), oracle::apply(c.op_b, b));
      expected.fill([&](std::int64_t i, std::int64_t j) {
        return c.alpha * expected.at(i, j) + c.beta * static_cast<double>(before.at(i, j));
      });
      // Partial sums of k products of size one stay around sqrt(k), and their k roundings add up
      // like a random walk: epsilon k. Four times that is never reached.
      const double k = static_cast<double>(c.k) + 2;
      EXPECT_TRUE(near(dc.to_host(), expected, {4 * kEpsilon<T> * k}));
    }
  });
}

TEST_P(Linalg, GemmWithBetaZeroDoesNotReadTheResult) {
  const auto a = random_matrix<float>(1, 3, 4);
  HostMatrix<float> before(3, 3);
  before.fill([](std::int64_t, std::int64_t) { return std::nan(""); });
  DeviceMatrix<float> da(device, a), dc(device, before);

  linalg<float>(device).gemm(1, da.view(), Op::none, da.view(), Op::transpose, 0, dc.view());

  const auto expected = oracle::product(oracle::to_double(a), oracle::apply(Op::transpose, a));
  EXPECT_TRUE(near(dc.to_host(), expected, {16 * kEpsilon<float>}));  // four products of size one
}

TEST_P(Linalg, CholeskyMultipliesBackAndLeavesTheUpperTriangle) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    for (const FactorCase& c : factor_cases()) {
      SCOPED_TRACE(c.name);
      const auto a = positive_definite<T>(c.n, c.pad);
      DeviceMatrix<T> da(device, a);

      linalg<T>(device).cholesky(da.view());
      device.synchronize();

      auto expected = oracle::cholesky(from_lower(a));
      expected.fill([&](std::int64_t i, std::int64_t j) {
        return j > i ? static_cast<double>(a.at(i, j)) : expected.at(i, j);
      });
      // Values are at most about one and the condition number about ten: ten roundings per step.
      EXPECT_TRUE(near(da.to_host(), expected, {10 * kEpsilon<T> * static_cast<double>(c.n)}));
    }
  });
}

TEST_P(Linalg, CholeskySolveFromEitherSideSolvesTheSystem) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    for (const FactorCase& c : factor_cases()) {
      SCOPED_TRACE(c.name);
      const auto a = positive_definite<T>(c.n, c.pad);
      const auto b = random_matrix<T>(4, c.n, c.m, c.pad);
      HostMatrix<T> bt(c.m, c.n, c.pad);
      bt.fill([&](std::int64_t i, std::int64_t j) { return b.at(j, i); });
      DeviceMatrix<T> l(device, a), left(device, b), right(device, bt);

      linalg<T>(device).cholesky(l.view());
      linalg<T>(device).cholesky_solve(Side::left, l.view(), left.view());
      linalg<T>(device).cholesky_solve(Side::right, l.view(), right.view());
      device.synchronize();

      const auto expected = oracle::solve(from_lower(a), oracle::to_double(b));
      // Solutions are around two; the condition number is about ten and n steps round twice.
      const Tolerance tolerance{40 * kEpsilon<T> * static_cast<double>(c.n)};
      EXPECT_TRUE(near(left.to_host(), expected, tolerance));
      EXPECT_TRUE(near(right.to_host(), oracle::apply(Op::transpose, expected), tolerance));
    }
  });
}

TEST_P(Linalg, TriangularSolveFromEitherSideSolvesTheSystem) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    for (const FactorCase& c : factor_cases())
      for (const Op op : {Op::none, Op::transpose}) {
        SCOPED_TRACE(c.name + (op == Op::none ? ", L" : ", L'"));
        HostMatrix<T> l = positive_definite<T>(c.n, c.pad);
        // A diagonal of one and small values beside it: solutions do not grow. 1e6 stays above it.
        for (std::int64_t i = 0; i < c.n; ++i)
          for (std::int64_t j = 0; j <= i; ++j)
            l.at(i, j) = i == j ? T{1} : l.at(i, j) / static_cast<T>(c.n);
        const auto b = random_matrix<T>(5, c.n, c.m, c.pad);
        HostMatrix<T> bt(c.m, c.n, c.pad);
        bt.fill([&](std::int64_t i, std::int64_t j) { return b.at(j, i); });
        DeviceMatrix<T> dl(device, l), left(device, b), right(device, bt);

        linalg<T>(device).triangular_solve(Side::left, op, dl.view(), left.view());
        linalg<T>(device).triangular_solve(Side::right, op, dl.view(), right.view());
        device.synchronize();

        const auto lower = oracle::Matrix(c.n, c.n).fill([&](std::int64_t i, std::int64_t j) {
          return j > i ? 0.0 : static_cast<double>(l.at(i, j));
        });
        const auto applied = oracle::apply(op, lower);
        const auto turned = oracle::apply(Op::transpose, applied);
        // Solutions are around two, and each of n steps rounds twice.
        const Tolerance tolerance{10 * kEpsilon<T> * static_cast<double>(c.n)};
        EXPECT_TRUE(near(left.to_host(), oracle::solve(applied, oracle::to_double(b)), tolerance));
        EXPECT_TRUE(near(right.to_host(),
                         oracle::apply(Op::transpose, oracle::solve(turned, oracle::to_double(b))),
                         tolerance));
      }
  });
}

TEST_P(Linalg, CholeskyOfAnIndefiniteMatrixFailsAtTheNextWait) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    for (const std::int64_t bad_row : {0, 40, 99}) {
      auto a = positive_definite<T>(100);
      a.at(bad_row, bad_row) = -1;
      DeviceMatrix<T> da(device, a);

      linalg<T>(device).cholesky(da.view());

      try {
        device.synchronize();
        ADD_FAILURE() << "no failure for a negative pivot in row " << bad_row;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Errc::numerical);
        EXPECT_NE(std::string(error.what()).find("not positive definite"), std::string::npos)
            << error.what();
      }
      EXPECT_NO_THROW(device.synchronize()) << "a failure is told once";
    }
  });
}

TEST_P(Linalg, CholeskyOfASingularMatrixFails) {
  HostMatrix<double> ones(3, 3);
  ones.fill([](std::int64_t, std::int64_t) { return 1.0; });
  DeviceMatrix<double> a(device, ones);

  linalg<double>(device).cholesky(a.view());

  EXPECT_THROW(device.synchronize(), Error);
}

TEST_P(Linalg, CholeskyOfNanFails) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    auto a = positive_definite<T>(10);
    a.at(7, 3) = std::numeric_limits<T>::quiet_NaN();
    DeviceMatrix<T> da(device, a);

    linalg<T>(device).cholesky(da.view());

    EXPECT_THROW(device.synchronize(), Error);
  });
}

TEST_P(Linalg, EigenvectorsAreOrthonormalAndDiagonalise) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    for (const FactorCase& c : factor_cases()) {
      SCOPED_TRACE(c.name);
      const auto a = positive_definite<T>(c.n, c.pad);
      DeviceMatrix<T> da(device, a);
      Array<T> dw(device, c.n, 1);

      linalg<T>(device).eigh(da.view(), dw.vector());
      device.synchronize();

      const auto v = da.to_host();
      const auto w = dw.to_host();
      const auto vectors = oracle::to_double(v);
      auto scaled = vectors;
      scaled.fill([&](std::int64_t i, std::int64_t j) {
        return vectors.at(i, j) * static_cast<double>(w[static_cast<std::size_t>(j)]);
      });
      // Backward errors of a few epsilon times the norm (at most 2) per eigenvalue.
      const Tolerance tolerance{20 * kEpsilon<T> * static_cast<double>(c.n)};
      EXPECT_TRUE(v.padding_is_untouched());
      EXPECT_TRUE(std::is_sorted(w.begin(), w.end()));
      EXPECT_TRUE(near(oracle::product(oracle::apply(Op::transpose, vectors), vectors),
                       oracle::identity(c.n), tolerance));
      EXPECT_TRUE(near(oracle::product(from_lower(a), vectors), scaled, tolerance));
    }
  });
}

TEST_P(Linalg, EighOfNanFails) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    auto a = positive_definite<T>(70);
    a.at(50, 20) = std::numeric_limits<T>::quiet_NaN();
    DeviceMatrix<T> da(device, a);
    Array<T> dw(device, 70, 1);

    linalg<T>(device).eigh(da.view(), dw.vector());

    EXPECT_THROW(device.synchronize(), Error);
  });
}

TEST_P(Linalg, EigenvaluesOfTheSecondDifferenceAreKnown) {
  const std::int64_t n = 60;
  HostMatrix<double> a(n, n);
  a.fill([](std::int64_t i, std::int64_t j) { return i == j ? 2.0 : i == j + 1 ? -1.0 : 0.0; });
  DeviceMatrix<double> da(device, a);
  Array<double> dw(device, n, 1);

  linalg<double>(device).eigh(da.view(), dw.vector());

  const auto w = dw.to_host();
  for (std::int64_t k = 0; k < n; ++k)
    EXPECT_NEAR(w[static_cast<std::size_t>(k)],
                2 - 2 * std::cos(M_PI * static_cast<double>(k + 1) / static_cast<double>(n + 1)),
                1e-13);  // n epsilon
}

}  // namespace
}  // namespace kronite::test
