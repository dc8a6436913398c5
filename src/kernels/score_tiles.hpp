// score_top_k on a GPU: blocks of pairs are cut into tiles, tiles gathered into batches whose pairs
// are listed and scored together, and the scores of each row enter its running list of the k best,
// one row per GPU block, in phases (kernels/phases.hpp).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "device/pair_walk.hpp"     // for first_candidate, pairs_before
#include "kernels/element.hpp"      // for element
#include "kernels/host_device.hpp"  // for KRONITE_HD
#include "kernels/ranking_key.hpp"  // for ranking_key, ranking_value
#include "kernels/top_k_block.hpp"  // for best_phases
#include "kronite/network.hpp"      // for ScoreBlock
#include "kronite/view.hpp"         // for MatrixView

namespace kronite {

// --- the plan -----------------------------------------------------------------------------------

/// Part of a block, and how many pairs and rows the tiles before it in its batch have.
struct ScoreTile {
  ScoreBlock block;
  std::int64_t first_pair, first_query, first_candidate;
};

/// Tiles that are scored together. No query is in two of them, and with `self` no candidate.
struct ScoreBatch {
  std::int64_t first_tile = 0, tiles = 0;
  std::int64_t pairs = 0, queries = 0, candidates = 0;
};

struct ScorePlan {
  std::vector<ScoreTile> tiles;
  std::vector<ScoreBatch> batches;
};

/// Calls f for parts of a block with at most `most` pairs each, as wide as they get; f is not
/// called for parts without pairs.
template <class F>
void for_tiles(const ScoreBlock& block, bool self, std::int64_t most, const F& f) {
  const std::int64_t width = block.candidate_end - block.candidate_begin;
  const std::int64_t height = block.query_end - block.query_begin;
  const auto candidates = static_cast<std::int32_t>(std::min(width, most));
  if (candidates == 0 || height == 0) return;
  const auto queries = static_cast<std::int32_t>(std::min(height, most / candidates));
  for (std::int64_t j = block.candidate_begin; j < block.candidate_end; j += candidates)
    for (std::int64_t i = block.query_begin; i < block.query_end; i += queries) {
      const ScoreBlock tile{
          static_cast<std::int32_t>(i),
          static_cast<std::int32_t>(std::min<std::int64_t>(block.query_end, i + queries)),
          static_cast<std::int32_t>(j),
          static_cast<std::int32_t>(std::min<std::int64_t>(block.candidate_end, j + candidates))};
      if (pairs_of(tile, self) > 0) f(tile);
    }
}

/// Batches of at most `most` pairs, most > 0.
inline ScorePlan plan_batches(const std::vector<ScoreBlock>& blocks, bool self, std::int64_t most) {
  ScorePlan plan;
  plan.batches.emplace_back();
  const auto meets = [](std::int32_t begin, std::int32_t end, std::int32_t begin2,
                        std::int32_t end2) { return begin < end2 && begin2 < end; };
  const auto joins = [&](const ScoreBlock& tile) {
    const ScoreBatch& batch = plan.batches.back();
    if (batch.pairs + pairs_of(tile, self) > most) return false;
    return std::none_of(
        plan.tiles.begin() + batch.first_tile, plan.tiles.end(), [&](const ScoreTile& other) {
          const ScoreBlock& o = other.block;
          return meets(tile.query_begin, tile.query_end, o.query_begin, o.query_end) ||
                 (self && meets(tile.candidate_begin, tile.candidate_end, o.candidate_begin,
                                o.candidate_end));
        });
  };
  for (const ScoreBlock& block : blocks)
    for_tiles(block, self, most, [&](const ScoreBlock& tile) {
      if (!joins(tile)) {
        plan.batches.emplace_back();
        plan.batches.back().first_tile = static_cast<std::int64_t>(plan.tiles.size());
      }
      ScoreBatch& batch = plan.batches.back();
      plan.tiles.push_back({tile, batch.pairs, batch.queries, batch.candidates});
      ++batch.tiles;
      batch.pairs += pairs_of(tile, self);
      batch.queries += tile.query_end - tile.query_begin;
      batch.candidates += tile.candidate_end - tile.candidate_begin;
    });
  return plan;
}

// --- on the device ------------------------------------------------------------------------------

/// The tile that item n of a batch belongs to; `first` is what counts the items before a tile.
KRONITE_HD inline const ScoreTile& tile_of(const ScoreTile* tiles, std::int64_t count,
                                           std::int64_t ScoreTile::*first, std::int64_t n) {
  std::int64_t low = 0, high = count;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (tiles[middle].*first <= n ? low : high) = middle;
  }
  return tiles[low];
}

