// Matrices of one call on a device, and the few steps that all of KRFD is made of.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "device/backend.hpp"  // for linalg, kernels
#include "kronite/array.hpp"   // for Array
#include "kronite/krfd.hpp"    // for Kernel

namespace kronite::krfd {

using Matrix = Array<double>;

inline FunctionalOps& functional(Device& device) { return device.backend().functional(); }

/// A vector on the device.
inline Matrix on_device(Device& device, const std::vector<double>& values) {
  return Matrix(device, values, static_cast<std::int64_t>(values.size()), 1);
}

/// A new matrix op(A) op(B).
inline Matrix product(Device& device, MatrixView<const double> a, Op op_a,
                      MatrixView<const double> b, Op op_b) {
  Matrix c(device, op_a == Op::none ? a.rows : a.cols, op_b == Op::none ? b.cols : b.rows);
  linalg<double>(device).gemm(1, a, op_a, b, op_b, 0, c.view());
  return c;
}

/// diag(row) X diag(column); an empty vector stands for ones.
inline Matrix scaled(Device& device, VectorView<const double> row, MatrixView<const double> x,
                     VectorView<const double> column) {
  Matrix out(device, x.rows, x.cols);
  functional(device).scale(1, row, x, column, 0, out.view());
  return out;
}
inline Matrix copy(Device& device, MatrixView<const double> x) { return scaled(device, {}, x, {}); }

/// A x, on the host. Waits.
std::vector<double> times(Device& device, MatrixView<const double> a, Op op_a,
                          const std::vector<double>& x);
/// Diagonal of a square matrix, on the host. Waits.
std::vector<double> diagonal(Device& device, MatrixView<const double> x);
/// sum_k x_ik y_ik of each row, on the host. Waits.
std::vector<double> row_dots(Device& device, MatrixView<const double> x,
                             MatrixView<const double> y);

/// k(x_i, y_j) diag(column) on the device: x: n x d and y: m x d on the host; column: m factors or
/// none.
Matrix cross_gram(Device& device, const Kernel& kernel, MatrixView<const double> x,
                  MatrixView<const double> y, const std::vector<double>& column);
/// The same of x with itself, with the factors on both sides.
Matrix gram(Device& device, const Kernel& kernel, MatrixView<const double> x,
            const std::vector<double>& factor);
/// Gram matrices of one set of rows for kernels that change. The distances are kept where a kernel
/// has one length scale, so that another one costs an exponential per value.
class KeptDistances {
 public:
  /// Without `keep` nothing is kept, and the values are the same.
  explicit KeptDistances(bool keep) : keep_(keep) {}

  /// As gram(). All calls must be with one device and one x.
  Matrix gram(Device& device, const Kernel& kernel, MatrixView<const double> x,
              const std::vector<double>& factor);

 private:
  bool keep_;
  std::optional<Matrix> absolute_, squared_;  // of the Laplacian, of the others
};

/// Rows with columns divided by their length scales, on the device.
Matrix scaled_rows(Device& device, const Kernel& kernel, MatrixView<const double> x);

double sum(const std::vector<double>& values);
double dot(const std::vector<double>& a, const std::vector<double>& b);
/// f of every value.
template <class F>
std::vector<double> each(const std::vector<double>& values, const F& f) {
  std::vector<double> result;
  result.reserve(values.size());
  for (const double value : values) result.push_back(f(value));
  return result;
}
/// f of every pair of values.
template <class F>
std::vector<double> each(const std::vector<double>& a, const std::vector<double>& b, const F& f) {
  std::vector<double> result;
  result.reserve(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) result.push_back(f(a[i], b[i]));
  return result;
}

}  // namespace kronite::krfd
