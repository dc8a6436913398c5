// Extremely randomised trees: what leaves hold, the greedy tree of its definition, and what is
// refused.
#include "kronite/forest.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <limits>
#include <map>

#include "support/matrix.hpp"
#include "support/random.hpp"
#include "support/rows.hpp"

namespace kronite::learn {
namespace {

using test::column;
using test::expect_in;
using test::HostMatrix;
using test::parts_of;
using test::refusal;

/// Rows of five values with two targets: one steep, one smooth.
struct ValueTask {
  HostMatrix<double> x = test::random_matrix<double>(31, 500, 5);
  HostMatrix<double> y = HostMatrix<double>(500, 2);
  RowParts parts = parts_of(500, 350, 50);

  ValueTask() {
    for (std::int64_t i = 0; i < x.rows; ++i) {
      y.at(i, 0) = x.at(i, 0) > 0.3 ? 1000 : -1000;
      y.at(i, 1) = std::sin(3 * x.at(i, 1)) + x.at(i, 2);
    }
  }
  Forest fit(const ForestOptions& options) const {
    return fit_forest(options, x.view(), y.view(), parts);
  }
};

ForestOptions with_trees(int trees) {
  ForestOptions options;
  options.trees = trees;
  return options;
}

/// Of rows x of zeros and ones with weights, the tree that asks at each node for the column that
/// leaves the least weighted sum of squared deviations: what one row comes to. With such columns
/// every threshold asks the same, so nothing is random when all of them are tried.
struct Greedy {
  const HostMatrix<double>& x;
  const HostMatrix<double>& y;

  double mean(const std::vector<std::int64_t>& rows) const {
    double sum = 0;
    for (const std::int64_t i : rows) sum += y.at(i, 0);
    return sum / static_cast<double>(rows.size());
  }
  double deviations(const std::vector<std::int64_t>& rows) const {
    double sum = 0;
    for (const std::int64_t i : rows) sum += std::pow(y.at(i, 0) - mean(rows), 2);
    return sum;
  }
  double predict(const std::vector<std::int64_t>& rows, const double* row) const {
    double least = std::numeric_limits<double>::infinity();
    std::vector<std::int64_t> next;
    for (std::int64_t c = 0; c < x.cols; ++c) {
      std::map<bool, std::vector<std::int64_t>> sides;
      for (const std::int64_t i : rows) sides[x.at(i, c) > 0].push_back(i);
      if (sides.size() < 2) continue;
      const double left = deviations(sides[false]) + deviations(sides[true]);
      if (left < least) {
        least = left;
        next = sides[row[c] > 0];
      }
    }
    return next.empty() || deviations(rows) == 0 ? mean(rows) : predict(next, row);
  }
};

TEST(ForestValues, OnZerosAndOnesATreeIsTheGreedyOne) {
  constexpr std::int64_t kRows = 40, kCols = 4;
  HostMatrix<double> x(kRows, kCols), y(kRows, 1);
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < kRows; ++i) {
    for (std::int64_t c = 0; c < kCols; ++c)
      x.at(i, c) = test::random_value(41, static_cast<std::uint64_t>(i * kCols + c)) > 0 ? 1 : 0;
    y.at(i, 0) = 3 * x.at(i, 2) - x.at(i, 0) * x.at(i, 1) +
                 test::random_value(42, static_cast<std::uint64_t>(i));
    all.push_back(i);
  }
  ForestOptions options = with_trees(3);
  options.tried = kCols;

  const auto predicted =
      fit_forest(options, x.view(), y.view(), parts_of(kRows, kRows, 0)).predict(x.view());

