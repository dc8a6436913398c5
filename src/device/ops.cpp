// Default bodies of the coarse operations. Compiled into the core and into the CUDA module.
#include "device/ops.hpp"

#include <algorithm>

#include "device/backend.hpp"      // for Backend
#include "device/pair_walk.hpp"    // for PairWalk
#include "device/scratch.hpp"      // for Scratch
#include "device/top_k_lists.hpp"  // for TopKLists

namespace kronite {
namespace {

/// The widest activation that a pair needs, the input included.
template <class T>
std::int64_t widest(const EnsembleView<T>& ensemble, std::int64_t inputs) {
  std::int64_t width = inputs;
  for (const auto& member : ensemble.members)
    for (const auto& layer : member.layers) width = std::max(width, layer.weight.rows);
  return width;
}

/// Pairs per tile: three activations of the widest kind fit in half of what is left of the limit.
template <class T>
std::int64_t tile_pairs(Backend& backend, std::int64_t width, std::int64_t pairs) {
  const std::int64_t most = 1 << 16;
  std::int64_t fit = most;
  if (backend.memory_limit() != 0) {
    const std::size_t left = backend.memory_limit() - backend.memory_in_use();
    fit = static_cast<std::int64_t>(left / 2 / (3 * sizeof(T) * static_cast<std::size_t>(width)));
  }
  return std::max<std::int64_t>(1, std::min({most, fit, pairs}));
}

/// Pairs listed at a time: indices and a score each, in an eighth of what is left of the limit.
template <class T>
std::int64_t list_tile(Backend& backend, std::int64_t pairs) {
  const std::int64_t most = 1 << 18;
  std::int64_t fit = most;
  if (backend.memory_limit() != 0) {
    const std::size_t left = backend.memory_limit() - backend.memory_in_use();
    fit = static_cast<std::int64_t>(left / 8 / (2 * sizeof(std::int32_t) + sizeof(T)));
  }
  return std::max<std::int64_t>(1, std::min({most, fit, pairs}));
}

/// A matrix of a device as it is on the host.
template <class T>
class HostCopy {
 public:
  HostCopy(Backend& backend, MatrixView<T> there)
      : backend_(backend),
        there_(there),
        here_(static_cast<std::size_t>(there.rows * there.cols)) {}

  MatrixView<T> view() { return {here_.data(), there_.rows, there_.cols}; }
  /// Queued: the values are here after synchronize().
  void fetch() {
    for_parts([&](T* there, T* here, std::size_t bytes) {
      backend_.copy(here, Place{}, there, there_.place, bytes);
    });
  }
  void put() {
    for_parts([&](T* there, T* here, std::size_t bytes) {
      backend_.copy(there, there_.place, here, Place{}, bytes);
    });
  }

 private:
  /// The whole matrix at once where nothing lies between its rows.
  template <class F>
  void for_parts(const F& f) {
    const bool whole = there_.ld == there_.cols;
    const std::int64_t parts = whole ? 1 : there_.rows;
    const std::int64_t size = whole ? there_.rows * there_.cols : there_.cols;
    for (std::int64_t i = 0; i < parts; ++i)
      f(there_.row(i), here_.data() + i * size, static_cast<std::size_t>(size) * sizeof(T));
  }

