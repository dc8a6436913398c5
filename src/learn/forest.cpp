// Extremely randomised trees: how they are grown, and their predictions.
#include "kronite/forest.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "base/fail.hpp"      // for fail
#include "base/parallel.hpp"  // for parallel_tiles
#include "learn/rows.hpp"     // for check_parts, standardised, class_sizes
#include "math/random.hpp"    // for Random

namespace kronite::learn {
namespace {

using Values = std::vector<double>;

constexpr std::int64_t kPredictedTile = 256;

/// Rows as they are, checked.
Values plain_rows(RowsView x, const std::vector<std::int64_t>& rows) {
  const auto cols = static_cast<std::size_t>(x.cols());
  return standardised<double>({Values(cols, 0.0), Values(cols, 1.0), {}, {}}, x, rows,
                              "descriptors");
}

/// What all trees learn from.
struct Training {
  std::int64_t rows = 0, inputs = 0, outputs = 0;
  Values x;        ///< inputs x rows: a column's values lie together
  Values targets;  ///< rows x outputs
  Values weights;  ///< rows

  Training(RowsView view, const RowParts& parts, std::int64_t count)
      : rows(static_cast<std::int64_t>(parts.training.size())),
        inputs(view.cols()),
        outputs(count),
        x(static_cast<std::size_t>(rows * inputs)),
        weights(static_cast<std::size_t>(rows), 1.0) {
    const Values by_row = plain_rows(view, parts.training);
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t c = 0; c < inputs; ++c)
        x[static_cast<std::size_t>(c * rows + i)] =
            by_row[static_cast<std::size_t>(i * inputs + c)];
  }

  const double* column(std::int64_t c) const { return x.data() + c * rows; }
  const double* target(std::int32_t row) const { return targets.data() + row * outputs; }
};

/// Sums over some rows: weights, and weights times targets.
struct Sums {
  double weight = 0;
  Values targets;

  explicit Sums(std::int64_t outputs) : targets(static_cast<std::size_t>(outputs), 0.0) {}
  void clear() {
    weight = 0;
    std::fill(targets.begin(), targets.end(), 0.0);
  }
  void add(const Training& of, std::int32_t row) {
    const double w = of.weights[static_cast<std::size_t>(row)];
    weight += w;
    for (std::size_t k = 0; k < targets.size(); ++k) targets[k] += w * of.target(row)[k];
  }
};

struct Split {
  std::int64_t column = -1;
  double threshold = 0;
};

/// Grows one tree.
class Growing {
 public:
  Growing(const Training& training, std::int64_t tried, std::uint64_t seed, std::uint64_t tree)
      : training_(training),
        tried_(tried),
        random_(seed, tree),
        rows_(static_cast<std::size_t>(training.rows)),
        columns_(static_cast<std::size_t>(training.inputs)),
        whole_(training.outputs),
        left_(training.outputs) {
    std::iota(rows_.begin(), rows_.end(), 0);
    std::iota(columns_.begin(), columns_.end(), 0);
  }

  ForestTree grow();

 private:
  using Rows = std::span<std::int32_t>;

  bool pure(Rows rows) const;
  Split best_split(Rows rows);
  double gain(Rows rows, const double* x, double threshold);
  std::size_t divide(Rows rows, const Split& split);
  void add_leaf();

