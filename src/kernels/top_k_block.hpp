// The k best of one row of scores by radix selection, in phases (kernels/phases.hpp): find the key
// of the k-th best, eight bits at a time, collect everything up to it, sort that.
#pragma once

#include <cstdint>

#include "kernels/element.hpp"      // for element
#include "kernels/host_device.hpp"  // for KRONITE_HD
#include "kernels/ranking_key.hpp"  // for ranking_key
#include "kronite/view.hpp"         // for MatrixView

namespace kronite {

inline constexpr int kTopKThreads = 256;  ///< one per value of an 8-bit digit
inline constexpr int kTopKMost = 1024;    ///< results per row that fit in shared memory

/// A score's place in the order: by key, equal keys by column. No two are equal.
template <class T>
struct TopKItem {
  RankingKey<T> key;
  std::uint32_t column;

  KRONITE_HD friend bool operator<(const TopKItem& a, const TopKItem& b) {
    return a.key != b.key ? a.key < b.key : a.column < b.column;
  }
};

template <class T>
struct TopKShared {
  TopKItem<T> best[kTopKMost];
  int bins[kTopKThreads];  ///< how many candidates have each digit
  TopKItem<T> bound;       ///< the k-th best, as far as its digits are known
  int wanted;              ///< how many are still to come from the candidates
  int found;
  bool bound_known;
};

struct TopKRegisters {};

/// Adds to a counter that all threads of a block share; returns what it was.
KRONITE_HD inline int count_one(int& counter) {
#ifdef __CUDA_ARCH__
  return atomicAdd(&counter, 1);
#else
  return counter++;
#endif
}

/// Digits of an item, most significant first: those of its key, then those of its column.
template <class T>
class TopKDigit {
 public:
  static constexpr int kOfKey = sizeof(RankingKey<T>);
  static constexpr int kAll = kOfKey + static_cast<int>(sizeof(std::uint32_t));

  KRONITE_HD explicit TopKDigit(int place) : place_(place) {}

  KRONITE_HD int of(const TopKItem<T>& item) const {
    return static_cast<int>(in_key() ? (item.key >> shift()) & 0xFF
                                     : (item.column >> shift()) & 0xFF);
  }
  /// Whether all digits before this one agree.
  KRONITE_HD bool same_before(const TopKItem<T>& a, const TopKItem<T>& b) const {
    if (in_key()) return place_ == 0 || ((a.key ^ b.key) >> shift() >> 8) == 0;
    return a.key == b.key && (place_ == kOfKey || ((a.column ^ b.column) >> shift() >> 8) == 0);
  }
  KRONITE_HD void set(TopKItem<T>& item, int digit) const {
    if (in_key())
      item.key |= static_cast<RankingKey<T>>(digit) << shift();
    else
      item.column |= static_cast<std::uint32_t>(digit) << shift();
  }
  /// All digits after this one as large as they get.
  KRONITE_HD void fill_after(TopKItem<T>& item) const {
    if (in_key()) {
      item.key |= (RankingKey<T>{1} << shift()) - 1;
      item.column = ~std::uint32_t{0};
    } else {
      item.column |= (std::uint32_t{1} << shift()) - 1;
    }
  }

 private:
  KRONITE_HD bool in_key() const { return place_ < kOfKey; }
  KRONITE_HD int shift() const { return 8 * (in_key() ? kOfKey - 1 - place_ : kAll - 1 - place_); }

  int place_;
};

/// Candidates are numbered items, no two of them equal; size() of them.
template <bool largest, class T>
struct RowOfScores {
  MatrixView<const T> scores;
  std::int64_t row;

