// Points, squared distances, their loss, and back.
#include "learn/trainable_metric.hpp"

#include <algorithm>

#include "base/fail.hpp"        // for fail
#include "learn/on_device.hpp"  // for upload
#include "math/random.hpp"      // for Random

namespace kronite::learn {
namespace {

/// Layers of different parts draw different random bits.
constexpr std::uint32_t kLayersPerPart = 1 << 16;

}  // namespace

void ListRoom::include(const std::vector<ListBlock>& blocks) {
  std::int64_t all_rows = 0;
  for (const ListBlock& block : blocks) {
    all_rows += block.candidates;
    pairs = std::max(pairs, block.queries * block.candidates);
  }
  rows = std::max(rows, all_rows);
}

MetricLayout::MetricLayout(const MetricShape& shape) {
  const auto add = [&](const EmbeddingShape& part) {
    parts.push_back({EmbeddingLayout(part), size});
    size += parts.back().layout.size;
    return static_cast<int>(parts.size()) - 1;
  };
  add(shape.embedding);
  if (!shape.shift.empty()) shift = add(shape.shift);
  if (!shape.bias.empty()) bias = add(shape.bias);
  if (!shape.none_of.empty()) none_of = add(shape.none_of);
  none = size++;
}

std::vector<float> initial_parameters(const MetricLayout& layout, std::uint64_t seed) {
  std::vector<float> all;
  for (std::size_t k = 0; k < layout.parts.size(); ++k) {
    const std::uint64_t of_part = math::Random(seed, k).bits64();
    const auto part = initial_parameters(layout.parts[k].layout, of_part);
    all.insert(all.end(), part.begin(), part.end());
  }
  all.push_back(static_cast<float>(kFirstNone));
  return all;
}

MetricNetwork network_of(const MetricLayout& layout, std::span<const float> parameters) {
  if (std::ssize(parameters) != layout.size)
    fail(Errc::invalid_argument, "a metric of this shape has {} parameters, not {}", layout.size,
         parameters.size());
  const auto part = [&](int place) {
    if (place < 0) return EmbeddingNetwork{};
    const auto& [of, first] = layout.parts[static_cast<std::size_t>(place)];
    return network_of(
        of, parameters.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(of.size)));
  };
  return {part(0), part(layout.shift), part(layout.bias), part(layout.none_of),
          static_cast<double>(parameters[static_cast<std::size_t>(layout.none)])};
}

template <class T>
TrainableMetric<T>::TrainableMetric(Device& device, const MetricLayout& layout,
                                    const ListRoom& room)
    : device_(device),
      backend_(device.backend()),
      layout_(layout),
      parameters_(backend_, layout.size),
      gradient_(backend_, layout.size),
      points_(backend_, room.rows, layout.parts.front().layout.width),
      candidates_(backend_, room.rows, layout.parts.front().layout.width),
      point_gradient_(backend_, room.rows, layout.parts.front().layout.width),
      candidate_gradient_(backend_, room.rows, layout.parts.front().layout.width),
      bias_(backend_, room.rows),
      bias_gradient_(backend_, room.rows),
      none_(backend_, room.rows),
      none_gradient_(backend_, room.rows),
      ones_(backend_, room.rows),
      distances_(backend_, room.pairs) {
  for (const auto& [part, first] : layout.parts)
    parts_.emplace_back(
        device, part, room.rows,
        VectorView<const T>(parameters_.data() + first, part.size, backend_.place()),
        VectorView<T>(gradient_.data() + first, part.size, backend_.place()));
  upload<T>(backend_, std::vector<T>(static_cast<std::size_t>(room.rows), T{1}), ones_.data());
  upload<T>(backend_, std::vector<T>(static_cast<std::size_t>(room.rows), T{0}), bias_.data());
}

template <class T>
TrainableEmbedding<T>* TrainableMetric<T>::part(int place) {
  return place < 0 ? nullptr : &parts_[static_cast<std::size_t>(place)];
}

template <class T>
void TrainableMetric<T>::add(MatrixView<const T> x, MatrixView<T> y) {
  training<T>(device_).add_scaled_rows(T{1}, {ones_.data(), rows_, backend_.place()}, x, y);
}

template <class T>
void TrainableMetric<T>::forward(MatrixView<T> x, MatrixView<T> traits,
                                 const std::vector<ListBlock>& blocks,
                                 VectorView<const std::uint8_t> relation, DropoutKey key,
                                 VectorView<T> losses) {
  rows_ = x.rows;
  embed(x, traits, key);
  // What is no query has no part in the loss.
  upload<T>(backend_, std::vector<T>(static_cast<std::size_t>(rows_), T{0}), none_gradient_.data());
  const T share = T{1} / static_cast<T>(std::max<std::int64_t>(1, losses.size));
  std::int64_t first_query = 0;
  for (const ListBlock& block : blocks) {
    add_block(block, relation.data + block.relation, share, losses.data + first_query);
    first_query += block.queries;
  }
}