  const Training& training_;
  const std::int64_t tried_;
  math::Random random_;
  std::vector<std::int32_t> rows_, others_;
  std::vector<std::int64_t> columns_;  // in the order in which they were last drawn
  Sums whole_, left_;                  // of the node's rows, and of those left of a threshold
  ForestTree tree_;
};

bool Growing::pure(Rows rows) const {
  const double* first = training_.target(rows.front());
  return std::all_of(rows.begin(), rows.end(), [&](std::int32_t row) {
    return std::equal(first, first + training_.outputs, training_.target(row));
  });
}

/// By how much a threshold lowers the sum of squared deviations of the targets, but for what is the
/// same for every threshold of the node.
double Growing::gain(Rows rows, const double* x, double threshold) {
  left_.clear();
  for (const std::int32_t row : rows)
    if (x[row] <= threshold) left_.add(training_, row);
  const double right = whole_.weight - left_.weight;
  double gain = 0;
  for (std::size_t k = 0; k < left_.targets.size(); ++k) {
    const double rest = whole_.targets[k] - left_.targets[k];
    gain += left_.targets[k] * left_.targets[k] / left_.weight + rest * rest / right;
  }
  return gain;
}

/// Columns are drawn without replacement; those that are constant over the rows do not count.
Split Growing::best_split(Rows rows) {
  Split best;
  double most = -INFINITY;
  std::int64_t tried = 0;
  for (std::size_t i = 0; i < columns_.size() && tried < tried_; ++i) {
    std::swap(columns_[i], columns_[i + random_.below(columns_.size() - i)]);
    const double* x = training_.column(columns_[i]);
    double low = x[rows.front()], high = low;
    for (const std::int32_t row : rows) {
      low = std::min(low, x[row]);
      high = std::max(high, x[row]);
    }
    if (low == high) continue;
    ++tried;
    double threshold = random_.uniform(low, high);
    if (!(threshold < high)) threshold = low;  // rounded up, or high - low is infinite
    if (const double of = gain(rows, x, threshold); of > most) {
      most = of;
      best = {columns_[i], threshold};
    }
  }
  return best;
}

/// Rows left of the threshold first, both in the order they had. How many are left of it.
std::size_t Growing::divide(Rows rows, const Split& split) {
  const double* x = training_.column(split.column);
  others_.clear();
  std::size_t left = 0;
  for (const std::int32_t row : rows)
    if (x[row] <= split.threshold)
      rows[left++] = row;
    else
      others_.push_back(row);
  std::copy(others_.begin(), others_.end(), rows.begin() + static_cast<std::ptrdiff_t>(left));
  return left;
}

void Growing::add_leaf() {
  tree_.next.back() = static_cast<std::int32_t>(tree_.leaves.size() / whole_.targets.size());
  for (const double sum : whole_.targets) tree_.leaves.push_back(sum / whole_.weight);
}

ForestTree Growing::grow() {
  struct Open {
    std::size_t first, count;
    std::int64_t parent;  // whose answer to no it is; -1
  };
  std::vector<Open> open{{0, rows_.size(), -1}};
  while (!open.empty()) {
    const Open node = open.back();
    open.pop_back();
    const auto number = static_cast<std::int32_t>(tree_.column.size());
    if (node.parent >= 0) tree_.next[static_cast<std::size_t>(node.parent)] = number;
    const Rows rows(rows_.data() + node.first, node.count);
    whole_.clear();
    for (const std::int32_t row : rows) whole_.add(training_, row);
    const Split split = pure(rows) ? Split{} : best_split(rows);
    tree_.column.push_back(static_cast<std::int32_t>(split.column));
    tree_.next.push_back(0);
    tree_.threshold.push_back(split.threshold);
    if (split.column < 0) {
      add_leaf();
      continue;
    }
    const std::size_t left = divide(rows, split);
    open.push_back({node.first + left, node.count - left, number});
    open.push_back({node.first, left, -1});  // the next node
  }
  return std::move(tree_);
}

void check(const ForestOptions& options, RowsView x, std::int64_t targets, const RowParts& parts) {
  check_parts(parts, x);
  check_targets(targets, x);
  if (options.trees < 1)
    fail(Errc::invalid_argument, "the forest is to have {} trees, expected at least 1",
         options.trees);
  if (options.tried < 0 || options.tried > x.cols())
    fail(Errc::invalid_argument,
         "{} columns are to be tried at each node, expected 1 to {}, or 0 for as many as is usual",
         options.tried, x.cols());
}

Forest grow(const ForestOptions& options, const Training& training, std::int64_t tried) {
  Forest forest{training.inputs, training.outputs,
                std::vector<ForestTree>(static_cast<std::size_t>(options.trees))};
  int grown = 0;
  parallel_tiles(omp_get_max_threads(), options.trees, [&](std::int64_t tree, int) {
    forest.trees[static_cast<std::size_t>(tree)] =
        Growing(training, tried, options.seed, static_cast<std::uint64_t>(tree)).grow();
    bool go_on = true;
#pragma omp critical(kronite_forest)
    go_on = !options.after_tree || options.after_tree(++grown);
    if (!go_on) fail(Errc::cancelled, "stopped after {} of {} trees", grown, options.trees);
  });
  return forest;
}

/// Adds the leaf that a row comes to.
void add_leaf(const ForestTree& tree, const double* row, std::int64_t outputs, double* to) {
  std::size_t node = 0;
  while (tree.column[node] >= 0)
    node = row[tree.column[node]] <= tree.threshold[node]
               ? node + 1
               : static_cast<std::size_t>(tree.next[node]);
  const double* leaf = tree.leaves.data() + tree.next[node] * outputs;
  for (std::int64_t k = 0; k < outputs; ++k) to[k] += leaf[k];
}

}  // namespace

