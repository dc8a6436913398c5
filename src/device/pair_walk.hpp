// The pairs of blocks in a fixed order, found by their number: nobody lists them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/host_device.hpp"  // for KRONITE_HD
#include "kronite/network.hpp"      // for ScoreBlock

namespace kronite {

struct IndexPair {
  std::int32_t query, candidate;
};

/// Candidates that query row `i` of a block meets: [first_candidate(...), candidate_end).
KRONITE_HD inline std::int32_t first_candidate(const ScoreBlock& block, bool self, std::int32_t i) {
  if (!self || i < block.candidate_begin) return block.candidate_begin;
  return i < block.candidate_end ? i + 1 : block.candidate_end;
}

/// Pairs in the rows of a block before row `i`, which lies in [query_begin, query_end].
KRONITE_HD inline std::int64_t pairs_before(const ScoreBlock& block, bool self, std::int32_t i) {
  const std::int64_t width = block.candidate_end - block.candidate_begin;
  if (!self) return (i - block.query_begin) * width;
  // Rows above the candidates meet all of them; row r below meets candidate_end - 1 - r.
  const std::int32_t first =
      block.query_begin > block.candidate_begin ? block.query_begin : block.candidate_begin;
  if (i <= first) return (i - block.query_begin) * width;
  const std::int64_t above = (first - block.query_begin) * width;
  const std::int32_t end = i < block.candidate_end ? i : block.candidate_end;
  if (end <= first) return above;
  const std::int64_t longest = block.candidate_end - 1 - first;
  const std::int64_t shortest = block.candidate_end - end;
  return above + (longest + shortest) * (end - first) / 2;
}

KRONITE_HD inline std::int64_t pairs_of(const ScoreBlock& block, bool self) {
  return pairs_before(block, self, block.query_end);
}

/// The row that pair n of a block lies in: the last one with no more than n pairs before it.
KRONITE_HD inline std::int32_t row_of_pair(const ScoreBlock& block, bool self, std::int64_t n) {
  std::int32_t low = block.query_begin, high = block.query_end;
  while (high - low > 1) {
    const std::int32_t middle = low + (high - low) / 2;
    (pairs_before(block, self, middle) <= n ? low : high) = middle;
  }
  return low;
}

/// All pairs of all blocks: block by block, row by row. With `self` those with query < candidate.
class PairWalk {
 public:
  PairWalk(const std::vector<ScoreBlock>& blocks, bool self) : blocks_(blocks), self_(self) {
    begin_.reserve(blocks.size() + 1);
    for (const auto& block : blocks) begin_.push_back(begin_.back() + pairs_of(block, self));
  }

  std::int64_t size() const { return begin_.back(); }

  /// The pairs [first, first + count), count > 0, in order; f(n, pair), n from 0.
  template <class F>
  void visit(std::int64_t first, std::int64_t count, const F& f) const {
    const auto after = std::upper_bound(begin_.begin(), begin_.end(), first);
    auto at = static_cast<std::size_t>(after - begin_.begin()) - 1;
    std::int32_t query = row_of_pair(blocks_[at], self_, first - begin_[at]);
    std::int64_t skip = first - begin_[at] - pairs_before(blocks_[at], self_, query);
    for (std::int64_t n = 0;; query = blocks_[at].query_begin) {
      const ScoreBlock& block = blocks_[at];
      for (; query < block.query_end; ++query, skip = 0) {
        const std::int64_t begin = first_candidate(block, self_, query) + skip;
        for (std::int64_t j = begin; j < block.candidate_end; ++j) {
          f(n, IndexPair{query, static_cast<std::int32_t>(j)});
          if (++n == count) return;
        }
      }
      ++at;
    }
  }

 private:
  const std::vector<ScoreBlock>& blocks_;
  bool self_;
  std::vector<std::int64_t> begin_{0};  ///< of each block's pairs; one more for the end
};

}  // namespace kronite
