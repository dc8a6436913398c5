// The GPU's fused score_pairs, run block by block on the CPU (kernels/phases.hpp).
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/phases.hpp"  // for CpuBlock
#include "kernels/score_block.hpp"

namespace kronite {
namespace {

/// Networks, descriptors and pairs that own what their views show.
struct Problem {
  std::vector<std::vector<double>> numbers;  // weights and biases, each block its own heap block
  EnsembleView<double> ensemble;
  std::vector<double> queries, candidates;
  std::vector<std::int32_t> query, candidate;
  std::int64_t features = 0;

  MatrixView<const double> query_view() const { return rows_of(queries); }
  MatrixView<const double> candidate_view() const { return rows_of(candidates); }
  PairView pairs() const {
    const auto n = static_cast<std::int64_t>(query.size());
    return {{query.data(), n}, {candidate.data(), n}};
  }

 private:
  MatrixView<const double> rows_of(const std::vector<double>& values) const {
    return {values.data(), static_cast<std::int64_t>(values.size()) / features, features};
  }
};

/// One member per list of widths; widths of one list are those of its layers' outputs.
Problem make_problem(std::int64_t features, const std::vector<std::vector<int>>& members,
                     int pair_count) {
  std::mt19937 random(20220101);
  std::normal_distribution<double> normal;
  Problem problem;
  problem.features = features;
  const auto fill = [&](std::int64_t n, double scale) {
    std::vector<double> values(static_cast<std::size_t>(n));
    for (double& v : values) v = scale * normal(random);
    return values;
  };
  for (const auto& widths : members) {
    NetworkView<double> network;
    std::int64_t inputs = features;
    for (const int units : widths) {
      problem.numbers.push_back(fill(units * inputs, 1.0 / std::sqrt(double(inputs))));
      const double* weight = problem.numbers.back().data();
      problem.numbers.push_back(fill(units, 0.3));
      const bool last = &units == &widths.back();
      network.layers.push_back({{weight, units, inputs},
                                {problem.numbers.back().data(), units},
                                last ? Activation::none : Activation::relu});
      inputs = units;
    }
    problem.ensemble.members.push_back(network);
  }
  problem.queries = fill(3 * features, 1.0);
  problem.candidates = fill(11 * features, 1.0);
  for (int n = 0; n < pair_count; ++n) {
    problem.query.push_back(n % 3);
    problem.candidate.push_back((7 * n) % 11);
  }
  return problem;
}

std::vector<double> run_blocks(const Problem& problem, ThreadOrder order) {
  const std::int64_t n = problem.pairs().query.size;
  std::vector<double> p(static_cast<std::size_t>(n), std::numeric_limits<double>::quiet_NaN());
  const ScoreJob<double> job{problem.query_view(), problem.candidate_view(), problem.pairs(),
                             VectorView<double>(p.data(), n), score_ensemble(problem.ensemble)};
  for (std::int64_t block = 0; block * kTile < n; ++block) {
    CpuBlock<ScoreShared<double>, ScoreRegisters<double>> threads(kTileThreads, order);
    score_block(block, job, threads.shared(), threads);
  }
  return p;
}

/// The definition: one pair, one member after the other.
double probability_of(const Problem& problem, std::size_t n) {
  double mean = 0.0;
  for (const auto& member : problem.ensemble.members) {
    std::vector<double> x;
    for (std::int64_t f = 0; f < problem.features; ++f)
      x.push_back(std::abs(problem.query_view().row(problem.query[n])[f] -
                           problem.candidate_view().row(problem.candidate[n])[f]));
    for (const auto& layer : member.layers) {
      std::vector<double> y;
      for (std::int64_t unit = 0; unit < layer.weight.rows; ++unit) {
        double sum = layer.bias.data[unit];
        for (std::size_t k = 0; k < x.size(); ++k) sum += layer.weight.row(unit)[k] * x[k];
        y.push_back(layer.activation == Activation::relu ? std::max(sum, 0.0) : sum);
      }
      x = y;
    }
    const double alike = x.size() == 2 ? std::exp(x[1]) / (std::exp(x[0]) + std::exp(x[1]))
                                       : 1.0 / (1.0 + std::exp(-x[0]));
    mean += alike / static_cast<double>(problem.ensemble.members.size());
  }
  return mean;
}

struct Case {
  std::int64_t features;
  std::vector<std::vector<int>> members;
  int pairs;
};

/// Widths and counts around the slab's 16 inputs and the tile's 64 units and pairs.
class ScoreBlocks : public testing::TestWithParam<Case> {};

TEST_P(ScoreBlocks, GiveTheMeanProbabilityOfEveryPair) {
  const auto& [features, members, pairs] = GetParam();
  const Problem problem = make_problem(features, members, pairs);

  const auto p = run_blocks(problem, ThreadOrder::ascending);

  // Sums of up to 290 products of size 1 in another order: 290 * 2^-53, some tenfold.
  for (std::size_t n = 0; n < p.size(); ++n)
    ASSERT_NEAR(p[n], probability_of(problem, n), 1e-12) << "pair " << n;
}

TEST_P(ScoreBlocks, DoNotDependOnTheOrderOfTheThreads) {
  const auto& [features, members, pairs] = GetParam();
  const Problem problem = make_problem(features, members, pairs);

  const auto up = run_blocks(problem, ThreadOrder::ascending);
  const auto down = run_blocks(problem, ThreadOrder::descending);

  EXPECT_EQ(up, down);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ScoreBlocks,
    testing::Values(Case{290, {{64, 32, 2}, {64, 32, 2}}, 130}, Case{16, {{64, 64, 1}}, 64},
                    Case{17, {{63, 17, 2}, {5, 1}, {2}}, 65}, Case{1, {{1}}, 1},
                    Case{290, {{10, 2}, {10, 2}, {10, 2}, {10, 2}, {10, 2}}, 3}));

TEST(ScoreBlock, LeavesWideOrHeadlessNetworksToTheDefaultBody) {
  const Problem narrow = make_problem(8, {{64, 2}}, 1);
  const Problem wide = make_problem(8, {{65, 2}}, 1);
  const Problem three_logits = make_problem(8, {{64, 3}}, 1);
  const Problem many = make_problem(2, std::vector<std::vector<int>>(kScoreMembers + 1, {2}), 1);
  const Problem deep = make_problem(2, {std::vector<int>(kScoreLayers + 1, 2)}, 1);

  EXPECT_TRUE(is_narrow(narrow.ensemble));
  EXPECT_FALSE(is_narrow(wide.ensemble));
  EXPECT_FALSE(is_narrow(three_logits.ensemble));
  EXPECT_FALSE(is_narrow(many.ensemble));
  EXPECT_FALSE(is_narrow(deep.ensemble));
  EXPECT_FALSE(is_narrow(EnsembleView<double>{}));
}

TEST(ScoreBlock, FitsIntoTheParametersOfALaunch) {
  // Every architecture takes 4 KiB.
  EXPECT_LE(sizeof(ScoreJob<float>), 4096U);
}

}  // namespace
}  // namespace kronite