  Backend& backend_;
  MatrixView<T> there_;
  std::vector<T> here_;
};

}  // namespace

template <class T>
void NetworkOps<T>::score_pairs(MatrixView<const T> queries, MatrixView<const T> candidates,
                                PairView pairs, const EnsembleView<T>& ensemble, Precision,
                                VectorView<T> p) {
  const std::int64_t n = pairs.query.size;
  if (n == 0) return;
  Backend& b = backend();
  const std::int64_t width = widest(ensemble, queries.cols);
  const std::int64_t tile = tile_pairs<T>(b, width, n);
  const Scratch<T> difference(b, tile, queries.cols), ping(b, tile, width), pong(b, tile, width);

  for (std::int64_t first = 0; first < n; first += tile) {
    const std::int64_t count = std::min(tile, n - first);
    const PairView part{{pairs.query.data + first, count, pairs.query.place},
                        {pairs.candidate.data + first, count, pairs.candidate.place}};
    const auto part_of = [&](const Scratch<T>& s, std::int64_t cols) {
      return MatrixView<T>(s.data(), count, cols, b.place());
    };
    const VectorView<T> part_p(p.data + first, count, p.place);
    pair_differences(queries, candidates, part, part_of(difference, queries.cols));
    for (const auto& member : ensemble.members) {
      MatrixView<T> x = part_of(difference, queries.cols);
      for (std::size_t k = 0; k < member.layers.size(); ++k) {
        const MatrixView<T> y = part_of(k % 2 == 0 ? ping : pong, member.layers[k].weight.rows);
        dense(member.layers[k], x, y);
        x = y;
      }
      const bool first_member = &member == &ensemble.members.front();
      probability(x, T{1} / static_cast<T>(ensemble.members.size()), first_member ? T{0} : T{1},
                  part_p);
    }
  }
}

template <class T>
std::string NetworkOps<T>::refuses(Precision precision) const {
  return precision == Precision::fp32 ? "" : "this device scores in fp32 only";
}

template <class T>
void NetworkOps<T>::score_top_k(MatrixView<const T> queries, MatrixView<const T> candidates,
                                const std::vector<ScoreBlock>& blocks,
                                const EnsembleView<T>& ensemble, const TopKScoring& how,
                                MatrixView<T> p, MatrixView<std::int32_t> index) {
  Backend& b = backend();
  HostCopy<T> values(b, p);
  HostCopy<std::int32_t> indices(b, index);
  std::vector<Ranked<T>> memory(static_cast<std::size_t>(p.rows * p.cols));
  TopKLists<T> lists(memory.data(), p.rows, p.cols);
  if (how.append) {
    values.fetch();
    indices.fetch();
    b.synchronize();
    lists.read(values.view(), indices.view());
  } else {
    lists.clear();
  }

  const PairWalk walk(blocks, how.self);
  const std::int64_t tile = list_tile<T>(b, walk.size());
  const Scratch<std::int32_t> query(b, tile), candidate(b, tile);
  const Scratch<T> scores(b, tile);
  std::vector<std::int32_t> host_query(static_cast<std::size_t>(tile)), host_candidate(host_query);
  std::vector<T> host_scores(static_cast<std::size_t>(tile));
  for (std::int64_t first = 0; first < walk.size(); first += tile) {
    const std::int64_t count = std::min(tile, walk.size() - first);
    walk.visit(first, count, [&](std::int64_t n, IndexPair pair) {
      host_query[static_cast<std::size_t>(n)] = pair.query;
      host_candidate[static_cast<std::size_t>(n)] = pair.candidate;
    });
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(std::int32_t);
    b.copy(query.data(), b.place(), host_query.data(), Place{}, bytes);
    b.copy(candidate.data(), b.place(), host_candidate.data(), Place{}, bytes);
    const VectorView<T> part(scores.data(), count, b.place());
    score_pairs(queries, candidates,
                {{query.data(), count, b.place()}, {candidate.data(), count, b.place()}}, ensemble,
                how.precision, part);
    b.copy(host_scores.data(), Place{}, scores.data(), b.place(),
           static_cast<std::size_t>(count) * sizeof(T));
    b.synchronize();
    for (std::size_t n = 0; n < static_cast<std::size_t>(count); ++n) {
      lists.offer(host_query[n], {host_scores[n], host_candidate[n]});
      if (how.self) lists.offer(host_candidate[n], {host_scores[n], host_query[n]});
    }
  }

  lists.write(values.view(), indices.view());
  values.put();
  indices.put();
}

template class NetworkOps<float>;
template class NetworkOps<double>;

}  // namespace kronite
