// Selection by radix (kernels/top_k_block.hpp), grouping and long selections by CUB's sorts.
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>

#include <algorithm>
#include <cstdint>
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_segmented_radix_sort.cuh>
#include <cub/device/device_select.cuh>
#include <limits>

#include "cuda/cuda_backend.cuh"    // for CudaBackend
#include "device/scratch.hpp"       // for Scratch
#include "kernels/element.hpp"      // for element
#include "kernels/phases.hpp"       // for GpuThreads
#include "kernels/ranking_key.hpp"  // for ranking_key
#include "kernels/top_k_block.hpp"

namespace kronite::cuda {
namespace {

// --- kernels -------------------------------------------------------------------------------------

/// The k <= 1024 best of every row.
/// Grid: one block of 256 threads per row. Bounds: threads stride over the columns and the results.
/// 64-bit index. Per score: sizeof T read in each of 2 to 5 passes (float; 9 for double, with many
/// equal scores 4 more), mostly from the L2 cache; some 10 operations per pass.
template <bool largest, class T>
__global__ void __launch_bounds__(kTopKThreads)
    top_k_kernel(MatrixView<const T> scores, MatrixView<T> values,
                 MatrixView<std::int32_t> indices) {
  __shared__ TopKShared<T> shared;
  GpuThreads<TopKRegisters> threads{static_cast<int>(threadIdx.x), {}};
  top_k_block<largest>(blockIdx.x, scores, values, indices, shared, threads);
}

/// keys and columns of `scores`, row after row.
/// Grid: one thread per score, 256 per block. Bounds: threads past the last score return. 64-bit
/// index. Per score: sizeof T read, sizeof T + 4 bytes written; some 5 operations.
template <bool largest, class T>
__global__ void __launch_bounds__(256)
    ranking_keys_kernel(MatrixView<const T> scores, RankingKey<T>* keys, std::int32_t* columns) {
  const std::int64_t n = global_thread();
  if (n >= scores.rows * scores.cols) return;
  const std::int64_t column = n % scores.cols;
  keys[n] = ranking_key<largest>(element(scores, n / scores.cols, column));
  columns[n] = static_cast<std::int32_t>(column);
}

/// The first k columns of every sorted row, and their scores.
/// Grid: one thread per result, 256 per block. Bounds: threads past the last result return. 64-bit
/// index. Per result: sizeof T + 4 bytes read and as many written; no operation.
template <class T>
__global__ void __launch_bounds__(256)
    gather_best_kernel(MatrixView<const T> scores, const std::int32_t* sorted_columns,
                       MatrixView<T> values, MatrixView<std::int32_t> indices) {
  const std::int64_t n = global_thread();
  if (n >= values.rows * values.cols) return;
  const std::int64_t row = n / values.cols, rank = n % values.cols;
  const std::int32_t column = sorted_columns[row * scores.cols + rank];
  element(values, row, rank) = element(scores, row, column);
  element(indices, row, rank) = column;
}

/// order_i <- i.
/// Grid: one thread per item, 256 per block. Bounds: threads past the last item return. 64-bit
/// index. Per item: 4 bytes written, no operation.
__global__ void __launch_bounds__(256) iota_kernel(std::int32_t* order, std::int64_t n) {
  const std::int64_t i = global_thread();
  if (i < n) order[i] = static_cast<std::int32_t>(i);
}

/// begin[groups] <- n.
/// Grid: one thread. Bounds: groups <= n. 64-bit index. 8 bytes read, 8 written; no operation.
__global__ void close_groups_kernel(const std::int64_t* groups, std::int64_t n,
                                    std::int64_t* begin) {
  begin[*groups] = n;
}

// --- functions of iterators ----------------------------------------------------------------------

struct RowBegin {
  std::int64_t columns;
  __host__ __device__ std::int64_t operator()(std::int64_t row) const { return row * columns; }
};

struct StartsGroup {
  const std::int64_t* sorted_keys;
  __host__ __device__ bool operator()(std::int64_t i) const {
    return i == 0 || sorted_keys[i] != sorted_keys[i - 1];
  }
};

/// Calls a CUB algorithm with scratch memory of the size that it asks for.
template <class Algorithm>
void with_cub_workspace(CudaBackend& backend, const char* name, Algorithm algorithm) {
  std::size_t bytes = 0;
  check(algorithm(nullptr, bytes), name);
  // CUB takes a null workspace as the question for its size, so at least a byte is given.
  bytes = std::max<std::size_t>(bytes, 1);
  const Scratch<std::byte> workspace(backend, static_cast<std::int64_t>(bytes));
  check(algorithm(workspace.data(), bytes), name);
}

// --- top-k ---------------------------------------------------------------------------------------
template <class T>
class CudaSelect final : public SelectOps<T> {
 public:
  explicit CudaSelect(CudaBackend& backend) : backend_(backend) {}

