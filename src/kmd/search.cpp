// Nearest neighbours: candidates by matrix products, the decision by exact distances.
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "base/fail.hpp"           // for fail
#include "base/parallel.hpp"       // for parallel_tiles, tiles_of
#include "base/side_by_side.hpp"   // for side_by_side, SharedProgress
#include "device/backend.hpp"      // for linalg, select
#include "device/top_k_lists.hpp"  // for TopKLists
#include "kronite/array.hpp"       // for Array
#include "kronite/kmd_search.hpp"

namespace kronite::kmd {
namespace {

/// Candidates beyond the neighbours asked for. Most queries are decided by the first few of them.
constexpr std::int64_t kSpare = 32;
constexpr std::int64_t kQueryTile = 1024, kLibraryTile = 8192;
constexpr std::int64_t kRowsAtOnce = 64;       // of queries that are decided by a thread
constexpr std::int64_t kMostInPart = 1 << 16;  // queries of a device, where there are several

double squared_distance(const double* x, const double* y, std::int64_t d) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t k = 0; k < d; ++k) sum += (x[k] - y[k]) * (x[k] - y[k]);
  return sum;
}

/// Rows about a common centre, rounded to T, with one column more: x -> (x, 1), y -> (2y, -|y|^2),
/// whose product 2xy - |y|^2 is |x|^2 - |x - y|^2.
template <class T>
struct Centred {
  std::vector<T> values;
  std::vector<double> length;  ///< of each rounded row
  double most_lost = 0;        ///< most that rounding has moved a row by
  double most_length = 0;
};

enum class As { query, library };

template <class T>
Centred<T> centre(MatrixView<const double> rows, std::span<const std::int64_t> which,
                  const std::vector<double>& mean, As as) {
  const std::int64_t d = rows.cols;
  Centred<T> out;
  out.values.resize(which.size() * static_cast<std::size_t>(d + 1));
  T* to = out.values.data();
  for (const std::int64_t i : which) {
    const double* x = rows.row(i);
    double squared = 0, lost = 0;
    for (std::int64_t k = 0; k < d; ++k) {
      const double value = x[k] - mean[k];
      const T rounded = static_cast<T>(value);
      squared += static_cast<double>(rounded) * static_cast<double>(rounded);
      lost += (value - static_cast<double>(rounded)) * (value - static_cast<double>(rounded));
      to[k] = as == As::query ? rounded : 2 * rounded;
    }
    to[d] = as == As::query ? T{1} : static_cast<T>(-squared);
    to += d + 1;
    const double length = std::sqrt(squared);
    out.length.push_back(length);
    // The difference from the mean is rounded too.
    out.most_lost =
        std::max(out.most_lost, std::sqrt(lost) + std::numeric_limits<double>::epsilon() * length);
    out.most_length = std::max(out.most_length, length);
  }
  return out;
}

class Search {
 public:
  Search(std::span<Device> devices, MatrixView<const double> queries,
         MatrixView<const double> library, const SearchOptions& options);
  Neighbours run();

 private:
  void search(Device& device, std::int64_t begin, std::int64_t end);
  template <class T>
  std::vector<std::int64_t> pass(Device& device, const std::vector<std::int64_t>& which);
  template <class T>
  bool decide(std::int64_t query, std::span<const Ranked<T>> candidates, double length, double lost,
              double longest);
  void scan(std::int64_t query);
  void report(std::int64_t pairs);

  /// The k nearest so far of one query, by exact distance.
  class Nearest {
   public:
    Nearest(const Search& search, std::int64_t query) : search_(search), query_(query) {}
    void look_at(std::int32_t candidate);
    bool full() const { return std::ssize(best_) == search_.result_.k; }
    double farthest() const { return std::sqrt(best_.back().value); }
    void write(Neighbours& to) const;

   private:
    const Search& search_;
    std::int64_t query_;
    std::vector<Ranked<double>> best_;  // squared distances
  };

  std::span<Device> devices_;
  MatrixView<const double> queries_, library_;
  const SearchOptions& options_;
  std::vector<double> mean_;
  std::int64_t kept_ = 0;
  std::atomic<std::int64_t> in_double_ = 0, scanned_ = 0;
  Neighbours result_;
  Progress never_more_than_all_;  ///< pairs that are done again do not count
  SharedProgress told_;
};

void check_finite(MatrixView<const double> rows, const char* what) {
  for (std::int64_t i = 0; i < rows.rows; ++i)
    for (std::int64_t k = 0; k < rows.cols; ++k)
      if (!std::isfinite(rows.row(i)[k]))
        fail(Errc::invalid_argument, "row {} of the {} has a value that is not finite", i, what);
}

