// What only the CPU backend promises: any number of threads gives the same bits, and the factoriser
// it does not use is as good.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "base/parallel.hpp"  // for parallel_tiles
#include "cases/gram_cases.hpp"
#include "cases/linalg_cases.hpp"
#include "cases/network_cases.hpp"
#include "cases/select_cases.hpp"
#include "cases/training_cases.hpp"
#include "cpu/cpu_backend.hpp"  // for make_cpu_linalg
#include "cpu/simd.hpp"         // for transpose
#include "support/near.hpp"
#include "support/on_each_device.hpp"  // for in_each_precision
#include "support/oracle.hpp"

namespace kronite::test {
namespace {

/// Expects f(device) to return the same values on one, two and five threads.
template <class T>
void expect_same_on_any_threads(const std::function<std::vector<T>(Device&)>& f) {
  DeviceOptions options;
  options.threads = 1;
  Device one = Device::cpu(options);
  const std::vector<T> expected = f(one);
  for (const int threads : {2, 5}) {
    options.threads = threads;
    Device device = Device::cpu(options);
    EXPECT_EQ(f(device), expected) << "on " << threads << " threads";
  }
}

TEST(CpuThreads, DoNotChangeGemm) {
  const auto a = random_matrix<float>(1, 700, 65), b = random_matrix<float>(2, 65, 1100);
  expect_same_on_any_threads<float>([&](Device& device) {
    DeviceMatrix<float> da(device, a), db(device, b), c(device, HostMatrix<float>(700, 1100));
    linalg<float>(device).gemm(1, da.view(), Op::none, db.view(), Op::none, 0, c.view());
    return c.to_host().values;
  });
}

TEST(CpuThreads, DoNotChangeGemmInDoublePrecision) {
  const auto a = random_matrix<double>(1, 1100, 300), b = random_matrix<double>(2, 300, 1300);
  expect_same_on_any_threads<double>([&](Device& device) {
    DeviceMatrix<double> da(device, a), db(device, b), c(device, HostMatrix<double>(1100, 1300));
    linalg<double>(device).gemm(1, da.view(), Op::none, db.view(), Op::none, 0, c.view());
    return c.to_host().values;
  });
}

TEST(CpuThreads, DoNotChangeCholeskySolve) {
  const auto a = positive_definite<double>(700);  // halved and tiled
  const auto b = random_matrix<double>(2, 700, 600);
  expect_same_on_any_threads<double>([&](Device& device) {
    DeviceMatrix<double> l(device, a), x(device, b);
    linalg<double>(device).cholesky(l.view());
    linalg<double>(device).cholesky_solve(Side::left, l.view(), x.view());
    return x.to_host().values;
  });
}

TEST(CpuThreads, DoNotChangeGramMatrices) {
  const auto x = random_matrix<double>(1, 1100, 9), y = random_matrix<double>(2, 100, 9);
  expect_same_on_any_threads<double>([&](Device& device) {
    DeviceMatrix<double> dx(device, x), dy(device, y), out(device, HostMatrix<double>(1100, 100));
    kernels<double>(device).gram(KernelKind::matern52, 2, dx.view(), dy.view(), out.view());
    return out.to_host().values;
  });
}

TEST(CpuThreads, DoNotChangeScores) {
  const ScoreInputs<float> in(published_2022(1000));
  expect_same_on_any_threads<float>([&](Device& device) {
    DeviceScore<float> on(device, in);
    network<float>(device).score_pairs(on.queries.view(), on.candidates.view(), on.pairs(),
                                       on.ensemble.view(), Precision::fp32, on.p.vector());
    return on.p.to_host();
  });
}

TEST(CpuThreads, DoNotChangeHiddenLayers) {
  const HiddenCase c = published_hidden();
  const HiddenInputs<float> in(c);
  expect_same_on_any_threads<float>([&](Device& device) {
    DeviceHidden<float> on(device, c, in);
    auto& ops = training<float>(device);
    ops.hidden_forward(on.view, on.z.view(), on.mean.vector(), on.variance.vector(), on.y.view());
    ops.hidden_backward(on.view, on.z.view(), on.mean.vector(), on.variance.vector(), on.y.view(),
                        on.gradient.view(), on.d_gamma.vector(), on.d_beta.vector());
    std::vector<float> all;
    for (const auto* m : {&on.y, &on.gradient, &on.mean, &on.variance, &on.d_gamma, &on.d_beta})
      for (const float value : m->to_host().values) all.push_back(value);
    return all;
  });
}

TEST(CpuThreads, DoNotChangeTheLoss) {
  const auto z = random_matrix<float>(1, 1024, 2), bias = random_matrix<float>(2, 1, 2);
  expect_same_on_any_threads<float>([&](Device& device) {
    DeviceMatrix<float> logits(device, z), db(device, bias),
        loss(device, HostMatrix<float>(1024, 1));
    DeviceMatrix<float> gradient(device, z), sums(device, HostMatrix<float>(1, 2));
    const Array<std::uint8_t> alike(device, std::vector<std::uint8_t>(1024, 1), 1024, 1);
    auto& ops = training<float>(device);
    ops.cross_entropy(db.vector(), alike.vector(), logits.view(), loss.vector(), gradient.view());
    ops.column_sums(gradient.view(), sums.vector());
    auto all = loss.to_host().values;
    for (const float sum : sums.to_host().values) all.push_back(sum);
    return all;
  });
}

TEST(CpuThreads, DoNotChangeTheBestCandidates) {
  const ScoreInputs<float> in({"self", 18, {{6, 2}}, 0, 1, 400});
  expect_same_on_any_threads<std::int32_t>([&](Device& device) {
    DeviceScore<float> on(device, in);
    Array<float> p(device, 400, 7);
    Array<std::int32_t> index(device, 400, 7);
    network<float>(device).score_top_k(on.candidates.view(), on.candidates.view(),
                                       {{0, 400, 0, 400}}, on.ensemble.view(), {true}, p.view(),
                                       index.view());
    return index.to_host();
  });
}

TEST(CpuScores, OfAPairDoNotDependOnItsPlaceInTheList) {
  ScoreInputs<float> in(published_2022(300));
  for (std::size_t n = 0; n < in.query.size(); ++n) {
    in.query[n] = 1;
    in.candidate[n] = 7;
  }
  Device device = Device::cpu();
  DeviceScore<float> on(device, in);

  network<float>(device).score_pairs(on.queries.view(), on.candidates.view(), on.pairs(),
                                     on.ensemble.view(), Precision::fp32, on.p.vector());

  const auto p = on.p.to_host();
  EXPECT_EQ(p, std::vector<float>(p.size(), p.front()));
}

TEST(CpuScores, FallBackToSmallTilesUnderATightMemoryLimit) {
  const ScoreCase c{"wide", 8, {{600, 600, 2}}, 50, 2, 5};  // 1.4 MiB of weights
  const ScoreInputs<float> in(c);
  Device roomy = Device::cpu();
  DeviceScore<float> expected(roomy, in);
  DeviceOptions options;
  options.memory_limit = 2 << 20;
  Device tight = Device::cpu(options);
  DeviceScore<float> on(tight, in);

  network<float>(roomy).score_pairs(expected.queries.view(), expected.candidates.view(),
                                    expected.pairs(), expected.ensemble.view(), Precision::fp32,
                                    expected.p.vector());
  network<float>(tight).score_pairs(on.queries.view(), on.candidates.view(), on.pairs(),
                                    on.ensemble.view(), Precision::fp32, on.p.vector());

  const auto p = on.p.to_host(), q = expected.p.to_host();
  for (std::size_t n = 0; n < p.size(); ++n)
    EXPECT_NEAR(p[n], q[n], 50 * kEpsilon<float>);  // sums of 600 products in another order
}

class CpuFactoriser : public ::testing::TestWithParam<Factoriser> {
 protected:
  CpuBackend backend{DeviceOptions{}};
};
std::string factoriser_name(const ::testing::TestParamInfo<Factoriser>& info) {
  return info.index == 0 ? "Eigen" : "Best";
}
INSTANTIATE_TEST_SUITE_P(With, CpuFactoriser,
                         ::testing::Values(Factoriser::eigen, best_factoriser()), factoriser_name);

TEST_P(CpuFactoriser, FactorsAndDecomposes) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    const auto linalg = make_cpu_linalg<T>(backend, GetParam());
    for (const FactorCase& c : factor_cases()) {
      SCOPED_TRACE(c.name);
      const auto a = positive_definite<T>(c.n, c.pad);
      auto l = a, v = a;
      std::vector<T> w(static_cast<std::size_t>(c.n));

      linalg->cholesky({l.values.data(), c.n, c.n, l.ld, Place{}});
      linalg->eigh({v.values.data(), c.n, c.n, v.ld, Place{}}, {w.data(), c.n});
      backend.synchronize();

      auto lower = oracle::to_double(l), scaled = oracle::to_double(v);
      lower.fill([&](std::int64_t i, std::int64_t j) { return j > i ? 0.0 : lower.at(i, j); });
      scaled.fill([&](std::int64_t i, std::int64_t j) {
        return scaled.at(i, j) * static_cast<double>(w[static_cast<std::size_t>(j)]);
      });
      // Backward errors of a few epsilon times the norm (at most 2) per row.
      const Tolerance tolerance{20 * kEpsilon<T> * static_cast<double>(c.n)};
      EXPECT_TRUE(near(oracle::product(lower, oracle::apply(Op::transpose, lower)), from_lower(a),
                       tolerance));
      EXPECT_TRUE(near(oracle::product(from_lower(a), oracle::to_double(v)), scaled, tolerance));
    }
  });
}

