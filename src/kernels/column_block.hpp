// Sums over the rows of a batch, column by column: one block takes 32 columns through all rows, in
// phases (kernels/phases.hpp). The order of the additions depends on the number of rows alone.
#pragma once

#include <cstdint>

#include "kernels/element.hpp"      // for element
#include "kernels/hidden.hpp"       // for moments_about, activation_gradient
#include "kernels/host_device.hpp"  // for KRONITE_HD
#include "kronite/view.hpp"         // for MatrixView

namespace kronite {

inline constexpr int kBlockColumns = 32;
inline constexpr int kRowSlots = 32;  ///< rows that are added side by side
inline constexpr int kColumnThreads = kBlockColumns * kRowSlots;

template <int kinds>
struct ColumnShared {
  double sums[kinds][kRowSlots][kBlockColumns];
};

struct ColumnRegisters {};

// --- what is summed -----------------------------------------------------------------------------
// add() gives what row n adds to the kKinds sums of column u, finish() takes the totals.

template <class T>
struct PlainSums {
  static constexpr int kKinds = 1;
  MatrixView<const T> x;
  T* sums;

  KRONITE_HD void add(std::int64_t n, std::int64_t u, T (&to)[kKinds]) const {
    to[0] += element(x, n, u);
  }
  KRONITE_HD void finish(std::int64_t u, const double (&totals)[kKinds]) const {
    sums[u] = static_cast<T>(totals[0]);
  }
};

/// Mean and variance of a batch that has a row.
template <class T>
struct MomentSums {
  static constexpr int kKinds = 2;
  MatrixView<const T> z;
  T* mean;
  T* variance;

  KRONITE_HD void add(std::int64_t n, std::int64_t u, T (&to)[kKinds]) const {
    const T x = element(z, n, u) - element(z, 0, u);
    to[0] += x;
    to[1] += x * x;
  }
  KRONITE_HD void finish(std::int64_t u, const double (&totals)[kKinds]) const {
    const Moments<T> moments =
        moments_about(element(z, 0, u), totals[0], totals[1], static_cast<double>(z.rows));
    mean[u] = moments.mean;
    variance[u] = moments.variance;
  }
};

/// dL/dbeta of a layer without normalisation, from dL/dy.
template <class T>
struct OffsetGradientSums {
  static constexpr int kKinds = 1;
  MatrixView<const T> y, gradient;
  T kept_scale;
  T* d_beta;

  KRONITE_HD void add(std::int64_t n, std::int64_t u, T (&to)[kKinds]) const {
    to[0] += activation_gradient(element(y, n, u), kept_scale, element(gradient, n, u));
  }
  KRONITE_HD void finish(std::int64_t u, const double (&totals)[kKinds]) const {
    d_beta[u] = static_cast<T>(totals[0]);
  }
};

/// dL/dbeta and dL/dgamma of a layer with normalisation, from dL/dy.
template <class T>
struct NormalisationGradientSums {
  static constexpr int kKinds = 2;
  MatrixView<const T> z, y, gradient;
  const T* mean;
  const T* variance;
  T epsilon, kept_scale;
  T* d_gamma;
  T* d_beta;

  KRONITE_HD void add(std::int64_t n, std::int64_t u, T (&to)[kKinds]) const {
    const T g = activation_gradient(element(y, n, u), kept_scale, element(gradient, n, u));
    to[0] += g;
    to[1] += g * ((element(z, n, u) - mean[u]) * inverse_deviation(variance[u], epsilon));
  }
  KRONITE_HD void finish(std::int64_t u, const double (&totals)[kKinds]) const {
    d_beta[u] = static_cast<T>(totals[0]);
    d_gamma[u] = static_cast<T>(totals[1]);
  }
};

// --- the block ----------------------------------------------------------------------------------

/// Columns 32 block ... 32 block + 31: each thread adds up every 32nd row of a column in T, then
/// the 32 sums of a column meet in a tree, in double.
template <class T, class Sums, class Each>
KRONITE_HD inline void column_block(std::int64_t block, std::int64_t rows, std::int64_t columns,
                                    const Sums& what, ColumnShared<Sums::kKinds>& shared,
                                    Each& each) {
  const std::int64_t first = block * kBlockColumns;
  each([&](int thread, ColumnRegisters&) {
    const int slot = thread / kBlockColumns, column = thread % kBlockColumns;
    T sums[Sums::kKinds] = {};
    if (first + column < columns)
      for (std::int64_t n = slot; n < rows; n += kRowSlots) what.add(n, first + column, sums);
    for (int k = 0; k < Sums::kKinds; ++k)
      shared.sums[k][slot][column] = static_cast<double>(sums[k]);
  });
  for (int reach = kRowSlots / 2; reach > 0; reach /= 2)
    each([&](int thread, ColumnRegisters&) {
      const int slot = thread / kBlockColumns, column = thread % kBlockColumns;
      if (slot >= reach) return;
      for (int k = 0; k < Sums::kKinds; ++k)
        shared.sums[k][slot][column] += shared.sums[k][slot + reach][column];
    });
  each([&](int thread, ColumnRegisters&) {
    const int column = thread;
    if (column >= kBlockColumns || first + column >= columns) return;
    double totals[Sums::kKinds];
    for (int k = 0; k < Sums::kKinds; ++k) totals[k] = shared.sums[k][0][column];
    what.finish(first + column, totals);
  });
}

}  // namespace kronite
