// Learners on plain rows: networks and kernel ridge regression that predict continuous values or
// one of several classes, splits of rows, and how good predictions are.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "kronite/device.hpp"    // for Device
#include "kronite/ensemble.hpp"  // for Network
#include "kronite/kernel.hpp"    // for KernelKind
#include "kronite/learn.hpp"     // for NetworkShape, FitOptions, FitHooks, EpochRecord
#include "kronite/network.hpp"   // for ValueLossKind
#include "kronite/view.hpp"      // for MatrixView, VectorView

namespace kronite::learn {

// --- rows ---------------------------------------------------------------------------------------

/// n x d values on the host, in either precision.
class RowsView {
 public:
  template <class T, class = std::enable_if_t<std::is_floating_point_v<std::remove_const_t<T>>>>
  RowsView(MatrixView<T> x) : rows_(x.rows), cols_(x.cols) {
    set(x);
  }
  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  double at(std::int64_t i, std::int64_t j) const {
    return double_.data ? double_.row(i)[j] : static_cast<double>(single_.row(i)[j]);
  }

 private:
  void set(MatrixView<const float> x) { single_ = x; }
  void set(MatrixView<const double> x) { double_ = x; }

  MatrixView<const float> single_;
  MatrixView<const double> double_;
  std::int64_t rows_, cols_;
};

/// Numbers of rows. Training rows may repeat; no row is in two parts.
struct RowParts {
  std::vector<std::int64_t> training, validation, test;
};

/// A random permutation of n rows cut in three: the shares of training, validation and test.
/// Numbers ascend within a part.
/// @throws Error invalid_argument for shares that do not add up to 1 or are below 0, a training
/// share of 0.
RowParts split_rows(std::int64_t n, const std::array<double, 3>& shares, std::uint64_t seed);

/// The same for the rows of each class by itself, so that every part has its share of each.
/// classes: n, host, 0 or more.
RowParts split_rows_by_class(VectorView<const std::int32_t> classes,
                             const std::array<double, 3>& shares, std::uint64_t seed);

/// (x - mean) / std, column by column; 0 where std is 0, a constant column. std: over n.
struct RowScaler {
  std::vector<double> mean, std;
  /// The range that x is clipped to first, by column; both empty: x is taken as it is.
  std::vector<double> low, high;
};

/// rows x cols values, row-major.
struct RowPrediction {
  std::int64_t rows = 0, cols = 0;
  std::vector<double> values;

  double at(std::int64_t i, std::int64_t j) const {
    return values[static_cast<std::size_t>(i * cols + j)];
  }
};

// --- networks -----------------------------------------------------------------------------------

/// A network on standardised rows, whose outputs are standardised values, or logits of classes.
struct RowNetwork {
  Network network;
  RowScaler inputs;
  RowScaler targets;  ///< empty for classes
};

/// An ensemble of such networks, of one kind: the mean of their values or probabilities.
struct RowModel {
  std::vector<RowNetwork> members;