/// Pair n of a batch.
KRONITE_HD inline IndexPair pair_of(const ScoreTile* tiles, std::int64_t count, bool self,
                                    std::int64_t n) {
  const ScoreTile& tile = tile_of(tiles, count, &ScoreTile::first_pair, n);
  const std::int64_t in_tile = n - tile.first_pair;
  const std::int32_t i = row_of_pair(tile.block, self, in_tile);
  const std::int64_t in_row = in_tile - pairs_before(tile.block, self, i);
  return {i, static_cast<std::int32_t>(first_candidate(tile.block, self, i) + in_row)};
}

enum class Partners { candidates, queries };

/// The list of a row and the new scores of a tile that belong to it: those of query `row` with its
/// candidates, or, with `self`, of candidate `row` with its queries.
template <class T>
struct ListAndScores {
  MatrixView<T> p;
  MatrixView<std::int32_t> index;
  const T* scores;  ///< of the batch
  ScoreTile tile;
  Partners partners;
  bool self;
  std::int32_t row;
  std::int32_t filled;  ///< places of the list that are taken
  std::int32_t begin, end;

  KRONITE_HD ListAndScores(const MatrixView<T>& p_, const MatrixView<std::int32_t>& index_,
                           const T* scores_, const ScoreTile& tile_, Partners partners_, bool self_,
                           std::int32_t row_)
      : p(p_),
        index(index_),
        scores(scores_),
        tile(tile_),
        partners(partners_),
        self(self_),
        row(row_),
        filled(0) {
    const ScoreBlock& b = tile.block;
    if (partners == Partners::candidates) {
      begin = first_candidate(b, self, row);
      end = b.candidate_end;
    } else {
      begin = b.query_begin;
      end = b.query_end < row ? b.query_end : row;
      if (end < begin) end = begin;
    }
    // Empty places are the last ones.
    auto high = static_cast<std::int32_t>(p.cols);
    while (filled < high) {
      const std::int32_t middle = filled + (high - filled) / 2;
      if (element(index, row, middle) >= 0)
        filled = middle + 1;
      else
        high = middle;
    }
  }

  KRONITE_HD std::int64_t size() const { return filled + (end - begin); }
  KRONITE_HD TopKItem<T> item(std::int64_t n) const {
    if (n < filled)
      return {ranking_key<true>(element(p, row, n)),
              static_cast<std::uint32_t>(element(index, row, n))};
    const auto partner = static_cast<std::int32_t>(begin + (n - filled));
    const std::int32_t i = partners == Partners::candidates ? row : partner;
    const std::int32_t j = partners == Partners::candidates ? partner : row;
    const std::int64_t at = tile.first_pair + pairs_before(tile.block, self, i) +
                            (j - first_candidate(tile.block, self, i));
    return {ranking_key<true>(scores[at]), static_cast<std::uint32_t>(partner)};
  }
};

/// What a launch of merge_block works on.
template <class T>
struct MergeJob {
  const ScoreTile* tiles;
  std::int64_t count;
  const T* scores;
  Partners partners;
  bool self;
  MatrixView<T> p;
  MatrixView<std::int32_t> index;
};

/// Row `block` of those of a batch, queries or candidates: its list takes in the new scores.
template <class T, class Each>
KRONITE_HD inline void merge_block(std::int64_t block, const MergeJob<T>& job,
                                   TopKShared<T>& shared, Each& each) {
  const bool of_query = job.partners == Partners::candidates;
  const auto first = of_query ? &ScoreTile::first_query : &ScoreTile::first_candidate;
  const ScoreTile& tile = tile_of(job.tiles, job.count, first, block);
  const std::int32_t begin = of_query ? tile.block.query_begin : tile.block.candidate_begin;
  const auto row = static_cast<std::int32_t>(begin + (block - tile.*first));
  const ListAndScores<T> candidates(job.p, job.index, job.scores, tile, job.partners, job.self,
                                    row);
  if (candidates.begin == candidates.end) return;
  const std::int64_t size = candidates.size();
  const auto k = static_cast<int>(size < job.p.cols ? size : job.p.cols);
  best_phases(candidates, k, shared, each);
  each([&](int thread, TopKRegisters&) {
    for (int rank = thread; rank < k; rank += kTopKThreads) {
      element(job.p, row, rank) = ranking_value<true, T>(shared.best[rank].key);
      element(job.index, row, rank) = static_cast<std::int32_t>(shared.best[rank].column);
    }
  });
}

}  // namespace kronite