Search::Search(std::span<Device> devices, MatrixView<const double> queries,
               MatrixView<const double> library, const SearchOptions& options)
    : devices_(devices),
      queries_(queries),
      library_(library),
      options_(options),
      never_more_than_all_([this](long long done, long long total) {
        return !options_.progress || options_.progress(std::min(done, total), total);
      }),
      told_(never_more_than_all_, queries.rows * library.rows,
            "the search for neighbours was stopped") {
  require_devices(devices.size());
  if (options.top < 1) fail(Errc::invalid_argument, "{} neighbours asked for", options.top);
  if (queries.cols != library.cols)
    fail(Errc::invalid_argument, "queries have {} values, the library has {}", queries.cols,
         library.cols);
  if (library.rows > std::numeric_limits<std::int32_t>::max())
    fail(Errc::invalid_argument, "the library has {} rows, more than a search can number",
         library.rows);
  if (options.self && queries.rows != library.rows)
    fail(Errc::invalid_argument, "{} queries cannot be the {} rows of the library themselves",
         queries.rows, library.rows);
  check_finite(queries, "queries");
  check_finite(library, "library");
  const std::int64_t others = library.rows - (options.self ? 1 : 0);
  result_.k = std::max<std::int64_t>(0, std::min(options.top, others));
  kept_ = std::min(library.rows, result_.k + (options.self ? 1 : 0) + kSpare);
  const auto size = static_cast<std::size_t>(queries.rows * result_.k);
  result_.index.resize(size);
  result_.distance.resize(size);
  mean_.assign(static_cast<std::size_t>(library.cols), 0.0);
  for (std::int64_t i = 0; i < library.rows; ++i)
    for (std::int64_t k = 0; k < library.cols; ++k)
      mean_[k] += library.row(i)[k] / static_cast<double>(library.rows);
}

void Search::Nearest::look_at(std::int32_t candidate) {
  if (search_.options_.self && candidate == query_) return;
  const double squared = squared_distance(search_.queries_.row(query_),
                                          search_.library_.row(candidate), search_.library_.cols);
  const Ranked<double> entry{squared, candidate};
  if (full()) {
    if (!ranks_before<false>(entry, best_.back())) return;
    best_.pop_back();
  }
  best_.insert(std::upper_bound(best_.begin(), best_.end(), entry, ranks_before<false, double>),
               entry);
}

void Search::Nearest::write(Neighbours& to) const {
  for (std::size_t j = 0; j < best_.size(); ++j) {
    const std::size_t at = static_cast<std::size_t>(query_ * to.k) + j;
    to.index[at] = best_[j].index;
    to.distance[at] = std::sqrt(best_[j].value);
  }
}

void Search::report(std::int64_t pairs) {
  told_.add(pairs);
  told_.ask();
}

/// Looks at candidates, best scores first, until rounding errors cannot hide a nearer row among
/// those that are left. False when the list ends before that.
template <class T>
bool Search::decide(std::int64_t query, std::span<const Ranked<T>> candidates, double length,
                    double lost, double longest) {
  // A sum of m products, in any order, with or without fused operations, is off by gamma_m times
  // the sum of their absolute values at most (Higham, Accuracy and Stability, section 3.1); two
  // more roundings for |y|^2.
  constexpr double kUnit = std::numeric_limits<T>::epsilon() / 2;
  const double m = static_cast<double>(library_.cols + 3);
  const double gamma = m * kUnit / (1 - m * kUnit);
  const double off = gamma * (2 * length * longest + longest * longest);
  Nearest nearest(*this, query);
  const bool all = std::ssize(candidates) == library_.rows;
  for (const Ranked<T>& candidate : candidates) {
    const double squared = length * length - static_cast<double>(candidate.value) - off;
    // Nothing from here on is nearer; the digits are for distances of differences.
    const double least = std::sqrt(std::max(squared, 0.0)) - lost;
    if (nearest.full() && least > nearest.farthest() * (1 + 1e-12)) {
      nearest.write(result_);
      return true;
    }
    nearest.look_at(candidate.index);
  }
  if (all) nearest.write(result_);
  return all;
}