/// Points, biases and logits of none of all rows.
template <class T>
void TrainableMetric<T>::embed(MatrixView<T> x, MatrixView<T> traits, DropoutKey key) {
  const auto key_of = [&](int place) {
    DropoutKey of_part = key;
    of_part.layer = static_cast<std::uint32_t>(place) * kLayersPerPart;
    return of_part;
  };
  const MatrixView<T> points = rows_of(points_), candidates = rows_of(candidates_);
  part(0)->forward(x, key_of(0), points);
  if (auto* shift = part(layout_.shift)) {
    shift->forward(traits, key_of(layout_.shift), candidates);
    add(points, candidates);
  } else {
    backend_.copy(candidates.data, backend_.place(), points.data, backend_.place(),
                  static_cast<std::size_t>(points.rows * points.cols) * sizeof(T));
  }
  if (auto* bias = part(layout_.bias)) bias->forward(traits, key_of(layout_.bias), rows_of(bias_));
  auto* none_of = part(layout_.none_of);
  if (none_of) none_of->forward(x, key_of(layout_.none_of), rows_of(none_));
  const MatrixView<const T> none(parameters_.data() + layout_.none, 1, 1, backend_.place());
  linalg<T>(device_).gemm(T{1}, rows_of(ones_), Op::none, none, Op::none, none_of ? T{1} : T{0},
                          rows_of(none_));
}

/// With z = b - |q - t|^2 and G = dL/dz: dL/dt_j = 2 (sum_i G_ij q_i - t_j sum_i G_ij), dL/db_j =
/// sum_i G_ij, and for q_i as for t_j, where the sum over j of G_ij is minus the gradient of none:
/// a softmax's gradients add up to nothing.
template <class T>
void TrainableMetric<T>::add_block(const ListBlock& block, const std::uint8_t* relation, T share,
                                   T* losses) {
  const Place place = backend_.place();
  const auto part = [&](const Scratch<T>& s, std::int64_t rows) {
    return s.matrix().rows_from(block.first, rows);
  };
  const auto values = [&](const Scratch<T>& s, std::int64_t rows) {
    return VectorView<T>(s.data() + block.first, rows, place);
  };
  const MatrixView<T> queries = part(points_, block.queries);
  const MatrixView<T> candidates = part(candidates_, block.candidates);
  const MatrixView<T> g(distances_.data(), block.queries, block.candidates, place);

  kernels<T>(device_).squared_distances(queries, candidates, g);
  training<T>(device_).list_loss(values(bias_, block.candidates), values(none_, block.queries),
                                 {relation, block.queries, block.candidates, place}, share, g,
                                 {losses, block.queries, place},
                                 values(none_gradient_, block.queries));
  training<T>(device_).column_sums(g, values(bias_gradient_, block.candidates));

  const MatrixView<T> d_candidates = part(candidate_gradient_, block.candidates);
  linalg<T>(device_).gemm(T{2}, g, Op::transpose, queries, Op::none, T{0}, d_candidates);
  training<T>(device_).add_scaled_rows(T{-2}, values(bias_gradient_, block.candidates), candidates,
                                       d_candidates);
  // A point is moved as that of a candidate and, where it is one, as that of a query.
  const MatrixView<T> d_points = part(point_gradient_, block.candidates);
  const MatrixView<T> d_queries = part(point_gradient_, block.queries);
  backend_.copy(d_points.data, place, d_candidates.data, place,
                static_cast<std::size_t>(d_points.rows * d_points.cols) * sizeof(T));
  linalg<T>(device_).gemm(T{2}, g, Op::none, candidates, Op::none, T{1}, d_queries);
  training<T>(device_).add_scaled_rows(T{2}, values(none_gradient_, block.queries), queries,
                                       d_queries);
}

template <class T>
void TrainableMetric<T>::backward(MatrixView<const T> x, MatrixView<const T> traits) {
  training<T>(device_).column_sums(rows_of(none_gradient_),
                                   {gradient_.data() + layout_.none, 1, backend_.place()});
  part(0)->backward(x, rows_of(point_gradient_));
  if (auto* shift = part(layout_.shift)) shift->backward(traits, rows_of(candidate_gradient_));
  if (auto* bias = part(layout_.bias)) bias->backward(traits, rows_of(bias_gradient_));
  if (auto* none_of = part(layout_.none_of)) none_of->backward(x, rows_of(none_gradient_));
}

template class TrainableMetric<float>;
template class TrainableMetric<double>;

}  // namespace kronite::learn
