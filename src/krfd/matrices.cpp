// Gram matrices and small steps on a device.
#include "krfd/matrices.hpp"

#include <algorithm>
#include <cmath>

namespace kronite::krfd {
namespace {

/// Whether squares of distances neither overflow nor vanish before they are divided.
bool squares_are_safe(const Kernel& kernel, MatrixView<const double> x) {
  constexpr double kMost = 1e100;
  const double length = kernel.length_scales.front();
  if (length > kMost || length < 1 / kMost) return false;
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t k = 0; k < x.cols; ++k)
      if (std::abs(x.row(i)[k]) > kMost) return false;
  return true;
}

/// diag(factor) K diag(factor), where there are factors.
void apply_factors(Device& device, const std::vector<double>& factor, Matrix& k) {
  if (factor.empty()) return;
  const Matrix f = on_device(device, factor);
  functional(device).scale(1, f.vector(), k.view(), f.vector(), 0, k.view());
}

}  // namespace

std::vector<double> times(Device& device, MatrixView<const double> a, Op op_a,
                          const std::vector<double>& x) {
  return product(device, a, op_a, on_device(device, x).view(), Op::none).to_host();
}

std::vector<double> diagonal(Device& device, MatrixView<const double> x) {
  Matrix out(device, x.rows, 1);
  functional(device).diagonal(x, out.vector());
  return out.to_host();
}

std::vector<double> row_dots(Device& device, MatrixView<const double> x,
                             MatrixView<const double> y) {
  Matrix out(device, x.rows, 1);
  functional(device).row_dots(x, y, out.vector());
  return out.to_host();
}

Matrix scaled_rows(Device& device, const Kernel& kernel, MatrixView<const double> x) {
  std::vector<double> rows;
  rows.reserve(static_cast<std::size_t>(x.rows * x.cols));
  const std::vector<double>& lengths = kernel.length_scales;
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t k = 0; k < x.cols; ++k)
      rows.push_back(x.row(i)[k] / lengths[lengths.size() == 1 ? 0 : static_cast<std::size_t>(k)]);
  return Matrix(device, rows, x.rows, x.cols);
}

Matrix cross_gram(Device& device, const Kernel& kernel, MatrixView<const double> x,
                  MatrixView<const double> y, const std::vector<double>& column) {
  const Matrix scaled_x = scaled_rows(device, kernel, x), scaled_y = scaled_rows(device, kernel, y);
  Matrix k(device, x.rows, y.rows);
  kernels<double>(device).gram(kernel.kind, 1, scaled_x.view(), scaled_y.view(), k.view());
  if (!column.empty()) {
    const Matrix factor = on_device(device, column);
    functional(device).scale(1, {}, k.view(), factor.vector(), 0, k.view());
  }
  return k;
}

Matrix gram(Device& device, const Kernel& kernel, MatrixView<const double> x,
            const std::vector<double>& factor) {
  const Matrix rows = scaled_rows(device, kernel, x);
  Matrix k(device, x.rows, x.rows);
  kernels<double>(device).gram(kernel.kind, 1, rows.view(), rows.view(), k.view());
  apply_factors(device, factor, k);
  return k;
}

Matrix KeptDistances::gram(Device& device, const Kernel& kernel, MatrixView<const double> x,
                           const std::vector<double>& factor) {
  if (kernel.length_scales.size() != 1 || !squares_are_safe(kernel, x))
    return krfd::gram(device, kernel, x, factor);
  KernelOps<double>& ops = kernels<double>(device);
  const double length = kernel.length_scales.front();
  const auto distances = [&](MatrixView<double> out) {
    std::vector<double> values;
    values.reserve(static_cast<std::size_t>(x.rows * x.cols));
    for (std::int64_t i = 0; i < x.rows; ++i)
      values.insert(values.end(), x.row(i), x.row(i) + x.cols);
    const Matrix rows(device, values, x.rows, x.cols);
    ops.kernel_distances(kernel.kind, rows.view(), rows.view(), out);
  };
  Matrix k(device, x.rows, x.rows);
  if (keep_) {
    std::optional<Matrix>& kept = kernel.kind == KernelKind::laplacian ? absolute_ : squared_;
    if (!kept) {
      kept.emplace(device, x.rows, x.rows);
      distances(kept->view());
    }
    ops.gram_of_distances(kernel.kind, length, kept->view(), k.view());
  } else {
    distances(k.view());
    ops.gram_of_distances(kernel.kind, length, k.view(), k.view());
  }
  apply_factors(device, factor, k);
  return k;
}

double sum(const std::vector<double>& values) {
  double total = 0;
  for (const double value : values) total += value;
  return total;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += a[i] * b[i];
  return total;
}

}  // namespace kronite::krfd
