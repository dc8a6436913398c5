// Top-k per row and grouping by key on the CPU.
#include <algorithm>
#include <utility>

#include "base/parallel.hpp"    // for parallel_tiles
#include "cpu/cpu_backend.hpp"  // for CpuBackend
#include "device/scratch.hpp"   // for Scratch
#include "kernels/ranking.hpp"  // for Ranked, ranks_before

namespace kronite {
namespace {

/// Values looked at together: one comparison of vectors decides that none of them matters.
constexpr std::int64_t kChunk = 64;

/// The k best of a row in one pass: values that beat the k-th best so far are gathered in a buffer
/// of twice the size, which is cut back to k when full. Linear in m for any order of values.
template <bool largest, class T>
class TopK {
 public:
  TopK(std::int64_t k, Ranked<T>* buffer, std::int64_t capacity)
      : k_(k), capacity_(capacity), buffer_(buffer) {}

  static std::int64_t capacity(std::int64_t k) { return 2 * k + kChunk; }

  void scan(const T* row, std::int64_t m) {
    size_ = 0;
    bounded_ = false;
    for (std::int64_t first = 0; first < m; first += kChunk) {
      const std::int64_t count = std::min(kChunk, m - first);
      if (bounded_ && count == kChunk && !any_beats(row + first)) continue;
      if (size_ + count > capacity_) cut();
      for (std::int64_t j = first; j < first + count; ++j)
        if (!bounded_ || beats(row[j])) buffer_[size_++] = {row[j], static_cast<std::int32_t>(j)};
    }
    std::partial_sort(buffer_, buffer_ + k_, buffer_ + size_, ranks_before<largest, T>);
  }

 private:
  /// A later value must be strictly better than the bound: of equal ones the earlier index wins.
  bool beats(T value) const { return largest ? value > bound_ : value < bound_; }

  bool any_beats(const T* chunk) const {
    int any = 0;
    for (std::int64_t j = 0; j < kChunk; ++j) any |= beats(chunk[j]) ? 1 : 0;
    return any != 0;
  }

  void cut() {
    std::nth_element(buffer_, buffer_ + (k_ - 1), buffer_ + size_, ranks_before<largest, T>);
    size_ = k_;
    bound_ = buffer_[k_ - 1].value;
    bounded_ = bound_ == bound_;  // while NaN is among the k best, everything may replace it
  }

  std::int64_t k_, capacity_, size_ = 0;
  Ranked<T>* buffer_;
  T bound_{};
  bool bounded_ = false;
};

template <class T>
class CpuSelect final : public SelectOps<T> {
 public:
  explicit CpuSelect(CpuBackend& backend) : backend_(backend) {}

  void top_k_rows(MatrixView<const T> scores, Largest largest, MatrixView<T> values,
                  MatrixView<std::int32_t> indices) override {
    if (values.cols == 0) return;
    if (largest == Largest::yes)
      rows<true>(scores, values, indices);
    else
      rows<false>(scores, values, indices);
  }

 private:
  template <bool largest>
  void rows(MatrixView<const T> scores, MatrixView<T> values, MatrixView<std::int32_t> indices) {
    const std::int64_t k = values.cols;
    const std::int64_t capacity = TopK<largest, T>::capacity(k);
    const Scratch<Ranked<T>> buffers(backend_, backend_.threads(), capacity);
    parallel_tiles(backend_.threads(), scores.rows, [&](std::int64_t i, int thread) {
      Ranked<T>* best = buffers.data() + thread * capacity;
      TopK<largest, T>(k, best, capacity).scan(scores.row(i), scores.cols);
      for (std::int64_t j = 0; j < k; ++j) {
        values.row(i)[j] = best[j].value;
        indices.row(i)[j] = best[j].index;
      }
    });
  }

  CpuBackend& backend_;
};

class CpuGroup final : public GroupOps {
 public:
  explicit CpuGroup(CpuBackend& backend) : backend_(backend) {}

  std::int64_t group_by_key(VectorView<const std::int64_t> keys, VectorView<std::int32_t> order,
                            VectorView<std::int64_t> begin) override {
    using Entry = std::pair<std::int64_t, std::int32_t>;
    const std::int64_t n = keys.size;
    const Scratch<Entry> scratch(backend_, n);
    Entry* entries = scratch.data();
    for (std::int64_t i = 0; i < n; ++i)
      entries[i] = Entry(keys.data[i], static_cast<std::int32_t>(i));
    std::sort(entries, entries + n);  // the index breaks ties: as good as a stable sort

    std::int64_t groups = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      order.data[i] = entries[i].second;
      if (i == 0 || entries[i].first != entries[i - 1].first) begin.data[groups++] = i;
    }
    begin.data[groups] = n;
    backend_.synchronize();
    return groups;
  }

 private:
  CpuBackend& backend_;
};

}  // namespace

template <class T>
std::unique_ptr<SelectOps<T>> make_cpu_select(CpuBackend& backend) {
  return std::make_unique<CpuSelect<T>>(backend);
}
template std::unique_ptr<SelectOps<float>> make_cpu_select(CpuBackend&);
template std::unique_ptr<SelectOps<double>> make_cpu_select(CpuBackend&);

std::unique_ptr<GroupOps> make_cpu_group(CpuBackend& backend) {
  return std::make_unique<CpuGroup>(backend);
}

}  // namespace kronite
