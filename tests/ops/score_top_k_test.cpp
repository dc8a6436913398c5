// The best candidates of each query over blocks of pairs, on every device, against plain loops over
// all scores.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "cases/network_cases.hpp"
#include "device/backend.hpp"    // for network
#include "device/pair_walk.hpp"  // for PairWalk
#include "support/on_each_device.hpp"
#include "support/oracle.hpp"

namespace kronite::test {
namespace {

class ScoreTopK : public OnEachDevice {};
KRONITE_ON_EACH_DEVICE(ScoreTopK);

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct TopKScoreCase {
  std::string name;
  ScoreCase shape;
  std::vector<ScoreBlock> blocks;
  std::int64_t k;
  bool self = false;  ///< the candidates against themselves
  std::int64_t pad = 0;
};

ScoreCase small_networks(std::int64_t queries, std::int64_t candidates) {
  return {"", 18, {{6, 2}, {3, 1}}, 0, queries, candidates};
}

std::vector<TopKScoreCase> top_k_score_cases() {
  return {
      {"one pair", small_networks(1, 1), {{0, 1, 0, 1}}, 1},
      {"all pairs", small_networks(7, 61), {{0, 7, 0, 61}}, 5},
      {"more asked for than there are", small_networks(3, 4), {{0, 3, 0, 4}}, 6},
      {"one best", small_networks(40, 40), {{0, 40, 0, 40}}, 1},
      {"blocks side by side", small_networks(9, 90), {{0, 3, 0, 30}, {3, 9, 30, 90}}, 10},
      {"a range in two blocks", small_networks(4, 300), {{0, 4, 200, 300}, {0, 4, 0, 200}}, 8},
      {"empty blocks", small_networks(5, 9), {{1, 1, 0, 9}, {2, 4, 3, 9}, {4, 5, 9, 9}}, 2},
      {"no blocks", small_networks(5, 9), {}, 2},
      {"with strides", small_networks(6, 70), {{0, 6, 0, 70}}, 4, false, 3},
      {"published 2022", published_2022(0), {{0, 3, 0, 40}}, 10},
      {"published 2024", published_2024(0), {{0, 3, 0, 40}}, 10},
      {"self", small_networks(1, 150), {{0, 150, 0, 150}}, 10, true},
      {"self, groups",
       small_networks(1, 90),
       {{0, 1, 0, 1}, {1, 3, 1, 3}, {3, 90, 3, 90}},
       5,
       true},
      {"self, cut into parts",
       small_networks(1, 99),
       {{0, 40, 0, 40}, {0, 40, 40, 99}, {40, 99, 40, 70}, {40, 99, 70, 99}},
       12,
       true},
      {"self, published 2022", published_2022(0), {{0, 40, 0, 40}}, 10, true},
  };
}

/// Which pairs count: meets[i][j].
std::vector<std::vector<bool>> meetings(const TopKScoreCase& c, std::int64_t rows) {
  std::vector<std::vector<bool>> meets(
      static_cast<std::size_t>(rows),
      std::vector<bool>(static_cast<std::size_t>(c.shape.candidates)));
  for (const auto& b : c.blocks)
    for (auto i = static_cast<std::size_t>(b.query_begin); std::cmp_less(i, b.query_end); ++i)
      for (auto j = static_cast<std::size_t>(b.candidate_begin); std::cmp_less(j, b.candidate_end);
           ++j) {
        if (c.self && i >= j) continue;
        meets[i][j] = true;
        if (c.self) meets[j][i] = true;
      }
  return meets;
}

struct Lists {
  HostMatrix<float> p;
  HostMatrix<std::int32_t> index;
};

/// The inputs of a case on a device, and what comes out there.
struct TopKScores {
  TopKScores(Device& on_device, const TopKScoreCase& tried)
      : TopKScores(on_device, tried, ScoreInputs<float>(tried.shape)) {}
  TopKScores(Device& on_device, const TopKScoreCase& tried, const ScoreInputs<float>& in)
      : device(on_device),
        c(tried),
        on(device, in),
        p(device, empty_p()),
        index(device, HostMatrix<std::int32_t>(rows(), c.k, c.pad)) {}

  std::int64_t rows() const { return c.self ? c.shape.candidates : c.shape.queries; }
  MatrixView<const float> queries() { return c.self ? on.candidates.view() : on.queries.view(); }

  Lists fused() {
    network<float>(device).score_top_k(queries(), on.candidates.view(), c.blocks,
                                       on.ensemble.view(), {c.self}, p.view(), index.view());
    return lists();
  }
  Lists default_body() {
    network<float>(device).NetworkOps<float>::score_top_k(queries(), on.candidates.view(), c.blocks,
                                                          on.ensemble.view(), {c.self}, p.view(),
                                                          index.view());
    return lists();
  }
  Lists lists() {
    device.synchronize();
    return {p.to_host(), index.to_host()};
  }

