// Eigenbases and what is expressed in them.
#include "krfd/spectra.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace kronite::krfd {

std::int64_t Spectrum::rank() const {
  const double floor =
      static_cast<double>(values.size()) * std::numeric_limits<double>::epsilon() * values.back();
  return values.end() - std::upper_bound(values.begin(), values.end(), floor);
}

MatrixView<const double> Spectrum::range() const {
  const MatrixView<const double> all = vectors.view();
  return {all.data + all.cols - rank(), all.rows, rank(), all.ld, all.place};
}

std::vector<double> Spectrum::range_values() const { return {values.end() - rank(), values.end()}; }

Spectrum spectrum_of(Device& device, Matrix gram) {
  const std::int64_t n = gram.view().rows;
  Matrix w(device, n, 1);
  linalg<double>(device).eigh(gram.view(), w.vector());
  // Below zero there is only rounding.
  std::vector<double> values = each(w.to_host(), [](double value) { return std::max(value, 0.0); });
  Matrix there = on_device(device, values);
  return {std::move(gram), std::move(values), std::move(there)};
}

PointBasis point_basis(Device& device, Matrix gram, double tolerance) {
  const std::int64_t points = gram.view().rows;
  const auto count = static_cast<double>(points);
  Spectrum all = spectrum_of(device, std::move(gram));
  const double floor =
      std::max(tolerance, count * std::numeric_limits<double>::epsilon()) * all.values.back();
  const auto first = std::upper_bound(all.values.begin(), all.values.end(), floor);
  const std::vector<double> ones(static_cast<std::size_t>(points), 1.0);
  std::vector<double> v = times(device, all.vectors.view(), Op::transpose, ones);
  if (first == all.values.begin()) {
    Matrix there = on_device(device, v);
    return {std::move(all), std::move(v), std::move(there), 0};
  }

  // The part of a constant outside of what is kept, taken off twice, so that it is orthogonal to it
  // however little there is.
  const std::int64_t kept = all.values.end() - first;
  const MatrixView<const double> whole = all.vectors.view();
  const MatrixView<const double> range(whole.data + points - kept, points, kept, whole.ld,
                                       whole.place);
  Matrix outside = on_device(device, ones);
  for (int pass = 0; pass < 2; ++pass) {
    const Matrix inside = product(device, range, Op::transpose, outside.view(), Op::none);
    linalg<double>(device).gemm(-1, range, Op::none, inside.view(), Op::none, 1, outside.view());
  }
  const std::vector<double> rest = outside.to_host();
  const double length = std::sqrt(dot(rest, rest));
  const bool with_rest = length > count * std::numeric_limits<double>::epsilon();

  const std::int64_t width = kept + (with_rest ? 1 : 0);
  Matrix vectors(device, points, width);
  const MatrixView<double> to = vectors.view();
  FunctionalOps& ops = functional(device);
  if (with_rest)
    ops.scale(1 / length, {}, outside.view(), {}, 0, {to.data, points, 1, to.ld, to.place});
  ops.scale(1, {}, range, {}, 0, {to.data + width - kept, points, kept, to.ld, to.place});
  std::vector<double> values(static_cast<std::size_t>(width - kept), 0.0);
  values.insert(values.end(), first, all.values.end());
  std::vector<double> v_kept(static_cast<std::size_t>(width - kept), length);
  v_kept.insert(v_kept.end(), v.end() - kept, v.end());
  Matrix values_there = on_device(device, values), v_there = on_device(device, v_kept);
  return {{std::move(vectors), std::move(values), std::move(values_there)},
          std::move(v_kept),
          std::move(v_there),
          *(first - 1)};
}

Matrix curves_outside(Device& device, const PointBasis& basis, MatrixView<const double> y) {
  const MatrixView<const double> v = basis.spectrum.vectors.view();
  const Matrix in = product(device, y, Op::none, v, Op::none);
  Matrix rest = copy(device, y);
  linalg<double>(device).gemm(-1, in.view(), Op::none, v, Op::transpose, 1, rest.view());
  return rest;
}

void Spectra::use_points(Device& device, const Hyperparameters& hyper) {
  if (kernel_t_ && same_kernel(*kernel_t_, hyper.t, data_->coordinates)) return;
  // Forgotten first, so that a failure leaves nothing that does not belong together.
  kernel_t_.reset();
  y_.reset();
  t_.reset();
  t_.emplace(
      point_basis(device, distances_t_.gram(device, hyper.t, data_->t_view(), {}), tolerance_));
  kernel_t_ = hyper.t;
}

bool Spectra::holds(const Hyperparameters& hyper) const {
  if (!kernel_g_ || !same_kernel(*kernel_g_, hyper.g, data_->features)) return false;
  return same_kernel(hyper.g, hyper.m, data_->features) ||
         (constant_gram_ && kernel_m_ && same_kernel(*kernel_m_, hyper.m, data_->features));
}

void Spectra::forget_systems() {
  kernel_g_.reset();
  kernel_m_.reset();
  g_.reset();
  m_.reset();
  constant_gram_.reset();
  y_.reset();
}

void Spectra::use(Device& device, const Hyperparameters& hyper) {
  const bool new_g = !kernel_g_ || !same_kernel(*kernel_g_, hyper.g, data_->features);
  const bool new_m = !kernel_m_ || !same_kernel(*kernel_m_, hyper.m, data_->features);
  if (new_g) kernel_g_.reset();
  if (new_m || new_g) constant_gram_.reset();
  if (new_m) m_.reset();
  if (new_g) y_.reset();
  use_points(device, hyper);

  if (new_g) {
    g_.reset();
    g_.emplace(spectrum_of(device, gram(device, hyper.g)));
    kernel_g_ = hyper.g;
  }
  if (!y_) {
    const Matrix y(device, data_->y, data_->systems, data_->points);
    const Matrix along = product(device, y.view(), Op::none, t().vectors.view(), Op::none);
    y_.emplace(product(device, g_->vectors.view(), Op::transpose, along.view(), Op::none));
    outside_ = 0;
    if (width() < data_->points) {
      const Matrix rest = curves_outside(device, *t_, y.view());
      outside_ = sum(row_dots(device, rest.view(), rest.view()));
    }
  }
  kernel_m_ = hyper.m;
  diagonal_ = same_kernel(hyper.g, hyper.m, data_->features);
}

const Spectrum& Spectra::m(Device& device) {
  if (diagonal_) return *g_;
  if (!m_) m_.emplace(spectrum_of(device, gram(device, *kernel_m_)));
  return *m_;
}

const Matrix& Spectra::constant_gram(Device& device) {
  if (!constant_gram_ && diagonal_) {
    const std::int64_t n = data_->systems;
    const std::vector<double> zeros(static_cast<std::size_t>(n * n), 0.0);
    constant_gram_.emplace(device, zeros, n, n);
    functional(device).add_to_diagonal(0, g_->values_there.vector(), constant_gram_->view());
  }
  if (!constant_gram_) {
    const Matrix m = gram(device, *kernel_m_);
    const Matrix mu = product(device, m.view(), Op::none, g_->vectors.view(), Op::none);
    constant_gram_.emplace(product(device, g_->vectors.view(), Op::transpose, mu.view(), Op::none));
  }
  return *constant_gram_;
}

std::vector<double> Spectra::constant_times(Device& device, const std::vector<double>& x) {
  if (diagonal_) return each(g_->values, x, [](double s, double value) { return s * value; });
  return times(device, constant_gram(device).view(), Op::none, x);
}

}  // namespace kronite::krfd
