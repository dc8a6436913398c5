// Training data as the equations take them, and what they may not be.
#pragma once

#include <cstdint>
#include <vector>

#include "kronite/krfd.hpp"  // for Hyperparameters
#include "kronite/view.hpp"  // for MatrixView

namespace kronite::krfd {

/// Equal rows of X are one row here, with the mean of their w curves. With sqrt(w) as a factor of
/// that row of Y and of the row and the column of each Gram matrix of X, every equation has the
/// form that it has without equal rows; only sums of squares also need `spread`.
struct Data {
  std::int64_t given = 0;         ///< systems as they were given, N
  std::int64_t systems = 0;       ///< different ones, n
  std::int64_t features = 0;      ///< p
  std::int64_t points = 0;        ///< T
  std::int64_t coordinates = 0;   ///< q
  std::vector<double> x;          ///< n x p
  std::vector<double> t;          ///< T x q
  std::vector<double> y;          ///< n x T, rows times sqrt(w)
  std::vector<double> root;       ///< sqrt(w); empty when no two rows are equal
  std::vector<std::int64_t> row;  ///< of the systems as given: N
  double spread = 0;              ///< sum of squares of the curves around the means of equal rows

  MatrixView<const double> x_view() const { return {x.data(), systems, features}; }
  MatrixView<const double> t_view() const { return {t.data(), points, coordinates}; }
  double root_of(std::int64_t i) const {
    return root.empty() ? 1.0 : root[static_cast<std::size_t>(i)];
  }
  /// N T, as a number.
  double values() const { return static_cast<double>(given) * static_cast<double>(points); }
};

enum class EqualRows { join, keep };

/// @throws Error invalid_argument when shapes do not fit, there is no value, or one is not finite.
Data prepare(MatrixView<const double> x, MatrixView<const double> t, MatrixView<const double> y,
             EqualRows equal_rows);

/// @throws Error invalid_argument, naming what is wrong.
void check(const Hyperparameters& hyper, std::int64_t features, std::int64_t coordinates);
void check(const NoisePrior& prior);
/// Of a matrix with `cols` columns, on the host, of finite values; `name` is for the message.
void check_matrix(MatrixView<const double> m, const char* name, std::int64_t cols);

/// Whether two kernels are the same function of rows of `columns` values.
bool same_kernel(const Kernel& a, const Kernel& b, std::int64_t columns);

}  // namespace kronite::krfd