  std::int64_t inputs() const;   ///< width of a row; 0 without members
  std::int64_t outputs() const;  ///< values or classes; 0 without members
  /// @throws Error invalid_argument, naming the member, when there are none or one does not fit.
  void check() const;
  /// n x outputs values, or probabilities of the classes. x: n x inputs, host. Waits.
  /// @throws Error invalid_argument as check(), for another width, or naming the first value of x
  /// that is not finite.
  RowPrediction predict(Device& device, RowsView x) const;
};

/// The defaults are those of the least validation error of formation energies (docs/training.md).
struct RowFitOptions {
  NetworkShape shape{{256, 256, 256}, false, 0};
  /// In order: batch, learning rate, cosine decay, epochs, patience, seed, warm-up, weight decay.
  FitOptions fit{512, 4e-3, true, 100, 30, 0, 0.05, 0.01};
  /// Of continuous values, each in standard deviations of its training part.
  ValueLossKind loss = ValueLossKind::absolute;
  double knee = 1;  ///< of the Huber loss: where it turns from square to straight
  /// Of classes: what the loss of a row of each class counts; empty: 1 each.
  std::vector<double> class_weights;
  /// Clip each column of every row to its range over the training part. Else a column that is
  /// nearly constant there is standardised to huge values in other rows.
  bool clip = true;
};

struct RowFit {
  RowNetwork network;  ///< of the kept epoch
  int best_epoch = 0;
  std::vector<EpochRecord> history;  ///< losses as trained by; accuracy of classes
};

/// Trains a network that predicts the rows of `values` (n x t, host, t >= 1) from those of x (n x
/// d, host). Both are standardised by mean and standard deviation of the training part. The epoch
/// of the least validation loss is kept. Reproducible: the same bits from the same inputs on the
/// CPU for any number of threads.
/// @throws Error invalid_argument for shapes, options or parts that make no sense, a value of a
/// training or validation row that is not finite, a target that is constant over the training part,
/// or a state of another shape; numerical when the loss is no longer finite, naming the epoch;
/// cancelled.
RowFit fit_rows(Device& device, const RowFitOptions& options, RowsView x,
                MatrixView<const double> values, const RowParts& parts, const FitHooks& hooks = {});

/// The same for one of `count` classes (n, host, in [0, count)), each of which has a training row.
/// The loss is the mean over rows of weight * -log p(class).
RowFit fit_rows(Device& device, const RowFitOptions& options, RowsView x,
                VectorView<const std::int32_t> classes, std::int64_t count, const RowParts& parts,
                const FitHooks& hooks = {});

/// n / (count n_c) for each class of n_c training rows: every class weighs the same in the loss,
/// and the mean weight of a training row is 1.
/// @throws Error invalid_argument when a class has no training row.
std::vector<double> balanced_class_weights(VectorView<const std::int32_t> classes,
                                           std::int64_t count, const RowParts& parts);

// --- kernel ridge regression --------------------------------------------------------------------

/// What is tried; each pair of a length scale and a ridge is judged.
struct KernelRidgeOptions {
  KernelKind kernel = KernelKind::gaussian;
  /// Empty: 1/4, 1/2, 1, 2 and 4 times the median distance of training rows (of 500 at most), in
  /// the norm of the kernel.
  std::vector<double> length_scales;
  std::vector<double> ridges{1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1};  ///< above 0
  /// Standardise the columns of x by the training part; else rows are taken as they are.
  bool standardise = true;
  bool clip = true;  ///< of standardised columns, as RowFitOptions::clip
  /// 0: exact, with a function on every training row. Else on so many of them, drawn at random
  /// (subset of regressors): the least of |y - K_nm a|^2 + ridge a' K_mm a.
  std::int64_t centres = 0;
  std::uint64_t seed = 0;  ///< of the centres, and of the rows for the median
};

/// f(x) = mean + std * sum_j k(x, centre_j) coefficient_j, target by target.
struct KernelRidge {
  KernelKind kernel = KernelKind::gaussian;
  double length_scale = 0, ridge = 0;
  RowScaler inputs, targets;
  std::int64_t centres = 0;
  std::vector<double> rows;          ///< centres x d, scaled as inputs say
  std::vector<double> coefficients;  ///< centres x t

  /// n x t values. x: n x d, host. Waits.
  /// @throws Error invalid_argument for another width, or naming the first value of x that is not
  /// finite.
  RowPrediction predict(Device& device, RowsView x) const;
};

/// Mean over rows and targets of the squared error, in variances of the target's training part.
struct KernelRidgeTrial {
  double length_scale = 0, ridge = 0, error = 0;
};

struct KernelRidgeFit {
  KernelRidge model;
  std::vector<KernelRidgeTrial> trials;  ///< in the order of length scales, then ridges
  /// Each training row as predicted by the model fitted to the others, in closed form: scalers,
  /// hyper-parameters and centres stay. n x t, in the order of parts.training. With centres only
  /// where it was chosen by.
  RowPrediction leave_one_out;
};

/// Kernel ridge regression in double precision: the coefficients are (K + ridge I)^-1 y, on y
/// standardised by the training part. The pair of the least error is kept: on the validation part,
/// where there is one, else of the leave-one-out predictions. One eigendecomposition serves all
/// ridges. values: n x t, host.
/// @throws Error invalid_argument as fit_rows(); out_of_memory, naming the bytes that it takes and
/// the device's limit; numerical.
KernelRidgeFit fit_kernel_ridge(Device& device, const KernelRidgeOptions& options, RowsView x,
                                MatrixView<const double> values, const RowParts& parts);

// --- how good predictions are -------------------------------------------------------------------

/// Mean absolute and root mean square error; R2 = 1 - SSE / SST, NaN for a truth that is constant.
struct ValueMetrics {
  double mae = 0, rmse = 0, r2 = 0;
};

/// @throws Error invalid_argument for two sizes, no values, or a value that is not finite.
ValueMetrics value_metrics(const std::vector<double>& truth, const std::vector<double>& predicted);

/// Per class; 0 where there is nothing to divide by. f1: harmonic mean of recall and precision.
struct ClassMetrics {
  std::vector<double> recall, precision, f1;
  double macro_f1 = 0;  ///< mean over the classes
  double accuracy = 0;
  std::vector<std::int64_t> confusion;  ///< count x count: rows of the truth, columns as predicted
};

/// @throws Error invalid_argument for two sizes, no rows, or a class that is not in [0, count).
ClassMetrics class_metrics(const std::vector<std::int32_t>& truth,
                           const std::vector<std::int32_t>& predicted, std::int64_t count);

/// The most probable class of each row; the first of equal ones.
std::vector<std::int32_t> most_probable(const RowPrediction& probabilities);

}  // namespace kronite::learn