  const Greedy greedy{x, y};
  for (std::int64_t i = 0; i < kRows; ++i)
    EXPECT_NEAR(predicted.at(i, 0), greedy.predict(all, x.view().row(i)), 1e-12) << i;
}

TEST(ForestValues, TrainingRowsComeBackFromPureLeaves) {
  const ValueTask task;

  const auto predicted = task.fit(with_trees(5)).predict(task.x.view());

  for (const std::int64_t i : task.parts.training)
    for (const std::int64_t k : {0, 1}) EXPECT_NEAR(predicted.at(i, k), task.y.at(i, k), 1e-9);
}

TEST(ForestValues, LearnsBothTargets) {
  const ValueTask task;

  const auto predicted = task.fit(with_trees(100)).predict(task.x.view());

  for (const std::int64_t k : {0, 1})
    EXPECT_GT(
        value_metrics(column(task.y, task.parts.test, k), column(predicted, task.parts.test, k)).r2,
        0.8);
}

TEST(ForestValues, TheForestIsTheMeanOfItsTrees) {
  const ValueTask task;
  const Forest forest = task.fit(with_trees(4));

  const auto all = forest.predict(task.x.view());

  auto mean = HostMatrix<double>(500, 2).fill([](auto, auto) { return 0.0; });
  for (const ForestTree& tree : forest.trees) {
    const auto one = Forest{5, 2, {tree}}.predict(task.x.view());
    for (std::int64_t i = 0; i < 500; ++i)
      for (const std::int64_t k : {0, 1}) mean.at(i, k) += one.at(i, k) / 4;
  }
  for (std::int64_t i = 0; i < 500; ++i)
    for (const std::int64_t k : {0, 1}) EXPECT_NEAR(all.at(i, k), mean.at(i, k), 1e-9);
  EXPECT_NE(forest.trees[0].threshold, forest.trees[1].threshold);
}

TEST(ForestValues, ThresholdsAreUniformBetweenTheLeastAndTheLargestValue) {
  HostMatrix<double> x(2, 1), y(2, 1);
  x.at(0, 0) = 10;
  x.at(1, 0) = 12;
  y.at(1, 0) = 1;

  const Forest forest = fit_forest(with_trees(2000), x.view(), y.view(), parts_of(2, 2, 0));

  double sum = 0, squares = 0;
  for (const ForestTree& tree : forest.trees) {
    ASSERT_EQ(tree.column.size(), 3U);
    EXPECT_GE(tree.threshold[0], 10);
    EXPECT_LT(tree.threshold[0], 12);
    sum += tree.threshold[0] - 11;
    squares += std::pow(tree.threshold[0] - 11, 2);
  }
  // Means of 2,000 draws: within five standard errors of 0 and 1/3.
  EXPECT_NEAR(sum / 2000, 0, 5 * std::sqrt(1.0 / 3 / 2000));
  EXPECT_NEAR(squares / 2000, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / 2000));
}

TEST(ForestValues, ColumnsThatAreConstantDoNotCountAsTried) {
  const auto x = HostMatrix<double>(20, 60).fill(
      [](std::int64_t i, std::int64_t c) { return c == 37 ? static_cast<double>(i) : 1.0; });
  const auto y = HostMatrix<double>(20, 1).fill(
      [](std::int64_t i, std::int64_t) { return static_cast<double>(i * i); });
  ForestOptions options = with_trees(1);
  options.tried = 1;

  const auto predicted =
      fit_forest(options, x.view(), y.view(), parts_of(20, 20, 0)).predict(x.view());

  for (std::int64_t i = 0; i < 20; ++i) EXPECT_NEAR(predicted.at(i, 0), y.at(i, 0), 1e-9);
}

TEST(ForestClasses, LearnsARareClass) {
  const auto x = test::random_matrix<double>(51, 1500, 3);
  std::vector<std::int32_t> classes;
  for (std::int64_t i = 0; i < 1500; ++i) {
    const double r = std::hypot(x.at(i, 0) - 0.5, x.at(i, 1) + 0.2);
    classes.push_back(r < 0.4 ? 2 : x.at(i, 2) > 0 ? 1 : 0);
  }
  const RowParts parts = parts_of(1500, 1000, 0);

  const auto p =
      fit_forest(with_trees(100), x.view(), {classes.data(), 1500}, 3, parts).predict(x.view());

  std::vector<std::int32_t> truth, called;
  const auto all = most_probable(p);
  for (const std::int64_t i : parts.test) {
    truth.push_back(classes[static_cast<std::size_t>(i)]);
    called.push_back(all[static_cast<std::size_t>(i)]);
    EXPECT_NEAR(p.at(i, 0) + p.at(i, 1) + p.at(i, 2), 1, 1e-12);
  }
  const ClassMetrics metrics = class_metrics(truth, called, 3);
  EXPECT_GT(metrics.accuracy, 0.9);
  EXPECT_GT(metrics.f1[2], 0.7);
}

