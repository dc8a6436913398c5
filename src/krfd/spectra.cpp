// Eigenbases and what is expressed in them.
#include "krfd/spectra.hpp"

#include <algorithm>
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

void Spectra::use(Device& device, const Hyperparameters& hyper) {
  const bool new_g = !kernel_g_ || !same_kernel(*kernel_g_, hyper.g, data_->features);
  const bool new_t = !kernel_t_ || !same_kernel(*kernel_t_, hyper.t, data_->coordinates);
  const bool new_m = !kernel_m_ || !same_kernel(*kernel_m_, hyper.m, data_->features);
  // Forgotten first, so that a failure leaves nothing that does not belong together.
  if (new_g) kernel_g_.reset();
  if (new_t) kernel_t_.reset();
  if (new_m || new_g) constant_gram_.reset();
  if (new_m) m_.reset();
  if (new_g || new_t) y_.reset();

  if (new_g) {
    g_.reset();
    g_.emplace(spectrum_of(device, gram(device, hyper.g, data_->x_view(), data_->root)));
    kernel_g_ = hyper.g;
  }
  if (new_t) {
    t_.reset();
    t_.emplace(spectrum_of(device, gram(device, hyper.t, data_->t_view(), {})));
    const std::vector<double> ones(static_cast<std::size_t>(data_->points), 1.0);
    v_ = times(device, t_->vectors.view(), Op::transpose, ones);
    v_there_.reset();
    v_there_.emplace(on_device(device, v_));
    kernel_t_ = hyper.t;
  }
  if (!y_) {
    const Matrix y(device, data_->y, data_->systems, data_->points);
    const Matrix uy = product(device, g_->vectors.view(), Op::transpose, y.view(), Op::none);
    y_.emplace(product(device, uy.view(), Op::none, t_->vectors.view(), Op::none));
  }
  kernel_m_ = hyper.m;
  diagonal_ = same_kernel(hyper.g, hyper.m, data_->features);
}

const Spectrum& Spectra::m(Device& device) {
  if (diagonal_) return *g_;
  if (!m_) m_.emplace(spectrum_of(device, gram(device, *kernel_m_, data_->x_view(), data_->root)));
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
    const Matrix m = gram(device, *kernel_m_, data_->x_view(), data_->root);
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