  void top_k_rows(MatrixView<const T> scores, Largest largest, MatrixView<T> values,
                  MatrixView<std::int32_t> indices) override;

 private:
  /// For any k: sorts all rows whole, as many at a time as fit the memory.
  void sort_all_rows(MatrixView<const T> scores, Largest largest, MatrixView<T> values,
                     MatrixView<std::int32_t> indices);
  void sort_rows(MatrixView<const T> scores, Largest largest, MatrixView<T> values,
                 MatrixView<std::int32_t> indices);

  CudaBackend& backend_;
};

template <class T>
void CudaSelect<T>::top_k_rows(MatrixView<const T> scores, Largest largest, MatrixView<T> values,
                               MatrixView<std::int32_t> indices) {
  if (values.rows == 0 || values.cols == 0) return;
  const CurrentDevice current(backend_.id());
  if (values.cols > kTopKMost) {
    sort_all_rows(scores, largest, values, indices);
    return;
  }
  const auto kernel = largest == Largest::yes ? top_k_kernel<true, T> : top_k_kernel<false, T>;
  launch("top_k_kernel", kernel, blocks_for(scores.rows, 1), kTopKThreads, backend_.stream(),
         scores, values, indices);
}

template <class T>
void CudaSelect<T>::sort_all_rows(MatrixView<const T> scores, Largest largest, MatrixView<T> values,
                                  MatrixView<std::int32_t> indices) {
  const std::size_t row_bytes =
      static_cast<std::size_t>(scores.cols) * 2 * (sizeof(RankingKey<T>) + sizeof(std::int32_t));
  const std::size_t left = backend_.memory_limit() - backend_.memory_in_use();
  // Half of what is left: CUB needs about as much again when it has few rows.
  const auto fit = static_cast<std::int64_t>(left / 2 / row_bytes);
  // The CUB of CUDA 12.0 counts the values of a segmented sort in 32 bits.
  const std::int64_t counted = std::numeric_limits<std::int32_t>::max() / scores.cols;
  const std::int64_t rows_at_a_time =
      std::clamp<std::int64_t>(std::min(fit, counted), 1, scores.rows);
  for (std::int64_t first = 0; first < scores.rows; first += rows_at_a_time) {
    const std::int64_t count = std::min(rows_at_a_time, scores.rows - first);
    sort_rows(scores.rows_from(first, count), largest, values.rows_from(first, count),
              indices.rows_from(first, count));
  }
}

template <class T>
void CudaSelect<T>::sort_rows(MatrixView<const T> scores, Largest largest, MatrixView<T> values,
                              MatrixView<std::int32_t> indices) {
  const std::int64_t n = scores.rows * scores.cols;
  const Scratch<RankingKey<T>> keys(backend_, n), sorted_keys(backend_, n);
  const Scratch<std::int32_t> columns(backend_, n), sorted_columns(backend_, n);
  const auto make_keys =
      largest == Largest::yes ? ranking_keys_kernel<true, T> : ranking_keys_kernel<false, T>;
  launch("ranking_keys_kernel", make_keys, blocks_for(n, 256), 256, backend_.stream(), scores,
         keys.data(), columns.data());
  // Both sorts are stable, so equal scores keep the order of their columns. One segment is sorted
  // by one block: a single long row goes to the sort that uses the whole GPU.
  constexpr int kBits = 8 * sizeof(RankingKey<T>);
  with_cub_workspace(backend_, "cub sort of rows", [&](void* workspace, std::size_t& bytes) {
    if (scores.rows == 1)
      return cub::DeviceRadixSort::SortPairs(workspace, bytes, keys.data(), sorted_keys.data(),
                                             columns.data(), sorted_columns.data(), n, 0, kBits,
                                             backend_.stream());
    const auto begin = thrust::make_transform_iterator(thrust::counting_iterator<std::int64_t>(0),
                                                       RowBegin{scores.cols});
    return cub::DeviceSegmentedRadixSort::SortPairs(
        workspace, bytes, keys.data(), sorted_keys.data(), columns.data(), sorted_columns.data(), n,
        scores.rows, begin, begin + 1, 0, kBits, backend_.stream());
  });
  launch("gather_best_kernel", gather_best_kernel<T>, blocks_for(values.rows * values.cols, 256),
         256, backend_.stream(), scores, sorted_columns.data(), values, indices);
}

// --- grouping ------------------------------------------------------------------------------------
class CudaGroup final : public GroupOps {
 public:
  explicit CudaGroup(CudaBackend& backend) : backend_(backend) {}