  /// Every query with every candidate, by score_pairs, which has its own tests.
  HostMatrix<float> all_scores() {
    const std::int64_t n = rows() * c.shape.candidates;
    std::vector<std::int32_t> query, candidate;
    for (std::int32_t i = 0; i < rows(); ++i)
      for (std::int32_t j = 0; j < c.shape.candidates; ++j) {
        query.push_back(i);
        candidate.push_back(j);
      }
    const Array<std::int32_t> from(device, query, n, 1), to(device, candidate, n, 1);
    Array<float> scores(device, n, 1);
    network<float>(device).score_pairs(queries(), on.candidates.view(),
                                       {from.vector(), to.vector()}, on.ensemble.view(),
                                       Precision::fp32, scores.vector());
    HostMatrix<float> all(rows(), c.shape.candidates);
    all.values = scores.to_host();
    return all;
  }

  Device& device;
  TopKScoreCase c;
  DeviceScore<float> on;
  DeviceMatrix<float> p;
  DeviceMatrix<std::int32_t> index;

 private:
  /// What is there before must not matter.
  HostMatrix<float> empty_p() const {
    return HostMatrix<float>(rows(), c.k, c.pad).fill([](auto, auto) { return 2.0; });
  }
};

/// Rows of `all` restricted to `meets`, ranked in plain loops. Scores of one pair may differ by the
/// order of sums between forms of the operation: 50 roundings, as in network_test.cpp.
void expect_best(const TopKScoreCase& c, const HostMatrix<float>& all, const Lists& lists) {
  const double tolerance = 50 * std::numeric_limits<float>::epsilon();
  const auto meets = meetings(c, all.rows);
  EXPECT_TRUE(lists.p.padding_is_untouched());
  EXPECT_TRUE(lists.index.padding_is_untouched());
  for (std::int64_t i = 0; i < all.rows; ++i) {
    std::vector<float> scores;
    for (std::int64_t j = 0; j < all.cols; ++j)
      if (meets[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)])
        scores.push_back(all.at(i, j));
    std::sort(scores.rbegin(), scores.rend());
    std::set<std::int32_t> seen;
    for (std::int64_t r = 0; r < c.k; ++r) {
      SCOPED_TRACE(testing::Message() << "row " << i << ", place " << r);
      const std::int32_t j = lists.index.at(i, r);
      if (std::cmp_greater_equal(r, scores.size())) {
        EXPECT_EQ(j, -1);
        EXPECT_TRUE(std::isnan(lists.p.at(i, r)));
        continue;
      }
      ASSERT_TRUE(j >= 0 && j < all.cols &&
                  meets[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)])
          << j;
      EXPECT_TRUE(seen.insert(j).second) << j << " is there twice";
      EXPECT_NEAR(lists.p.at(i, r), all.at(i, j), tolerance);
      EXPECT_NEAR(lists.p.at(i, r), scores[static_cast<std::size_t>(r)], tolerance);
      if (r > 0) {
        EXPECT_GE(lists.p.at(i, r - 1), lists.p.at(i, r));
      }
    }
  }
}

TEST_P(ScoreTopK, FindsTheBestCandidatesOfEachQuery) {
  for (const auto& c : top_k_score_cases()) {
    SCOPED_TRACE(c.name);
    TopKScores scores(device, c);
    const auto all = scores.all_scores();

    expect_best(c, all, scores.fused());
  }
}

TEST_P(ScoreTopK, HasADefaultBodyThatFindsThemToo) {
  for (const auto& c : top_k_score_cases()) {
    SCOPED_TRACE(c.name);
    TopKScores scores(device, c);
    const auto all = scores.all_scores();

    expect_best(c, all, scores.default_body());
  }
}

TEST_P(ScoreTopK, GivesEachPairOfALibraryOneScore) {
  const TopKScoreCase c{"self", small_networks(1, 60), {{0, 60, 0, 60}}, 59, true};
  TopKScores scores(device, c);

  const Lists lists = scores.fused();

  HostMatrix<float> p(60, 60);
  for (std::int64_t i = 0; i < 60; ++i)
    for (std::int64_t r = 0; r < c.k; ++r) p.at(i, lists.index.at(i, r)) = lists.p.at(i, r);
  for (std::int64_t i = 0; i < 60; ++i)
    for (std::int64_t j = 0; j < i; ++j) EXPECT_EQ(p.at(i, j), p.at(j, i)) << i << ", " << j;
}

