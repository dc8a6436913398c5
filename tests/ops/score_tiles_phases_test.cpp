// The GPU's score_top_k without its networks: plan, lists of pairs and merging, block by block on
// the CPU (kernels/phases.hpp).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "kernels/phases.hpp"   // for CpuBlock
#include "kernels/ranking.hpp"  // for ranks_before
#include "kernels/score_tiles.hpp"
#include "support/random.hpp"  // for random_bits

namespace kronite::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// A score of few different values, and NaN now and then, that pairs (i, j) and (j, i) share.
float score_of(std::int32_t i, std::int32_t j) {
  const auto [low, high] = std::minmax(i, j);
  const auto value = random_bits(static_cast<std::uint64_t>(low), static_cast<std::uint64_t>(high));
  return value % 13 == 0 ? kNan : static_cast<float>(value % 50) / 50;
}

struct Case {
  const char* name;
  std::int32_t queries, candidates;
  std::vector<ScoreBlock> blocks;
  std::int64_t k;
  bool self;
};

std::vector<Case> cases() {
  return {
      {"one pair", 1, 1, {{0, 1, 0, 1}}, 1, false},
      {"no blocks", 3, 3, {}, 2, false},
      {"one block", 5, 70, {{0, 5, 0, 70}}, 10, false},
      {"more asked for than there are", 3, 4, {{0, 3, 0, 4}}, 9, false},
      {"blocks side by side", 9, 90, {{0, 3, 0, 30}, {3, 9, 30, 90}}, 7, false},
      {"a range in two blocks", 4, 300, {{0, 4, 200, 300}, {0, 4, 0, 200}}, 8, false},
      {"empty blocks", 5, 9, {{1, 1, 0, 9}, {2, 4, 3, 9}, {4, 5, 9, 9}}, 2, false},
      {"many best", 2, 2000, {{0, 2, 0, 2000}}, 1024, false},
      {"self", 60, 60, {{0, 60, 0, 60}}, 10, true},
      {"self, groups", 90, 90, {{0, 1, 0, 1}, {1, 3, 1, 3}, {3, 90, 3, 90}}, 5, true},
      {"self, cut into parts",
       99,
       99,
       {{0, 40, 0, 40}, {0, 40, 40, 99}, {40, 99, 40, 99}},
       12,
       true},
  };
}

struct Lists {
  std::vector<float> p;
  std::vector<std::int32_t> index;
};

/// What the host of the CUDA backend does, with score_of() for a network.
Lists run(const Case& c, std::int64_t most, ThreadOrder order) {
  const auto size = static_cast<std::size_t>(c.queries * c.k);
  Lists lists{std::vector<float>(size, kNan), std::vector<std::int32_t>(size, -1)};
  const ScorePlan plan = plan_batches(c.blocks, c.self, most);
  for (const ScoreBatch& batch : plan.batches) {
    const ScoreTile* const tiles = plan.tiles.data() + batch.first_tile;
    std::vector<float> scores;
    for (std::int64_t n = 0; n < batch.pairs; ++n) {
      const IndexPair pair = pair_of(tiles, batch.tiles, c.self, n);
      scores.push_back(score_of(pair.query, pair.candidate));
    }
    const auto merge = [&](Partners partners, std::int64_t rows) {
      const MergeJob<float> job{tiles,
                                batch.tiles,
                                scores.data(),
                                partners,
                                c.self,
                                {lists.p.data(), c.queries, c.k},
                                {lists.index.data(), c.queries, c.k}};
      for (std::int64_t block = 0; block < rows; ++block) {
        CpuBlock<TopKShared<float>, TopKRegisters> threads(kTopKThreads, order);
        merge_block(block, job, threads.shared(), threads);
      }
    };
    merge(Partners::candidates, batch.queries);
    if (c.self) merge(Partners::queries, batch.candidates);
  }
  return lists;
}

/// The definition: every pair of every block, each list sorted whole.
Lists sorted(const Case& c) {
  std::vector<std::vector<Ranked<float>>> rows(static_cast<std::size_t>(c.queries));
  for (const ScoreBlock& b : c.blocks)
    for (std::int32_t i = b.query_begin; i < b.query_end; ++i)
      for (std::int32_t j = b.candidate_begin; j < b.candidate_end; ++j) {
        if (c.self && i >= j) continue;
        rows[static_cast<std::size_t>(i)].push_back({score_of(i, j), j});
        if (c.self) rows[static_cast<std::size_t>(j)].push_back({score_of(i, j), i});
      }
  Lists lists;
  for (auto& row : rows) {
    std::sort(row.begin(), row.end(), ranks_before<true, float>);
    row.resize(static_cast<std::size_t>(c.k), {kNan, -1});
    for (const auto& entry : row) {
      lists.p.push_back(entry.value);
      lists.index.push_back(entry.index);
    }
  }
  return lists;
}

class ScoreTiles : public testing::TestWithParam<Case> {};
std::string case_name(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.name;
  std::erase_if(name, [](char c) { return c == ',' || c == ' '; });
  return name;
}
INSTANTIATE_TEST_SUITE_P(Cases, ScoreTiles, testing::ValuesIn(cases()), case_name);

TEST_P(ScoreTiles, KeepTheBestOfAllPairs) {
  const Lists expected = sorted(GetParam());
  for (const std::int64_t most : {1, 7, 64, 1000000}) {
    SCOPED_TRACE(testing::Message() << "batches of " << most << " pairs");

    const Lists lists = run(GetParam(), most, ThreadOrder::ascending);

    EXPECT_EQ(lists.index, expected.index);
    for (std::size_t i = 0; i < lists.p.size(); ++i)
      EXPECT_TRUE(lists.p[i] == expected.p[i] ||
                  (std::isnan(lists.p[i]) && std::isnan(expected.p[i])))
          << i;
  }
}

TEST_P(ScoreTiles, DoNotDependOnTheOrderOfTheThreads) {
  EXPECT_EQ(run(GetParam(), 64, ThreadOrder::ascending).index,
            run(GetParam(), 64, ThreadOrder::descending).index);
}

TEST_P(ScoreTiles, OfABatchShareNoRow) {
  const Case& c = GetParam();
  const ScorePlan plan = plan_batches(c.blocks, c.self, 500);

  for (const ScoreBatch& batch : plan.batches) {
    std::set<std::int32_t> queries, candidates;
    for (std::int64_t t = 0; t < batch.tiles; ++t) {
      const ScoreBlock& b = plan.tiles[static_cast<std::size_t>(batch.first_tile + t)].block;
      for (std::int32_t i = b.query_begin; i < b.query_end; ++i)
        EXPECT_TRUE(queries.insert(i).second) << i;
      for (std::int32_t j = b.candidate_begin; c.self && j < b.candidate_end; ++j)
        EXPECT_TRUE(candidates.insert(j).second) << j;
    }
    EXPECT_LE(batch.pairs, 500);
  }
}

}  // namespace
}  // namespace kronite::test