/// Those of `which` that could not be decided in this precision.
template <class T>
std::vector<std::int64_t> Search::pass(Device& device, const std::vector<std::int64_t>& which) {
  const std::int64_t width = library_.cols + 1, queries = std::ssize(which);
  std::int64_t query_tile = std::min(kQueryTile, queries);
  std::int64_t library_tile = std::min(kLibraryTile, library_.rows);
  const auto bytes = [&] {
    const std::int64_t values = (query_tile + library_tile) * width + query_tile * library_tile;
    return static_cast<double>(values * sizeof(T)) +
           static_cast<double>(query_tile * kept_ * (sizeof(T) + sizeof(std::int32_t)));
  };
  while (bytes() > static_cast<double>(device.memory_limit()) && query_tile * library_tile > 1)
    (query_tile > library_tile ? query_tile : library_tile) /= 2;

  std::vector<Ranked<T>> memory(static_cast<std::size_t>(queries * kept_));
  TopKLists<T> lists(memory.data(), queries, kept_);
  lists.clear();
  std::vector<double> length(which.size());
  double lost_queries = 0, lost_library = 0, longest = 0;
  std::vector<std::int64_t> rows(static_cast<std::size_t>(library_tile));
  for (std::int64_t first = 0; first < library_.rows; first += library_tile) {
    const std::int64_t many = std::min(library_tile, library_.rows - first);
    rows.resize(static_cast<std::size_t>(many));
    std::iota(rows.begin(), rows.end(), first);
    const Centred<T> there = centre<T>(library_, rows, mean_, As::library);
    longest = std::max(longest, there.most_length);
    lost_library = std::max(lost_library, there.most_lost);
    const Array<T> y(device, there.values, many, width);
    const std::int64_t best = std::min(kept_, many);
    for (std::int64_t begin = 0; begin < queries; begin += query_tile) {
      const std::int64_t count = std::min(query_tile, queries - begin);
      const Centred<T> here =
          centre<T>(queries_, std::span(which).subspan(static_cast<std::size_t>(begin), count),
                    mean_, As::query);
      std::copy(here.length.begin(), here.length.end(), length.begin() + begin);
      lost_queries = std::max(lost_queries, here.most_lost);
      const Array<T> x(device, here.values, count, width);
      Array<T> scores(device, count, many), values(device, count, best);
      Array<std::int32_t> indices(device, count, best);
      linalg<T>(device).gemm(1, x.view(), Op::none, y.view(), Op::transpose, 0, scores.view());
      select<T>(device).top_k_rows(scores.view(), Largest::yes, values.view(), indices.view());
      const std::vector<T> value = values.to_host();
      const std::vector<std::int32_t> index = indices.to_host();
      for (std::int64_t i = 0; i < count; ++i)
        for (std::int64_t j = 0; j < best; ++j) {
          const auto at = static_cast<std::size_t>(i * best + j);
          const auto row = static_cast<std::int32_t>(first + index[at]);
          if (!lists.offer(begin + i, {value[at], row})) break;  // the others are worse
        }
      report(count * many);
    }
  }

  std::vector<std::uint8_t> decided(which.size());
  const double lost = lost_queries + lost_library;
  parallel_tiles(
      omp_get_max_threads(), tiles_of(queries, kRowsAtOnce), [&](std::int64_t tile, int) {
        const std::int64_t begin = tile * kRowsAtOnce;
        for (std::int64_t i = begin; i < std::min(begin + kRowsAtOnce, queries); ++i) {
          const std::span list(memory.data() + i * kept_, static_cast<std::size_t>(kept_));
          std::sort(list.begin(), list.end(), ranks_before<true, T>);
          decided[i] = decide<T>(which[i], list, length[i], lost, longest);
        }
      });
  std::vector<std::int64_t> left;
  for (std::size_t i = 0; i < which.size(); ++i)
    if (!decided[i]) left.push_back(which[i]);
  return left;
}

void Search::scan(std::int64_t query) {
  Nearest nearest(*this, query);
  for (std::int64_t j = 0; j < library_.rows; ++j) nearest.look_at(static_cast<std::int32_t>(j));
  nearest.write(result_);
}

/// The queries [begin, end).
void Search::search(Device& device, std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> left(static_cast<std::size_t>(end - begin));
  std::iota(left.begin(), left.end(), begin);
  left = pass<float>(device, left);
  in_double_ += std::ssize(left);
  if (!left.empty()) left = pass<double>(device, left);
  scanned_ += std::ssize(left);
  for (std::size_t first = 0; first < left.size(); first += kRowsAtOnce) {
    const std::size_t count = std::min(left.size() - first, static_cast<std::size_t>(kRowsAtOnce));
    parallel_tiles(omp_get_max_threads(), static_cast<std::int64_t>(count),
                   [&](std::int64_t i, int) { scan(left[first + static_cast<std::size_t>(i)]); });
    report(0);
  }
}

Neighbours Search::run() {
  if (result_.k == 0 || queries_.rows == 0) return std::move(result_);
  // Equal parts, as the whole library is prepared for each; of very many queries more parts than
  // devices, so that a fast one can take more.
  const auto devices = std::ssize(devices_);
  const std::int64_t rows =
      devices == 1 ? queries_.rows : std::min(kMostInPart, tiles_of(queries_.rows, devices));
  side_by_side(devices_.size(), tiles_of(queries_.rows, rows), [&](const Part& part) {
    const std::int64_t begin = part.number() * rows;
    search(devices_[part.worker()], begin, std::min(begin + rows, queries_.rows));
  });
  result_.in_double = in_double_;
  result_.scanned = scanned_;
  return std::move(result_);
}

}  // namespace

Neighbours nearest(Device& device, MatrixView<const double> queries,
                   MatrixView<const double> library, const SearchOptions& options) {
  return Search({&device, 1}, queries, library, options).run();
}

Neighbours nearest(std::vector<Device>& devices, MatrixView<const double> queries,
                   MatrixView<const double> library, const SearchOptions& options) {
  return Search(devices, queries, library, options).run();
}

}  // namespace kronite::kmd