TEST_P(ScoreTopK, OrdersEqualScoresByIndex) {
  TopKScoreCase c{"ties", small_networks(2, 300), {{0, 2, 150, 300}, {0, 2, 0, 150}}, 7};
  for (const bool self : {false, true}) {
    c.self = self;
    if (self) c.blocks = {{0, 300, 0, 300}};
    ScoreInputs<float> in(c.shape);
    in.candidates.fill([](auto, auto) { return 0.1; });
    TopKScores scores(device, c, in);

    const Lists lists = scores.fused();

    for (std::int64_t i = 0; i < scores.rows(); ++i) {
      std::vector<std::int32_t> expected;
      for (std::int32_t j = 0; expected.size() < 7; ++j)
        if (!self || j != i) expected.push_back(j);
      for (std::int64_t r = 0; r < c.k; ++r)
        EXPECT_EQ(lists.index.at(i, r), expected[static_cast<std::size_t>(r)]) << i << ", " << r;
    }
  }
}

TEST_P(ScoreTopK, PutsNanBehindNumbersAndBeforeNothing) {
  const TopKScoreCase c{"NaN", small_networks(2, 6), {{0, 2, 0, 6}}, 8};
  ScoreInputs<float> in(c.shape);
  for (const std::int64_t j : {0, 3}) in.candidates.at(j, 5) = kNan;
  TopKScores scores(device, c, in);

  const Lists lists = scores.fused();

  for (std::int64_t i = 0; i < 2; ++i) {
    for (std::int64_t r = 0; r < 4; ++r) EXPECT_FALSE(std::isnan(lists.p.at(i, r)));
    for (std::int64_t r = 4; r < 8; ++r) EXPECT_TRUE(std::isnan(lists.p.at(i, r)));
    EXPECT_EQ(lists.index.at(i, 4), 0);
    EXPECT_EQ(lists.index.at(i, 5), 3);
    EXPECT_EQ(lists.index.at(i, 6), -1);
    EXPECT_EQ(lists.index.at(i, 7), -1);
  }
}

TEST_P(ScoreTopK, GoesOnFromTheListsThatAreThere) {
  const TopKScoreCase c{"appended", small_networks(1, 120), {}, 10, true};
  const std::vector<ScoreBlock> whole{{0, 120, 0, 120}};
  const std::vector<std::vector<ScoreBlock>> parts{
      {{60, 120, 60, 120}}, {{0, 60, 0, 90}, {0, 30, 90, 120}}, {{30, 60, 90, 120}}};
  TopKScores scores(device, c), at_once(device, c);
  at_once.c.blocks = whole;

  TopKScoring how{true};
  for (const auto& blocks : parts) {
    network<float>(device).score_top_k(scores.queries(), scores.queries(), blocks,
                                       scores.on.ensemble.view(), how, scores.p.view(),
                                       scores.index.view());
    how.append = true;
  }

  expect_best(at_once.c, at_once.all_scores(), scores.lists());
}

TEST_P(ScoreTopK, WorksInTinyTiles) {
  DeviceOptions options;
  options.memory_limit = 1 << 20;  // half of it weights: room for some of the pairs at a time
  Device little = Device::parse(GetParam(), 1e300, options);
  const TopKScoreCase c{"tiny", published_2022(0), {{0, 40, 0, 40}}, 5, true};
  TopKScores scores(little, c), roomy(device, c);

  expect_best(c, roomy.all_scores(), scores.fused());
}

TEST(PairWalk, VisitsEveryPairOnceInOrderFromAnyPlace) {
  const std::vector<ScoreBlock> blocks{
      {0, 3, 2, 6}, {4, 4, 0, 9}, {5, 9, 2, 8}, {1, 2, 1, 1}, {2, 6, 0, 3}};
  for (const bool self : {false, true}) {
    std::vector<std::pair<int, int>> expected;
    for (const auto& b : blocks)
      for (int i = b.query_begin; i < b.query_end; ++i)
        for (int j = b.candidate_begin; j < b.candidate_end; ++j)
          if (!self || i < j) expected.emplace_back(i, j);

    const PairWalk walk(blocks, self);

    ASSERT_EQ(walk.size(), std::ssize(expected));
    for (std::int64_t first = 0; first < walk.size(); ++first)
      for (std::int64_t count = 1; first + count <= walk.size(); ++count)
        walk.visit(first, count, [&](std::int64_t n, IndexPair pair) {
          const auto [i, j] = expected[static_cast<std::size_t>(first + n)];
          EXPECT_TRUE(pair.query == i && pair.candidate == j) << first << " + " << n;
        });
  }
}

}  // namespace
}  // namespace kronite::test
