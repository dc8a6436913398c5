// Gram matrices that need not fit into memory, and functions of few systems that come near them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "krfd/matrices.hpp"  // for Matrix

namespace kronite::krfd {

/// x in rows on the device, as the Gram matrices of one kernel take them: diag(root) k(x, y).
class KernelRows {
 public:
  /// x: n x p on the host; root: n factors, or none.
  KernelRows(Device& device, const Kernel& kernel, MatrixView<const double> x,
             const std::vector<double>& root);

  std::int64_t rows() const { return rows_.view().rows; }
  /// out (count x m) <- rows [first, first + count) of diag(root) k(x, y) diag(root of y).
  void gram(std::int64_t first, std::int64_t count, const KernelRows& y,
            MatrixView<double> out) const {
    gram(first, count, y, 0, y.rows(), out);
  }
  /// Of these the columns [first_y, first_y + count_y).
  void gram(std::int64_t first, std::int64_t count, const KernelRows& y, std::int64_t first_y,
            std::int64_t count_y, MatrixView<double> out) const;

 private:
  Device& device_;
  KernelKind kind_;
  Matrix rows_;
  std::optional<Matrix> root_;
};

/// Products with K = diag(root) k(x, x) diag(root), n x n. As many of its rows as fit the budget
/// are kept; the others are formed again for every product, tile by tile.
class GramOperator {
 public:
  /// `budget`: bytes for the rows that are kept.
  GramOperator(Device& device, const Kernel& kernel, MatrixView<const double> x,
               const std::vector<double>& root, std::size_t budget);

  std::int64_t kept_rows() const { return kept_; }
  /// Rows of the tiles that are formed again.
  static std::int64_t tile_rows(std::int64_t n);
  const KernelRows& rows() const { return rows_; }
  /// out <- alpha K x. x, out: n x m.
  void product(double alpha, MatrixView<const double> x, MatrixView<double> out);

 private:
  Device& device_;
  KernelRows rows_;
  std::int64_t kept_;
  std::optional<Matrix> top_;  // the rows that are kept
};

/// The functions k(x, Z) E of the centres Z, orthonormal in the space of the kernel: E = V d^-1/2
/// of k(Z, Z) = V d V', without the eigenvalues below rounding. m x k. Waits.
Matrix centre_basis(Device& device, const KernelRows& centres);

/// The functions of those centres at all rows, K(:, Z) E, n x k.
Matrix centre_functions(Device& device, const KernelRows& rows, const KernelRows& centres,
                        MatrixView<const double> basis);

}  // namespace kronite::krfd