TEST(ForestClasses, RowsThatCannotBeToldApartShareALeafByTheirWeights) {
  HostMatrix<double> x(6, 2);  // all the same
  const std::vector<std::int32_t> classes{0, 0, 0, 1, 1, 2};
  ForestOptions options = with_trees(2);

  const auto plain =
      fit_forest(options, x.view(), {classes.data(), 6}, 3, parts_of(6, 6, 0)).predict(x.view());
  options.class_weights = {1, 2, 3};
  const auto weighted =
      fit_forest(options, x.view(), {classes.data(), 6}, 3, parts_of(6, 6, 0)).predict(x.view());

  const double expected[] = {3 / 6.0, 2 / 6.0, 1 / 6.0},
               by_weight[] = {3 / 10.0, 4 / 10.0, 3 / 10.0};
  for (const std::int64_t k : {0, 1, 2}) {
    EXPECT_DOUBLE_EQ(plain.at(0, k), expected[k]);
    EXPECT_DOUBLE_EQ(weighted.at(0, k), by_weight[k]);
  }
}

TEST(Forest, IsTheSameForAnyNumberOfThreadsAndOfTheSeed) {
  const ValueTask task;
  const auto on = [&](int threads, std::uint64_t seed) {
    const int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    ForestOptions options = with_trees(20);
    options.seed = seed;
    const auto values = task.fit(options).predict(task.x.view()).values;
    omp_set_num_threads(before);
    return values;
  };

  EXPECT_EQ(on(1, 7), on(3, 7));
  EXPECT_NE(on(1, 7), on(1, 8));
}

TEST(Forest, OnlyTrainingRowsAreLearnedFrom) {
  const ValueTask task;
  ValueTask other = task;
  for (const auto* part : {&task.parts.validation, &task.parts.test})
    for (const std::int64_t i : *part) other.y.at(i, 0) = other.x.at(i, 0) = 1e9;

  const auto a = task.fit(with_trees(3)), b = other.fit(with_trees(3));

  EXPECT_EQ(a.predict(task.x.view()).values, b.predict(task.x.view()).values);
}

TEST(Forest, StopsWhenToldTo) {
  const ValueTask task;
  ForestOptions options = with_trees(1000);
  int most = 0;
  options.after_tree = [&](int grown) {
    most = std::max(most, grown);
    return grown < 3;
  };

  expect_in(refusal(Errc::cancelled, [&] { task.fit(options); }), "of 1000 trees");
  EXPECT_GE(most, 3);
  EXPECT_LT(most, 1000);
}

TEST(Forest, RefusesWhatMakesNoSense) {
  const auto with = [](auto change) {
    ValueTask task;
    ForestOptions options = with_trees(2);
    change(options, task);
    return refusal(Errc::invalid_argument, [&] { task.fit(options); });
  };

  expect_in(with([](auto& o, auto&) { o.trees = 0; }), "the forest is to have 0 trees");
  expect_in(with([](auto& o, auto&) { o.tried = 6; }), "6 columns are to be tried");
  expect_in(with([](auto&, auto& t) { t.x.at(3, 2) = NAN; }),
            "row 3, column 2 of the descriptors is nan");
  expect_in(with([](auto&, auto& t) { t.y.at(7, 1) = INFINITY; }),
            "row 7, column 1 of the targets is inf");
  expect_in(with([](auto&, auto& t) { t.parts.training.clear(); }), "no training rows");
  expect_in(with([](auto&, auto& t) { t.y = HostMatrix<double>(499, 1); }),
            "499 rows have targets");

  const ValueTask task;
  const Forest forest = task.fit(with_trees(2));
  expect_in(
      refusal(Errc::invalid_argument, [&] { forest.predict(HostMatrix<double>(3, 4).view()); }),
      "the rows have 4 values, the model takes 5");
  expect_in(refusal(Errc::invalid_argument, [&] { Forest().predict(task.x.view()); }), "no trees");
  std::vector<std::int32_t> classes(500, 1);
  expect_in(refusal(Errc::invalid_argument,
                    [&] {
                      fit_forest({}, task.x.view(), {classes.data(), 500}, 2, task.parts);
                    }),
            "none of the 350 training rows is of class 0");
  classes[0] = 0;
  ForestOptions options;
  options.class_weights = {1, -1};
  expect_in(refusal(Errc::invalid_argument,
                    [&] {
                      fit_forest(options, task.x.view(), {classes.data(), 500}, 2, task.parts);
                    }),
            "a class weight is -1");
}

}  // namespace
}  // namespace kronite::learn
