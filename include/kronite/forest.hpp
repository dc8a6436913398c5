// Extremely randomised trees on plain rows: continuous values, or one of several classes.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kronite/regression.hpp"  // for RowsView, RowParts, RowPrediction
#include "kronite/view.hpp"        // for MatrixView, VectorView

namespace kronite::learn {

/// A binary tree. Node 0 is its root; a node whose column is not negative asks whether x[column] <=
/// threshold: the next node is the answer to yes, node `next` that to no. Others are leaves.
struct ForestTree {
  std::vector<std::int32_t> column;  ///< -1 in a leaf
  std::vector<std::int32_t> next;    ///< of a leaf: its number
  std::vector<double> threshold;
  std::vector<double> leaves;  ///< leaves x outputs
};

/// The mean of its trees: values, or probabilities of classes. On the host.
struct Forest {
  std::int64_t inputs = 0, outputs = 0;
  std::vector<ForestTree> trees;

  /// n x outputs. x: n x inputs.
  /// @throws Error invalid_argument without trees, for another width, or naming the first value of
  /// x that is not finite.
  RowPrediction predict(RowsView x) const;
};

struct ForestOptions {
  int trees = 200;
  /// Columns that are tried at each node, of those that vary there; 0: the square root of their
  /// number, rounded up, for classes, and a third for values.
  std::int64_t tried = 0;
  std::uint64_t seed = 0;
  /// Of classes: what a row of each class counts; empty: 1 each.
  std::vector<double> class_weights;
  /// Called after each tree, from one thread at a time, with the number of trees that are grown;
  /// false stops with Error cancelled.
  std::function<bool(int)> after_tree;
};

/// Grows trees on the training part (P. Geurts, D. Ernst and L. Wehenkel, Machine Learning 63
/// (2006) 3): at each node the best of some random columns, each with one random threshold between
/// the least and the largest value there, by the variance of the targets that is left. Each tree
/// sees every row, and leaves are pure: their rows have equal targets or equal columns.
/// Reproducible: the same trees for any number of threads. values: n x t, host; each target counts
/// in its variances.
/// @throws Error invalid_argument for options or parts that make no sense, a value of a training
/// row that is not finite, or a target that is constant over the training part; cancelled.
Forest fit_forest(const ForestOptions& options, RowsView x, MatrixView<const double> values,
                  const RowParts& parts);

/// The same for one of `count` classes (n, host, in [0, count)), each of which has a training row;
/// by Gini impurity, which is the variance of the indicators of the classes.
Forest fit_forest(const ForestOptions& options, RowsView x, VectorView<const std::int32_t> classes,
                  std::int64_t count, const RowParts& parts);

}  // namespace kronite::learn