  KRONITE_HD std::int64_t size() const { return scores.cols; }
  KRONITE_HD TopKItem<T> item(std::int64_t column) const {
    return {ranking_key<largest>(element(scores, row, column)), static_cast<std::uint32_t>(column)};
  }
};

/// The bin that holds the last wanted candidate gives the next digit of the bound. When the bin is
/// wanted as a whole, the remaining digits do not matter.
template <class T>
KRONITE_HD inline void choose_digit(TopKDigit<T> digit, int thread, TopKShared<T>& shared,
                                    int wanted) {
  int before = 0;
  for (int bin = 0; bin < thread; ++bin) before += shared.bins[bin];
  const int in_bin = shared.bins[thread];
  if (before >= wanted || before + in_bin < wanted) return;
  digit.set(shared.bound, thread);
  shared.wanted = wanted - before;
  if (in_bin == shared.wanted) {
    digit.fill_after(shared.bound);
    shared.bound_known = true;
  }
}

/// Finds the k-th best of the candidates.
template <class T, class Candidates, class Each>
KRONITE_HD inline void bound_phases(const Candidates& candidates, int k, TopKShared<T>& shared,
                                    Each& each) {
  each([&](int thread, TopKRegisters&) {
    if (thread != 0) return;
    shared.bound = {0, 0};
    shared.wanted = k;
    shared.found = 0;
    shared.bound_known = false;
  });
  for (int place = 0; place < TopKDigit<T>::kAll && !shared.bound_known; ++place) {
    const TopKDigit<T> digit(place);
    const int wanted = shared.wanted;
    each([&](int thread, TopKRegisters&) { shared.bins[thread] = 0; });
    each([&](int thread, TopKRegisters&) {
      for (std::int64_t j = thread; j < candidates.size(); j += kTopKThreads) {
        const TopKItem<T> item = candidates.item(j);
        if (digit.same_before(item, shared.bound)) count_one(shared.bins[digit.of(item)]);
      }
    });
    each([&](int thread, TopKRegisters&) { choose_digit(digit, thread, shared, wanted); });
  }
}

/// Sorts `best`, whose size is a power of two, by compare-and-exchange of fixed pairs (bitonic).
template <class T, class Each>
KRONITE_HD inline void sort_phases(int size, TopKShared<T>& shared, Each& each) {
  for (int run = 2; run <= size; run *= 2)
    for (int stride = run / 2; stride > 0; stride /= 2)
      each([&](int thread, TopKRegisters&) {
        for (int i = thread; i < size; i += kTopKThreads) {
          const int j = i ^ stride;
          if (j < i) continue;
          TopKItem<T>&a = shared.best[i], &b = shared.best[j];
          const bool ascending = (i & run) == 0;
          if (ascending ? b < a : a < b) {
            const TopKItem<T> held = a;
            a = b;
            b = held;
          }
        }
      });
}

/// The k best candidates, best first, into shared.best; 0 < k <= kTopKMost, k <= size().
template <class T, class Candidates, class Each>
KRONITE_HD inline void best_phases(const Candidates& candidates, int k, TopKShared<T>& shared,
                                   Each& each) {
  bound_phases(candidates, k, shared, each);
  int size = 1;
  while (size < k) size *= 2;
  each([&](int thread, TopKRegisters&) {
    for (int i = k + thread; i < size; i += kTopKThreads)
      shared.best[i] = {static_cast<RankingKey<T>>(~RankingKey<T>{0}), ~std::uint32_t{0}};
    for (std::int64_t j = thread; j < candidates.size(); j += kTopKThreads) {
      const TopKItem<T> item = candidates.item(j);
      if (!(shared.bound < item)) shared.best[count_one(shared.found)] = item;
    }
  });
  sort_phases(size, shared, each);
}

/// Row `row` of scores into row `row` of values and indices, whose columns are k <= kTopKMost.
template <bool largest, class T, class Each>
KRONITE_HD inline void top_k_block(std::int64_t row, const MatrixView<const T>& scores,
                                   const MatrixView<T>& values,
                                   const MatrixView<std::int32_t>& indices, TopKShared<T>& shared,
                                   Each& each) {
  const int k = static_cast<int>(values.cols);
  best_phases(RowOfScores<largest, T>{scores, row}, k, shared, each);
  each([&](int thread, TopKRegisters&) {
    for (int rank = thread; rank < k; rank += kTopKThreads) {
      const auto column = static_cast<std::int32_t>(shared.best[rank].column);
      element(indices, row, rank) = column;
      element(values, row, rank) = element(scores, row, column);
    }
  });
}

}  // namespace kronite