TEST_P(CpuFactoriser, RefusesNan) {
  const auto linalg = make_cpu_linalg<double>(backend, GetParam());
  auto a = positive_definite<double>(80);
  a.at(50, 20) = std::numeric_limits<double>::quiet_NaN();
  auto v = a;
  std::vector<double> w(80);

  linalg->cholesky({a.values.data(), 80, 80});
  EXPECT_THROW(backend.synchronize(), Error);

  linalg->eigh({v.values.data(), 80, 80}, {w.data(), 80});
  EXPECT_THROW(backend.synchronize(), Error);
}

TEST(CpuParallelTiles, HandOnTheExceptionOfATile) {
  const auto work = [](std::int64_t tile, int) {
    if (tile == 13) throw Error(Errc::numerical, "tile 13");
  };

  EXPECT_THROW(parallel_tiles(1, 50, work), Error);
  EXPECT_THROW(parallel_tiles(3, 50, work), Error);
}

TEST(CpuSimd, TransposeExchangesRowsAndColumns) {
  constexpr int lanes = kLanes<float>;
  Simd<float> rows[lanes];
  for (int i = 0; i < lanes; ++i)
    for (int j = 0; j < lanes; ++j) rows[i][j] = static_cast<float>(100 * i + j);

  transpose<float>(rows);

  for (int i = 0; i < lanes; ++i)
    for (int j = 0; j < lanes; ++j)
      EXPECT_EQ(rows[i][j], static_cast<float>(100 * j + i)) << i << ", " << j;
}

}  // namespace
}  // namespace kronite::test
