// Running lists of the k best scores of each row, on the host.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "kernels/ranking.hpp"  // for Ranked, ranks_before
#include "kronite/view.hpp"     // for MatrixView

namespace kronite {

/// A heap per row with the worst of its k entries in front, so that a score that does not enter is
/// known by one comparison. Entries of different indices have one order: what a list ends up with
/// does not depend on the order in which they come.
template <class T>
class TopKLists {
 public:
  static constexpr Ranked<T> kEmpty{std::numeric_limits<T>::quiet_NaN(), -1};

  /// In `memory` (rows * k entries). k > 0.
  TopKLists(Ranked<T>* memory, std::int64_t rows, std::int64_t k)
      : heaps_(memory), rows_(rows), k_(k) {}

  std::int64_t rows() const { return rows_; }
  const Ranked<T>& worst(std::int64_t row) const { return heaps_[row * k_]; }

  void clear() { std::fill_n(heaps_, rows_ * k_, kEmpty); }

  /// Returns whether it entered.
  bool offer(std::int64_t row, Ranked<T> entry) {
    Ranked<T>* const heap = heaps_ + row * k_;
    if (!ranks_before<true>(entry, heap[0])) return false;
    std::pop_heap(heap, heap + k_, ranks_before<true, T>);
    heap[k_ - 1] = entry;
    std::push_heap(heap, heap + k_, ranks_before<true, T>);
    return true;
  }

  /// Row by row from values and indices (rows x k) on the host.
  void read(MatrixView<const T> values, MatrixView<const std::int32_t> indices) {
    for (std::int64_t i = 0; i < rows_; ++i) {
      Ranked<T>* const heap = heaps_ + i * k_;
      for (std::int64_t j = 0; j < k_; ++j) heap[j] = {values.row(i)[j], indices.row(i)[j]};
      std::make_heap(heap, heap + k_, ranks_before<true, T>);
    }
  }

  /// Best first. The lists are no heaps after this.
  void write(MatrixView<T> values, MatrixView<std::int32_t> indices) {
    for (std::int64_t i = 0; i < rows_; ++i) {
      Ranked<T>* const heap = heaps_ + i * k_;
      std::sort(heap, heap + k_, ranks_before<true, T>);
      for (std::int64_t j = 0; j < k_; ++j) {
        values.row(i)[j] = heap[j].value;
        indices.row(i)[j] = heap[j].index;
      }
    }
  }

 private:
  Ranked<T>* heaps_;
  std::int64_t rows_, k_;
};

}  // namespace kronite
