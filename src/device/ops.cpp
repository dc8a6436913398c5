// Default bodies of the coarse operations. Compiled into the core and into the CUDA module.
#include "device/ops.hpp"

#include <algorithm>

#include "device/backend.hpp"  // for Backend
#include "device/scratch.hpp"  // for Scratch

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

}  // namespace

template <class T>
void NetworkOps<T>::score_pairs(MatrixView<const T> queries, MatrixView<const T> candidates,
                                PairView pairs, const EnsembleView<T>& ensemble, VectorView<T> p) {
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

template class NetworkOps<float>;
template class NetworkOps<double>;

}  // namespace kronite