  std::int64_t group_by_key(VectorView<const std::int64_t> keys, VectorView<std::int32_t> order,
                            VectorView<std::int64_t> begin) override;

 private:
  CudaBackend& backend_;
};

std::int64_t CudaGroup::group_by_key(VectorView<const std::int64_t> keys,
                                     VectorView<std::int32_t> order,
                                     VectorView<std::int64_t> begin) {
  const std::int64_t n = keys.size;
  const CurrentDevice current(backend_.id());
  const Scratch<std::int64_t> count(backend_, 1);
  KRONITE_CHECK(cudaMemsetAsync(count.data(), 0, sizeof(std::int64_t), backend_.stream()));
  if (n > 0) {
    const Scratch<std::int64_t> sorted_keys(backend_, n);
    const Scratch<std::int32_t> places(backend_, n);
    launch("iota_kernel", iota_kernel, blocks_for(n, 256), 256, backend_.stream(), places.data(),
           n);
    with_cub_workspace(backend_, "cub sort of keys", [&](void* workspace, std::size_t& bytes) {
      return cub::DeviceRadixSort::SortPairs(workspace, bytes, keys.data, sorted_keys.data(),
                                             places.data(), order.data, n, 0, 64,
                                             backend_.stream());
    });
    with_cub_workspace(
        backend_, "cub selection of groups", [&](void* workspace, std::size_t& bytes) {
          return cub::DeviceSelect::If(workspace, bytes, thrust::counting_iterator<std::int64_t>(0),
                                       begin.data, count.data(), n, StartsGroup{sorted_keys.data()},
                                       backend_.stream());
        });
  }
  launch("close_groups_kernel", close_groups_kernel, 1, 1, backend_.stream(), count.data(), n,
         begin.data);
  std::int64_t groups = 0;
  backend_.copy(&groups, Place{}, count.data(), backend_.place(), sizeof groups);
  backend_.synchronize();
  return groups;
}

}  // namespace

template <class T>
std::unique_ptr<SelectOps<T>> make_select(CudaBackend& backend) {
  return std::make_unique<CudaSelect<T>>(backend);
}
template std::unique_ptr<SelectOps<float>> make_select<float>(CudaBackend&);
template std::unique_ptr<SelectOps<double>> make_select<double>(CudaBackend&);

std::unique_ptr<GroupOps> make_group(CudaBackend& backend) {
  return std::make_unique<CudaGroup>(backend);
}

}  // namespace kronite::cuda
