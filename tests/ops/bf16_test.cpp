// The bf16 forms of scoring on the CPU, each alone, against plain loops that round as they do.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "cases/network_cases.hpp"
#include "cpu/amx_networks.hpp"
#include "cpu/panel_networks.hpp"
#include "device/backend.hpp"  // for network
#include "support/oracle.hpp"

namespace kronite::test {
namespace {

/// Round to 8 significant bits, halves to even.
double to_bf16(double value) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  return std::bit_cast<float>((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000U);
}

oracle::Matrix rounded(oracle::Matrix m) {
  for (double& value : m.values) value = to_bf16(value);
  return m;
}

std::vector<double> rounded_probabilities(const ScoreInputs<float>& in) {
  const auto pairs = static_cast<std::int64_t>(in.query.size());
  oracle::Matrix x(pairs, in.queries.cols);
  x.fill([&](std::int64_t n, std::int64_t f) {
    return std::abs(in.queries.at(in.query[static_cast<std::size_t>(n)], f) -
                    in.candidates.at(in.candidate[static_cast<std::size_t>(n)], f));
  });
  std::vector<double> p(in.query.size());
  for (const auto& layers : in.networks) {
    oracle::Matrix y = x;
    for (const auto& layer : layers)
      y = oracle::dense(rounded(oracle::to_double(layer.weight)), oracle::to_double(layer.bias),
                        layer.activation, rounded(y));
    for (std::size_t n = 0; n < p.size(); ++n)
      p[n] += oracle::alike_probability(y, static_cast<std::int64_t>(n)) /
              static_cast<double>(in.networks.size());
  }
  return p;
}

template <class Networks>
std::vector<float> score(const ScoreInputs<float>& in) {
  Device device = Device::cpu();
  const DeviceEnsemble<float> ensemble(device, in.networks);
  Networks networks(ensemble.view());
  std::vector<float> packed(static_cast<std::size_t>(networks.packed_size()));
  std::vector<float> scratch(static_cast<std::size_t>(networks.tile_size()));
  std::vector<float> p(in.query.size());
  networks.pack(1, packed.data());
  const auto queries = in.queries.view(), candidates = in.candidates.view();
  for (std::size_t first = 0; first < p.size(); first += kTilePairs) {
    PairTile tile;
    tile.count = static_cast<std::int64_t>(std::min<std::size_t>(kTilePairs, p.size() - first));
    for (std::size_t n = 0; n < kTilePairs; ++n) {
      const std::size_t pair = std::min(first + n, p.size() - 1);
      tile.query[n] = queries.row(in.query[pair]);
      tile.candidate[n] = candidates.row(in.candidate[pair]);
    }
    networks.score(tile, scratch.data(), p.data() + first);
  }
  return p;
}

template <class Networks>
void expect_rounded_probabilities() {
  for (const ScoreCase& c : score_cases()) {
    SCOPED_TRACE(c.name);
    const ScoreInputs<float> in(c);

    const auto p = score<Networks>(in);

    const auto expected = rounded_probabilities(in);
    // Where the order of a sum moves a hidden value across the edge of its rounding, it changes by
    // 2^-8 of itself; a few of them move a probability by less than this.
    for (std::size_t n = 0; n < p.size(); ++n) EXPECT_NEAR(p[n], expected[n], 2e-3) << n;
  }
}

TEST(Bf16Scores, RoundFactorsToEightBitsOnVectors) {
#if defined(__AVX512BF16__)
  if (!__builtin_cpu_supports("avx512bf16")) GTEST_SKIP() << "no AVX512_BF16 on this processor";

  expect_rounded_probabilities<PanelNetworks<Bf16Words>>();
#else
  GTEST_SKIP() << "built without AVX512_BF16";
#endif
}

TEST(Bf16Scores, RoundFactorsToEightBitsOnTheMatrixUnit) {
#if defined(KRONITE_HAVE_AMX)
  if (!amx_available()) GTEST_SKIP() << "no AMX on this processor";

  expect_rounded_probabilities<AmxNetworks>();
#else
  GTEST_SKIP() << "built without AMX";
#endif
}

TEST(Bf16Scores, LieNearThoseOfFp32) {
  Device device = Device::cpu();
  const std::string refusal = network<float>(device).refuses(Precision::bf16);
  if (!refusal.empty()) GTEST_SKIP() << refusal;
  const ScoreInputs<float> in(published_2024(300));
  DeviceScore<float> on(device, in);
  const auto scores = [&](Precision precision) {
    network<float>(device).score_pairs(on.queries.view(), on.candidates.view(), on.pairs(),
                                       on.ensemble.view(), precision, on.p.vector());
    return on.p.to_host();
  };

  const auto fp32 = scores(Precision::fp32), bf16 = scores(Precision::bf16);

  EXPECT_NE(fp32, bf16);
  for (std::size_t n = 0; n < fp32.size(); ++n) EXPECT_NEAR(bf16[n], fp32[n], 0.02) << n;
}

TEST(Bf16Scores, AreRefusedWhereTheyAreNotThere) {
  Device device = Device::cpu();
  auto& ops = network<float>(device);

  EXPECT_EQ(ops.refuses(Precision::fp32), "");
  EXPECT_EQ(ops.refuses(Precision::tf32), "a CPU scores in fp32 or bf16 only");
  EXPECT_EQ(network<double>(device).refuses(Precision::bf16), "this device scores in fp32 only");
}

}  // namespace
}  // namespace kronite::test
