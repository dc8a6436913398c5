// Networks of every device against plain loops, and fused forms against the default body.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cases/network_cases.hpp"
#include "device/backend.hpp"  // for network
#include "support/near.hpp"
#include "support/on_each_device.hpp"
#include "support/oracle.hpp"

namespace kronite::test {
namespace {

class Network : public OnEachDevice {};
KRONITE_ON_EACH_DEVICE(Network);

template <class T>
oracle::Matrix differences(const ScoreInputs<T>& in) {
  const auto pairs = static_cast<std::int64_t>(in.query.size());
  return oracle::Matrix(pairs, in.queries.cols).fill([&](std::int64_t n, std::int64_t f) {
    return std::abs(
        static_cast<double>(in.queries.at(in.query[static_cast<std::size_t>(n)], f)) -
        static_cast<double>(in.candidates.at(in.candidate[static_cast<std::size_t>(n)], f)));
  });
}

template <class T>
oracle::Matrix probabilities(const ScoreInputs<T>& in) {
  const oracle::Matrix x = differences(in);
  oracle::Matrix p(x.rows, 1);
  p.fill([](std::int64_t, std::int64_t) { return 0.0; });
  for (const auto& layers : in.networks) {
    oracle::Matrix y = x;
    for (const auto& layer : layers)
      y = oracle::dense(layer.weight, layer.bias, layer.activation, y);
    for (std::int64_t n = 0; n < x.rows; ++n)
      p.at(n, 0) += oracle::alike_probability(y, n) / static_cast<double>(in.networks.size());
  }
  return p;
}

template <class T>
HostMatrix<T> column(const Array<T>& values, std::int64_t rows) {
  HostMatrix<T> m(rows, 1);
  m.values = values.to_host();
  return m;
}

/// A probability moves by at most a quarter of its logit's error, and logits of size one have
/// gathered sqrt(width) roundings per layer: under 100 epsilon for the widest networks here.
template <class T>
constexpr Tolerance kProbabilityTolerance{50 * kEpsilon<T>};

TEST_P(Network, PairDifferencesAreAbsoluteDifferences) {
  in_network_precisions(device, [&](auto zero) {
    using T = decltype(zero);
    for (const ScoreCase& c : score_cases()) {
      SCOPED_TRACE(c.name);
      const ScoreInputs<T> in(c);
      DeviceScore<T> on(device, in);
      DeviceMatrix<T> out(device, HostMatrix<T>(c.pairs, c.inputs, c.pad));

      network<T>(device).pair_differences(on.queries.view(), on.candidates.view(), on.pairs(),
                                          out.view());

      EXPECT_TRUE(near(out.to_host(), differences(in), {0, kEpsilon<T>}));  // rounded once
    }
  });
}

TEST_P(Network, DenseIsTheActivationOfAnAffineMap) {
  in_network_precisions(device, [&](auto zero) {
    using T = decltype(zero);
    for (const ScoreCase& c : score_cases()) {
      SCOPED_TRACE(c.name);
      const auto x = random_matrix<T>(9, c.pairs, c.inputs, c.pad);
      for (const auto& layers : make_networks<T>(c)) {
        const auto& layer = layers.front();
        DeviceMatrix<T> weight(device, layer.weight), bias(device, layer.bias), dx(device, x);
        DeviceMatrix<T> out(device, HostMatrix<T>(c.pairs, layer.weight.rows, c.pad));

        network<T>(device).dense({weight.view(), bias.vector(), layer.activation}, dx.view(),
                                 out.view());

        const auto expected =
            oracle::dense(layer.weight, layer.bias, layer.activation, oracle::to_double(x));
        // Sums of size one of up to 290 products: some sqrt(290) roundings.
        EXPECT_TRUE(near(out.to_host(), expected, {50 * kEpsilon<T>}));
      }
    }
  });
}

TEST_P(Network, ReluKeepsNan) {
  HostMatrix<float> x(1, 1), weight(2, 1), bias(1, 2);
  x.values = {std::numeric_limits<float>::quiet_NaN()};
  weight.values = {1, -1};
  bias.values = {0, 0};
  DeviceMatrix<float> dx(device, x), dw(device, weight), db(device, bias);
  DeviceMatrix<float> out(device, HostMatrix<float>(1, 2));

  network<float>(device).dense({dw.view(), db.vector(), Activation::relu}, dx.view(), out.view());

  for (const float value : out.to_host().values) EXPECT_TRUE(std::isnan(value)) << value;
}

TEST_P(Network, ProbabilityOfOneLogitIsTheLogisticFunction) {
  HostMatrix<float> logits(7, 1, 2);
  const std::vector<double> z{-1000, -90, -1, 0, 1, 20, 1000};
  logits.fill([&](std::int64_t i, std::int64_t) { return z[static_cast<std::size_t>(i)]; });
  DeviceMatrix<float> dz(device, logits);
  Array<float> p(device, 7, 1);

  network<float>(device).probability(dz.view(), 1, 0, p.vector());

  const auto expected = oracle::Matrix(7, 1).fill([&](std::int64_t i, std::int64_t) {
    return 1 / (1 + std::exp(-z[static_cast<std::size_t>(i)]));
  });
  EXPECT_TRUE(near(column(p, 7), expected, {4 * kEpsilon<float>}));
}

TEST_P(Network, ProbabilityOfTwoLogitsIsTheSecondOfTheSoftmax) {
  HostMatrix<float> logits(4, 2);
  logits.values = {1, 3, 800, -800, -800, 800, 5000, 5001};
  DeviceMatrix<float> dz(device, logits);
  Array<float> p(device, 4, 1);

  network<float>(device).probability(dz.view(), 1, 0, p.vector());

  oracle::Matrix expected(4, 1);
  expected.values = {1 / (1 + std::exp(-2.0)), 0, 1, 1 / (1 + std::exp(-1.0))};
  EXPECT_TRUE(near(column(p, 4), expected, {4 * kEpsilon<float>}));
}

TEST_P(Network, ProbabilityIsScaledAndAddedToWhatIsThere) {
  HostMatrix<float> logits(2, 1);
  logits.values = {0, 0};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  DeviceMatrix<float> dz(device, logits);
  Array<float> added(device, {1.0F, 2.0F}, 2, 1), replaced(device, {nan, nan}, 2, 1);

  network<float>(device).probability(dz.view(), 0.5F, 2.0F, added.vector());
  network<float>(device).probability(dz.view(), 0.5F, 0.0F, replaced.vector());

  EXPECT_EQ(added.to_host(), (std::vector<float>{2.25F, 4.25F}));
  EXPECT_EQ(replaced.to_host(), (std::vector<float>{0.25F, 0.25F}));
}

TEST_P(Network, ScoresAreMeansOverTheEnsemble) {
  in_network_precisions(device, [&](auto zero) {
    using T = decltype(zero);
    for (const ScoreCase& c : score_cases()) {
      SCOPED_TRACE(c.name);
      const ScoreInputs<T> in(c);
      DeviceScore<T> on(device, in);

      network<T>(device).score_pairs(on.queries.view(), on.candidates.view(), on.pairs(),
                                     on.ensemble.view(), Precision::fp32, on.p.vector());

      EXPECT_TRUE(near(column(on.p, c.pairs), probabilities(in), kProbabilityTolerance<T>));
    }
  });
}

TEST_P(Network, TheDefaultBodyOfScorePairsAgreesWithTheFusedForm) {
  for (const ScoreCase& c : score_cases()) {
    SCOPED_TRACE(c.name);
    const ScoreInputs<float> in(c);
    DeviceScore<float> on(device, in);

    network<float>(device).NetworkOps<float>::score_pairs(on.queries.view(), on.candidates.view(),
                                                          on.pairs(), on.ensemble.view(),
                                                          Precision::fp32, on.p.vector());

    EXPECT_TRUE(near(column(on.p, c.pairs), probabilities(in), kProbabilityTolerance<float>));
  }
}

TEST_P(Network, ScoringInTinyTilesChangesNothingBeyondRounding) {
  const ScoreCase c = published_2022(300);
  const ScoreInputs<float> in(c);
  DeviceOptions options;
  options.memory_limit = 1 << 20;  // half of it weights: room for some of the pairs at a time
  Device small = Device::parse(GetParam(), 1e300, options);
  DeviceScore<float> on(small, in);

  network<float>(small).score_pairs(on.queries.view(), on.candidates.view(), on.pairs(),
                                    on.ensemble.view(), Precision::fp32, on.p.vector());

  EXPECT_TRUE(near(column(on.p, c.pairs), probabilities(in), kProbabilityTolerance<float>));
}

}  // namespace
}  // namespace kronite::test
