// Forward and back through the branches of an embedding network.
#include "learn/trainable_embedding.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"        // for fail
#include "learn/on_device.hpp"  // for upload
#include "math/random.hpp"      // for Random

namespace kronite::learn {
namespace {

constexpr std::int64_t kMostUnits = 1 << 16;

std::int64_t readings(const BranchLayout& branch) {
  return static_cast<std::int64_t>(branch.columns.size());
}

/// The most values that a hidden layer has for one row.
std::int64_t widest(const EmbeddingLayout& layout) {
  std::int64_t width = 1;
  for (const BranchLayout& branch : layout.branches)
    for (std::size_t k = 0; k + 1 < branch.layers.size(); ++k)
      width = std::max(width, readings(branch) * branch.layers[k].units);
  return width;
}

template <class T>
MatrixView<T> columns_of(MatrixView<T> m, std::int64_t first, std::int64_t count) {
  return {m.data + first, m.rows, count, m.ld, m.place};
}

/// Whether `count` columns from `column` on have the other ones among them.
bool holds(std::int64_t column, std::int64_t count, std::int64_t other, std::int64_t others) {
  return other >= column && other + others <= column + count;
}

void check_branch(const BranchShape& branch, std::size_t number, std::int64_t inputs,
                  const VectorShape& vectors) {
  const auto check = [&](bool holds, const std::string& sentence) {
    if (!holds) fail(Errc::invalid_argument, "branch {} of the embedding {}", number + 1, sentence);
  };
  check(!branch.columns.empty() && branch.inputs > 0, "reads nothing");
  for (const std::int64_t column : branch.columns)
    check(column >= 0 && column + branch.inputs <= inputs,
          fmt::format("reads {} values from column {} on, of {}", branch.inputs, column, inputs));
  for (const std::int64_t column : branch.columns)
    for (const auto& place : vectors.places)
      check(place.column + vectors.width <= column || place.column >= column + branch.inputs ||
                holds(column, branch.inputs, place.column, vectors.width),
            "reads a part of a learned vector");
  check(branch.outputs > 0 && branch.outputs <= kMostUnits,
        fmt::format("has {} outputs, expected 1 to {}", branch.outputs, kMostUnits));
  for (const std::int64_t units : branch.hidden)
    check(units > 0 && units <= kMostUnits,
          fmt::format("has a layer of {} units, expected 1 to {}", units, kMostUnits));
}

}  // namespace

EmbeddingLayout::EmbeddingLayout(const EmbeddingShape& shape)
    : vectors(shape.vectors),
      inputs(shape.inputs),
      dropout(shape.dropout),
      first_distance(shape.first_distance) {
  if (shape.branches.empty())
    fail(Errc::invalid_argument, "the embedding has no outputs: every part of it is 0 wide");
  if (!(shape.dropout >= 0 && shape.dropout < 1))
    fail(Errc::invalid_argument, "dropout is {}, expected a share of at least 0 and below 1",
         shape.dropout);
  const auto take = [&](std::int64_t count) {
    const std::int64_t first = size;
    size += count;
    return first;
  };
  for (const BranchShape& from : shape.branches) {
    check_branch(from, branches.size(), inputs, vectors);
    BranchLayout branch;
    branch.columns = from.columns;
    branch.place = width;
    for (std::size_t k = 0; k <= from.hidden.size(); ++k) {
      const bool last = k == from.hidden.size();
      LayerLayout layer;
      layer.inputs = k == 0 ? from.inputs : from.hidden[k - 1];
      layer.units = last ? from.outputs : from.hidden[k];
      layer.weight = take(layer.units * layer.inputs);
      if (!last) layer.beta = from.bias ? take(layer.units) : -1;
      branch.layers.push_back(layer);
    }
    width += from.outputs * readings(branch);
    branches.push_back(std::move(branch));
  }
  table = take(vectors.kinds * vectors.width);
}

std::vector<float> initial_parameters(const EmbeddingLayout& layout, std::uint64_t seed) {
  std::vector<float> parameters(static_cast<std::size_t>(layout.size), 0.0F);
  math::Random random(seed);
  for (const BranchLayout& branch : layout.branches)
    for (const LayerLayout& layer : branch.layers) {
      const auto inputs = static_cast<double>(layer.inputs);
      const auto units = static_cast<double>(layer.units);
      double limit = std::sqrt(6 / (inputs + units));
      if (&layer == &branch.layers.back()) {
        // Of two rows, each of `inputs` differences has a variance of two, and a weight of limit^2
        // / 3; all `width` outputs together make the distance.
        limit =
            std::sqrt(3 * layout.first_distance / (2 * inputs * static_cast<double>(layout.width)));
      }
      std::generate_n(parameters.begin() + layer.weight, layer.units * layer.inputs,
                      [&] { return static_cast<float>(random.uniform(-limit, limit)); });
    }
  std::generate_n(parameters.begin() + layout.table, layout.vectors.kinds * layout.vectors.width,
                  [&] { return static_cast<float>(0.1 * random.normal()); });
  return parameters;
}

EmbeddingNetwork network_of(const EmbeddingLayout& layout, std::span<const float> parameters) {
  const auto values = [&](std::int64_t first, std::int64_t count) {
    const auto part =
        parameters.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    return std::vector<float>(part.begin(), part.end());
  };
  EmbeddingNetwork network;
  for (const BranchLayout& from : layout.branches) {
    EmbeddingBranch branch{from.columns, {}};
    for (const LayerLayout& layer : from.layers) {
      const bool last = &layer == &from.layers.back();
      branch.network.layers.push_back(
          {layer.inputs, layer.units, values(layer.weight, layer.units * layer.inputs),
           last || layer.beta < 0 ? std::vector<float>(static_cast<std::size_t>(layer.units), 0.0F)
                                  : values(layer.beta, layer.units),
           last ? Activation::none : Activation::relu});
    }
    network.branches.push_back(std::move(branch));
  }
  const VectorShape& vectors = layout.vectors;
  network.vectors = {vectors.width, values(layout.table, vectors.kinds * vectors.width),
                     vectors.places};
  return network;
}

template <class T>
TrainableEmbedding<T>::TrainableEmbedding(Device& device, const EmbeddingLayout& layout,
                                          std::int64_t most_rows, VectorView<const T> parameters,
                                          VectorView<T> gradient)
    : backend_(device.backend()),
      linalg_(linalg<T>(device)),
      training_(training<T>(device)),
      layout_(layout),
      parameters_(parameters),
      gradient_(gradient),
      ping_(backend_, most_rows, widest(layout)),
      pong_(backend_, most_rows, widest(layout)),
      vector_gradient_(backend_, most_rows, layout.vectors.width),
      no_bias_(backend_, widest(layout)),
      no_bias_gradient_(backend_, widest(layout)) {
  const std::vector<T> zeros(static_cast<std::size_t>(widest(layout)), T{0});
  upload<T>(backend_, zeros, no_bias_.data());
  for (const BranchLayout& branch : layout.branches) {
    Hidden& hidden = hidden_.emplace_back();
    for (std::size_t k = 0; k + 1 < branch.layers.size(); ++k)
      hidden.emplace_back(backend_, most_rows * readings(branch), branch.layers[k].units);
  }
}

template <class T>
MatrixView<const T> TrainableEmbedding<T>::weight(const LayerLayout& layer) const {
  return {parameters_.data + layer.weight, layer.units, layer.inputs, parameters_.place};
}

template <class T>
MatrixView<T> TrainableEmbedding<T>::weight_gradient(const LayerLayout& layer) const {
  return {gradient_.data + layer.weight, layer.units, layer.inputs, gradient_.place};
}

template <class T>
HiddenView<T> TrainableEmbedding<T>::hidden_view(std::size_t branch, std::size_t layer) const {
  const LayerLayout& of = layout_.branches[branch].layers[layer];
  HiddenView<T> view;
  view.beta = {of.beta < 0 ? no_bias_.data() : parameters_.data + of.beta, of.units,
               parameters_.place};
  view.dropout = layout_.dropout;
  view.key = key_;
  view.key.layer += static_cast<std::uint32_t>(branch << 8 | layer);
  return view;
}

template <class T>
void TrainableEmbedding<T>::forward(MatrixView<T> x, DropoutKey key, MatrixView<T> points) {
  rows_ = x.rows;
  key_ = key;
  place_vectors(x);
  for (std::size_t b = 0; b < layout_.branches.size(); ++b) forward(b, x, points);
}

/// A matrix of zeros and ones picks the vectors.
template <class T>
void TrainableEmbedding<T>::place_vectors(MatrixView<T> x) {
  const VectorShape& vectors = layout_.vectors;
  const MatrixView<const T> table(parameters_.data + layout_.table, vectors.kinds, vectors.width,
                                  parameters_.place);
  for (const auto& [slot, column] : vectors.places)
    linalg_.gemm(T{1}, columns_of(x, layout_.inputs + slot * vectors.kinds, vectors.kinds),
                 Op::none, table, Op::none, T{0}, columns_of(x, column, vectors.width));
}

template <class T>
void TrainableEmbedding<T>::add_vector_gradients(const LayerLayout& layer, std::int64_t column,
                                                 MatrixView<const T> gradient,
                                                 MatrixView<const T> x) {
  const VectorShape& vectors = layout_.vectors;
  const MatrixView<T> table(gradient_.data + layout_.table, vectors.kinds, vectors.width,
                            gradient_.place);
  const MatrixView<T> of_vector = vector_gradient_.matrix().rows_from(0, rows_);
  for (const auto& place : vectors.places) {
    if (!holds(column, layer.inputs, place.column, vectors.width)) continue;
    linalg_.gemm(T{1}, gradient, Op::none,
                 columns_of(weight(layer), place.column - column, vectors.width), Op::none, T{0},
                 of_vector);
    linalg_.gemm(T{1}, columns_of(x, layout_.inputs + place.slot * vectors.kinds, vectors.kinds),
                 Op::transpose, of_vector, Op::none, any_vector_gradient_ ? T{1} : T{0}, table);
    any_vector_gradient_ = true;
  }
}

template <class T>
void TrainableEmbedding<T>::forward(std::size_t branch, MatrixView<const T> x,
                                    MatrixView<T> points) {
  const BranchLayout& layout = layout_.branches[branch];
  const Hidden& hidden = hidden_[branch];
  for (std::size_t k = 0; k < layout.layers.size(); ++k) {
    const LayerLayout& layer = layout.layers[k];
    const bool first = k == 0, last = k == hidden.size();
    for (std::int64_t r = 0; r < readings(layout); ++r) {
      const auto in = first
                          ? columns_of(x, layout.columns[static_cast<std::size_t>(r)], layer.inputs)
                          : MatrixView<const T>(hidden[k - 1].matrix().rows_from(r * rows_, rows_));
      const auto out = last ? columns_of(points, layout.place + r * layer.units, layer.units)
                            : hidden[k].matrix().rows_from(r * rows_, rows_);
      linalg_.gemm(T{1}, in, Op::none, weight(layer), Op::transpose, T{0}, out);
    }
    if (last) break;
    const MatrixView<T> y = hidden[k].matrix().rows_from(0, readings(layout) * rows_);
    training_.hidden_forward(hidden_view(branch, k), y, {}, {}, y);
  }
}

template <class T>
void TrainableEmbedding<T>::backward(MatrixView<const T> x, MatrixView<const T> point_gradient) {
  any_vector_gradient_ = false;
  for (std::size_t b = 0; b < layout_.branches.size(); ++b) backward(b, x, point_gradient);
}

template <class T>
void TrainableEmbedding<T>::backward(std::size_t branch, MatrixView<const T> x,
                                     MatrixView<const T> point_gradient) {
  const BranchLayout& layout = layout_.branches[branch];
  const Hidden& hidden = hidden_[branch];
  const std::int64_t count = readings(layout);
  const auto stacked = [&](const Scratch<T>& s, std::int64_t units) {
    return MatrixView<T>(s.data(), count * rows_, units, backend_.place());
  };
  MatrixView<T> above;  // dL/d of what the layer gives, from the last hidden one down
  for (std::size_t k = layout.layers.size(); k-- > 0;) {
    const LayerLayout& layer = layout.layers[k];
    const bool first = k == 0, last = k == hidden.size();
    if (!last) {
      const MatrixView<T> y = stacked(hidden[k], layer.units);
      training_.hidden_backward(
          hidden_view(branch, k), y, {}, {}, y, above, {},
          {layer.beta < 0 ? no_bias_gradient_.data() : gradient_.data + layer.beta, layer.units,
           gradient_.place});
    }
    const MatrixView<T> below =
        first ? MatrixView<T>() : stacked(k % 2 == 0 ? ping_ : pong_, layer.inputs);
    for (std::int64_t r = 0; r < count; ++r) {
      const auto gradient =
          last ? columns_of(point_gradient, layout.place + r * layer.units, layer.units)
               : MatrixView<const T>(above.rows_from(r * rows_, rows_));
      const auto in = first
                          ? columns_of(x, layout.columns[static_cast<std::size_t>(r)], layer.inputs)
                          : MatrixView<const T>(hidden[k - 1].matrix().rows_from(r * rows_, rows_));
      linalg_.gemm(T{1}, gradient, Op::transpose, in, Op::none, r == 0 ? T{0} : T{1},
                   weight_gradient(layer));
      if (first)
        add_vector_gradients(layer, layout.columns[static_cast<std::size_t>(r)], gradient, x);
      else
        linalg_.gemm(T{1}, gradient, Op::none, weight(layer), Op::none, T{0},
                     below.rows_from(r * rows_, rows_));
    }
    above = below;
  }
}

template class TrainableEmbedding<float>;
template class TrainableEmbedding<double>;

}  // namespace kronite::learn
