// Gram matrices and small steps on a device.
#include "krfd/matrices.hpp"

namespace kronite::krfd {

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
  if (!factor.empty()) {
    const Matrix f = on_device(device, factor);
    functional(device).scale(1, f.vector(), k.view(), f.vector(), 0, k.view());
  }
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
