// Tiles of Gram matrices, and bases of few systems.
#include "krfd/gram_operator.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "krfd/spectra.hpp"  // for Spectrum, spectrum_of

namespace kronite::krfd {

KernelRows::KernelRows(Device& device, const Kernel& kernel, MatrixView<const double> x,
                       const std::vector<double>& root)
    : device_(device), kind_(kernel.kind), rows_(scaled_rows(device, kernel, x)) {
  if (!root.empty()) root_.emplace(on_device(device, root));
}

void KernelRows::gram(std::int64_t first, std::int64_t count, const KernelRows& y,
                      std::int64_t first_y, std::int64_t count_y, MatrixView<double> out) const {
  kernels<double>(device_).gram(kind_, 1, rows_.view().rows_from(first, count),
                                y.rows_.view().rows_from(first_y, count_y), out);
  if (!root_ && !y.root_) return;
  VectorView<const double> mine, other;
  if (root_) mine = {root_->vector().data + first, count, device_.place()};
  if (y.root_) other = {y.root_->vector().data + first_y, count_y, device_.place()};
  functional(device_).scale(1, mine, out, other, 0, out);
}

GramOperator::GramOperator(Device& device, const Kernel& kernel, MatrixView<const double> x,
                           const std::vector<double>& root, std::size_t budget)
    : device_(device), rows_(device, kernel, x, root) {
  const std::int64_t n = x.rows;
  const auto fit = static_cast<std::int64_t>(budget / sizeof(double) / static_cast<std::size_t>(n));
  kept_ = std::min(fit, n);
  if (kept_ == 0) return;
  top_.emplace(device, kept_, n);
  rows_.gram(0, kept_, rows_, top_->view());
}

std::int64_t GramOperator::tile_rows(std::int64_t n) {
  constexpr std::int64_t kValues = std::int64_t{1} << 22;  // 32 MiB
  return std::max<std::int64_t>(kValues / n, 1);
}

void GramOperator::product(double alpha, MatrixView<const double> x, MatrixView<double> out) {
  LinalgOps<double>& la = linalg<double>(device_);
  if (kept_ > 0) la.gemm(alpha, top_->view(), Op::none, x, Op::none, 0, out.rows_from(0, kept_));
  const std::int64_t n = rows_.rows();
  if (kept_ == n) return;
  const std::int64_t height = std::min(tile_rows(n), n - kept_);
  Matrix tile(device_, height, n);
  for (std::int64_t first = kept_; first < n; first += height) {
    const std::int64_t count = std::min(height, n - first);
    const MatrixView<double> part = tile.view().rows_from(0, count);
    rows_.gram(first, count, rows_, part);
    la.gemm(alpha, part, Op::none, x, Op::none, 0, out.rows_from(first, count));
  }
}

Matrix centre_basis(Device& device, const KernelRows& centres) {
  const std::int64_t m = centres.rows();
  Matrix k(device, m, m);
  centres.gram(0, m, centres, k.view());
  const Spectrum spectrum = spectrum_of(device, std::move(k));
  const Matrix weight = on_device(
      device, each(spectrum.range_values(), [](double value) { return 1 / std::sqrt(value); }));
  return scaled(device, {}, spectrum.range(), weight.vector());
}

Matrix centre_functions(Device& device, const KernelRows& rows, const KernelRows& centres,
                        MatrixView<const double> basis) {
  const std::int64_t n = rows.rows();
  Matrix out(device, n, basis.cols);
  const std::int64_t height = std::min(GramOperator::tile_rows(centres.rows()), n);
  Matrix tile(device, height, centres.rows());
  for (std::int64_t first = 0; first < n; first += height) {
    const std::int64_t count = std::min(height, n - first);
    const MatrixView<double> part = tile.view().rows_from(0, count);
    rows.gram(first, count, centres, part);
    linalg<double>(device).gemm(1, part, Op::none, basis, Op::none, 0,
                                out.view().rows_from(first, count));
  }
  return out;
}

}  // namespace kronite::krfd
