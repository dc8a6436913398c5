// Sums over the columns of each row: one block of threads takes a row, in phases
// (kernels/phases.hpp). The order of the additions depends on the number of columns alone.
#pragma once

#include <cstdint>

#include "kernels/element.hpp"          // for element
#include "kernels/host_device.hpp"      // for KRONITE_HD
#include "kernels/kernel_function.hpp"  // for KernelFunction
#include "kernels/smoothing.hpp"        // for add_smoothing
#include "kronite/view.hpp"             // for MatrixView

namespace kronite {

inline constexpr int kRowSumThreads = 128;

template <int kinds>
struct RowShared {
  double sums[kinds][kRowSumThreads];
};
struct RowRegisters {};

// --- what is summed -----------------------------------------------------------------------------
// add() adds column j of row i to the sums, finish() takes the totals.

struct DotSums {
  static constexpr int kKinds = 1;
  MatrixView<const double> x, y;
  double* out;

  KRONITE_HD std::int64_t columns() const { return x.cols; }
  KRONITE_HD void add(std::int64_t i, std::int64_t j, double* sums) const {
    sums[0] += element(x, i, j) * element(y, i, j);
  }
  KRONITE_HD void finish(std::int64_t i, const double* totals) const { out[i] = totals[0]; }
};

struct ComponentSums {
  static constexpr int kKinds = kSmoothingSums;
  Smoothing smoothing;
  const double* v;
  MatrixView<const double> y;
  MatrixView<double> out;

  KRONITE_HD std::int64_t columns() const { return smoothing.d.size; }
  KRONITE_HD void add(std::int64_t i, std::int64_t j, double* sums) const {
    add_smoothing(smoothing, v, y, i, j, sums);
  }
  KRONITE_HD void finish(std::int64_t i, const double* totals) const {
    for (int k = 0; k < kKinds; ++k) element(out, i, k) = totals[k];
  }
};

/// The sums of row `row`.
template <class Sums, class Each>
KRONITE_HD inline void row_block(std::int64_t row, const Sums& what,
                                 RowShared<Sums::kKinds>& shared, Each& each) {
  each([&](int thread, RowRegisters&) {
    double own[Sums::kKinds] = {};
    for (std::int64_t j = thread; j < what.columns(); j += kRowSumThreads) what.add(row, j, own);
    for (int k = 0; k < Sums::kKinds; ++k) shared.sums[k][thread] = own[k];
  });
  for (int half = kRowSumThreads / 2; half > 0; half /= 2)
    each([&](int thread, RowRegisters&) {
      if (thread >= half) return;
      for (int k = 0; k < Sums::kKinds; ++k)
        shared.sums[k][thread] += shared.sums[k][thread + half];
    });
  each([&](int thread, RowRegisters&) {
    if (thread != 0) return;
    double totals[Sums::kKinds];
    for (int k = 0; k < Sums::kKinds; ++k) totals[k] = shared.sums[k][0];
    what.finish(row, totals);
  });
}

// --- derivatives by length scales ---------------------------------------------------------------

struct LengthScaleShared {
  double weight[kRowSumThreads];
};

/// Row `row` of FunctionalOps::length_scale_sums(), kRowSumThreads other rows at a time: each
/// thread weighs one of them, then each sums its share of the features over all of them.
template <KernelKind kind, class Each>
KRONITE_HD inline void length_scale_block(std::int64_t row, const MatrixView<const double>& x,
                                          const MatrixView<const double>& weight,
                                          const MatrixView<double>& out, LengthScaleShared& shared,
                                          Each& each) {
  using Function = KernelFunction<kind, double>;
  each([&](int thread, RowRegisters&) {
    for (std::int64_t k = thread; k < x.cols; k += kRowSumThreads) element(out, row, k) = 0;
  });
  for (std::int64_t first = 0; first < x.rows; first += kRowSumThreads) {
    each([&](int thread, RowRegisters&) {
      const std::int64_t j = first + thread;
      if (j >= x.rows) return;
      double distance = 0;
      for (std::int64_t k = 0; k < x.cols; ++k)
        distance += Function::step(element(x, row, k) - element(x, j, k));
      const double q = Function(1.0).exponent(distance);
      shared.weight[thread] = element(weight, row, j) * Function::slope(q, std::exp(-q));
    });
    each([&](int thread, RowRegisters&) {
      const std::int64_t rest = x.rows - first;
      const int count = rest < kRowSumThreads ? static_cast<int>(rest) : kRowSumThreads;
      for (std::int64_t k = thread; k < x.cols; k += kRowSumThreads) {
        double sum = element(out, row, k);
        for (int n = 0; n < count; ++n)
          sum += shared.weight[n] * Function::step(element(x, row, k) - element(x, first + n, k));
        element(out, row, k) = sum;
      }
    });
  }
}

}  // namespace kronite