Forest fit_forest(const ForestOptions& options, RowsView x, MatrixView<const double> values,
                  const RowParts& parts) {
  check(options, x, values.rows, parts);
  const RowScaler scaler = target_scaler_of(values, parts.training);
  Training training(x, parts, values.cols);
  training.targets = standardised<double>(scaler, values, parts.training, "targets");
  const std::int64_t tried = options.tried > 0 ? options.tried : (x.cols() + 2) / 3;
  Forest forest = grow(options, training, tried);
  for (ForestTree& tree : forest.trees)
    for (std::size_t i = 0; i < tree.leaves.size(); ++i) {
      const std::size_t k = i % scaler.mean.size();
      tree.leaves[i] = scaler.mean[k] + scaler.std[k] * tree.leaves[i];
    }
  return forest;
}

Forest fit_forest(const ForestOptions& options, RowsView x, VectorView<const std::int32_t> classes,
                  std::int64_t count, const RowParts& parts) {
  check(options, x, classes.size, parts);
  class_sizes(classes, count, parts);
  const std::vector<float> weights = checked_class_weights(options.class_weights, count);
  Training training(x, parts, count);
  training.targets.resize(static_cast<std::size_t>(training.rows * count), 0.0);
  for (std::size_t i = 0; i < parts.training.size(); ++i) {
    const auto of = static_cast<std::size_t>(class_of(classes, count, parts.training[i]));
    training.targets[i * static_cast<std::size_t>(count) + of] = 1;
    if (!weights.empty()) training.weights[i] = static_cast<double>(weights[of]);
  }
  const auto root = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(x.cols()))));
  return grow(options, training, options.tried > 0 ? options.tried : root);
}

RowPrediction Forest::predict(RowsView x) const {
  require(!trees.empty(), "the forest has no trees");
  check_width(x, inputs);
  RowPrediction out{x.rows(), outputs, Values(static_cast<std::size_t>(x.rows() * outputs), 0.0)};
  parallel_tiles(
      omp_get_max_threads(), tiles_of(x.rows(), kPredictedTile), [&](std::int64_t tile, int) {
        const std::int64_t first = tile * kPredictedTile;
        std::vector<std::int64_t> rows(
            static_cast<std::size_t>(std::min(kPredictedTile, x.rows() - first)));
        std::iota(rows.begin(), rows.end(), first);
        const Values values = plain_rows(x, rows);
        for (std::size_t i = 0; i < rows.size(); ++i) {
          double* to = out.values.data() + rows[i] * outputs;
          for (const ForestTree& tree : trees)
            add_leaf(tree, values.data() + static_cast<std::int64_t>(i) * inputs, outputs, to);
          for (std::int64_t k = 0; k < outputs; ++k) to[k] /= static_cast<double>(trees.size());
        }
      });
  return out;
}

}  // namespace kronite::learn
