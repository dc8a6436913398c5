// Squared distances, their loss, and back to the points.
#include "learn/trainable_metric.hpp"

#include <algorithm>

#include "learn/on_device.hpp"  // for upload

namespace kronite::learn {

void ListRoom::include(const std::vector<ListBlock>& blocks) {
  std::int64_t all_rows = 0, all_queries = 0;
  for (const ListBlock& block : blocks) {
    all_rows += block.candidates;
    all_queries += block.queries;
    candidates = std::max(candidates, block.candidates);
    pairs = std::max(pairs, block.queries * block.candidates);
  }
  rows = std::max(rows, all_rows);
  queries = std::max(queries, all_queries);
}

template <class T>
TrainableMetric<T>::TrainableMetric(Device& device, const EmbeddingLayout& layout,
                                    const ListRoom& room)
    : device_(device),
      backend_(device.backend()),
      layout_(layout),
      parameters_(backend_, layout.size + 1),
      gradient_(backend_, layout.size + 1),
      embedding_(device, layout, room.rows, parameters_.vector(), gradient_.vector()),
      points_(backend_, room.rows, layout.width),
      point_gradient_(backend_, room.rows, layout.width),
      distances_(backend_, room.pairs),
      column_sums_(backend_, room.candidates),
      ones_(backend_, room.queries),
      none_(backend_, room.queries),
      none_gradient_(backend_, room.queries) {
  const std::vector<T> ones(static_cast<std::size_t>(room.queries), T{1});
  upload<T>(backend_, ones, ones_.data());
}

template <class T>
void TrainableMetric<T>::forward(MatrixView<const T> x, const std::vector<ListBlock>& blocks,
                                 VectorView<const std::uint8_t> relation, DropoutKey key,
                                 VectorView<T> losses) {
  const Place place = backend_.place();
  rows_ = x.rows;
  queries_ = losses.size;
  embedding_.forward(x, key, points_.matrix().rows_from(0, rows_));
  const MatrixView<const T> none(parameters_.data() + layout_.size, 1, 1, place);
  linalg<T>(device_).gemm(T{1}, {ones_.data(), queries_, 1, place}, Op::none, none, Op::none, T{0},
                          {none_.data(), queries_, 1, place});
  const T share = T{1} / static_cast<T>(std::max<std::int64_t>(1, queries_));
  std::int64_t first_query = 0;
  for (const ListBlock& block : blocks) {
    add_block(block, relation.data + block.relation, first_query, share, losses.data);
    first_query += block.queries;
  }
}

/// With z = -|q - t|^2 and G = dL/dz: dL/dt_j = 2 (sum_i G_ij q_i - t_j sum_i G_ij), and for q_i
/// alike, where the sum over j of G_ij is minus the gradient of none: a softmax's gradients add up
/// to nothing.
template <class T>
void TrainableMetric<T>::add_block(const ListBlock& block, const std::uint8_t* relation,
                                   std::int64_t first_query, T share, T* losses) {
  const Place place = backend_.place();
  const MatrixView<T> candidates = points_.matrix().rows_from(block.first, block.candidates);
  const MatrixView<T> queries = points_.matrix().rows_from(block.first, block.queries);
  const MatrixView<T> g(distances_.data(), block.queries, block.candidates, place);
  const VectorView<T> none_gradient(none_gradient_.data() + first_query, block.queries, place);
  const VectorView<T> column_sums(column_sums_.data(), block.candidates, place);

  kernels<T>(device_).squared_distances(queries, candidates, g);
  training<T>(device_).list_loss({}, {none_.data() + first_query, block.queries, place},
                                 {relation, block.queries, block.candidates, place}, share, g,
                                 {losses + first_query, block.queries, place}, none_gradient);
  training<T>(device_).column_sums(g, column_sums);

  const MatrixView<T> d_candidates =
      point_gradient_.matrix().rows_from(block.first, block.candidates);
  const MatrixView<T> d_queries = point_gradient_.matrix().rows_from(block.first, block.queries);
  linalg<T>(device_).gemm(T{2}, g, Op::transpose, queries, Op::none, T{0}, d_candidates);
  training<T>(device_).add_scaled_rows(T{-2}, column_sums, candidates, d_candidates);
  linalg<T>(device_).gemm(T{2}, g, Op::none, candidates, Op::none, T{1}, d_queries);
  training<T>(device_).add_scaled_rows(T{2}, none_gradient, queries, d_queries);
}

template <class T>
void TrainableMetric<T>::backward(MatrixView<const T> x) {
  const Place place = backend_.place();
  training<T>(device_).column_sums({none_gradient_.data(), queries_, 1, place},
                                   {gradient_.data() + layout_.size, 1, place});
  embedding_.backward(x, point_gradient_.matrix().rows_from(0, rows_));
}

template class TrainableMetric<float>;
template class TrainableMetric<double>;

}  // namespace kronite::learn
