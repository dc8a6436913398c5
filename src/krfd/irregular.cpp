// Bases of the prior, and covariances of observations, curve by curve.
#include "krfd/irregular.hpp"

#include <cmath>
#include <numeric>
#include <utility>

#include "base/fail.hpp"         // for fail
#include "krfd/krsfd_parts.hpp"  // for curve_of_rows

namespace kronite::krfd {
namespace {

/// 1 / f of every value.
template <class F>
std::vector<double> inverses(const std::vector<double>& values, const F& f) {
  return each(values, [&](double value) { return 1 / f(value); });
}

Matrix weights_of(Device& device, const Hyperparameters& h, const std::vector<double>& s,
                  const std::vector<double>& d) {
  std::vector<double> w;
  w.reserve(s.size() * d.size());
  for (const double sk : s)
    for (const double dl : d)
      w.push_back(sk / (h.lambda_g * dl + h.lambda_t * sk + h.lambda_g * h.lambda_t));
  return Matrix(device, w, std::ssize(s), std::ssize(d));
}

std::vector<std::int64_t> counting(std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

}  // namespace

IrregularPrior::IrregularPrior(Device& device, const IrregularShape& shape)
    : device_(device),
      shape_(shape),
      g_(spectrum_of(device, gram(device, shape.hyper->g, shape.x, {}))),
      t_(spectrum_of(device, gram(device, shape.hyper->t, shape.grid, {}))),
      weights_(weights_of(device, *shape.hyper, g_.range_values(), t_.range_values())),
      constant_scale_(1 / (static_cast<double>(shape.grid.rows) * shape.hyper->lambda_m)) {}

Matrix IrregularPrior::systems(MatrixView<const double> x) const {
  const Matrix k = cross_gram(device_, shape_.hyper->g, x, shape_.x, {});
  const Matrix a = product(device_, k.view(), Op::none, g_.range(), Op::none);
  const Matrix inverse =
      on_device(device_, inverses(g_.range_values(), [](double s) { return s; }));
  return scaled(device_, {}, a.view(), inverse.vector());
}

Matrix IrregularPrior::own_systems() const { return copy(device_, g_.range()); }

Matrix IrregularPrior::points(MatrixView<const double> t) const {
  const Matrix k = cross_gram(device_, shape_.hyper->t, t, shape_.grid, {});
  const Matrix e = product(device_, k.view(), Op::none, t_.range(), Op::none);
  const Matrix inverse =
      on_device(device_, inverses(t_.range_values(), [](double d) { return std::sqrt(d); }));
  return scaled(device_, {}, e.view(), inverse.vector());
}

Matrix IrregularPrior::constants(MatrixView<const double> x) const {
  return cross_gram(device_, shape_.hyper->m, x, shape_.x, {});
}

Matrix with_ones(Device& device, MatrixView<const double> e) {
  Matrix both(device, std::vector<double>(static_cast<std::size_t>(e.rows * (e.cols + 1)), 1.0),
              e.rows, e.cols + 1);
  functional(device).scale(1, {}, e, {}, 0,
                           {both.view().data, e.rows, e.cols, e.cols + 1, device.place()});
  return both;
}

IrregularCovariance::IrregularCovariance(Device& device, const IrregularPrior& prior,
                                         const std::vector<std::int64_t>& first,
                                         const std::vector<double>& t)
    : device_(device),
      prior_(prior),
      first_(first),
      curve_(curve_of_rows(first)),
      rows_(device, first_, curve_),
      own_(prior.own_systems()),
      basis_(prior.points({t.data(), std::ssize(curve_), prior.shape().grid.cols})),
      with_one_(with_ones(device, basis_.view())),
      columns_(device, counting(prior.width() + 1), prior.width() + 1, 1) {}

void IrregularCovariance::block(MatrixView<const double> a, MatrixView<const double> m,
                                MatrixView<const double> e, MatrixView<double> out) const {
  LinalgOps<double>& la = linalg<double>(device_);
  FunctionalOps& f = functional(device_);
  const std::int64_t curves = prior_.curves(), width = prior_.width();
  // Column l: covariances of component l of the system with that of each curve; then the constant.
  Matrix c(device_, curves, width + 1);
  const Matrix weighted = scaled(device_, {a.data, a.cols, a.place}, prior_.weights().view(), {});
  la.gemm(1, own_.view(), Op::none, weighted.view(), Op::none, 0,
          {c.view().data, curves, width, width + 1, device_.place()});
  f.scale(prior_.constant_scale(), {}, {m.data, curves, 1, m.place}, {}, 0,
          {c.view().data + width, curves, 1, width + 1, device_.place()});
  Matrix some = copy(device_, with_one_.view().rows_from(0, out.cols));
  device_.backend().ragged().multiply_by_curves(
      {rows_.rows().curve.data, out.cols, device_.place()}, columns_.vector(), c.view(),
      some.view());
  la.gemm(1, e, Op::none, some.view(), Op::transpose, 0, out);
}

Matrix IrregularCovariance::factor() const {
  const std::int64_t n = size();
  Matrix s(device_, n, n);
  const Matrix m = prior_.constants(prior_.shape().x);
  for (std::int64_t i = 0; i < prior_.curves(); ++i) {
    const std::int64_t begin = first_[static_cast<std::size_t>(i)],
                       end = first_[static_cast<std::size_t>(i) + 1];
    // Only the lower triangle is read.
    block(own_.view().rows_from(i, 1), m.view().rows_from(i, 1),
          with_one_.view().rows_from(begin, end - begin),
          {s.view().row(begin), end - begin, end, n, device_.place()});
  }
  functional(device_).add_to_diagonal(1, {}, s.view());
  linalg<double>(device_).cholesky(s.view());
  return s;
}

void IrregularCovariance::cross(MatrixView<const double> a, MatrixView<const double> m,
                                MatrixView<const double> e, MatrixView<double> out) const {
  block(a, m, with_ones(device_, e).view(), out);
}

double log_evidence(const NoisePrior& prior, double observations, double logdet, double quad) {
  constexpr double kLog2Pi = 1.8378770664093454836;
  const double shape = prior.alpha + observations / 2, rate = prior.beta + quad / 2;
  return std::lgamma(shape) - std::lgamma(prior.alpha) + prior.alpha * std::log(prior.beta) -
         observations / 2 * kLog2Pi - logdet / 2 - shape * std::log(rate);
}

double logdet_of_factor(Device& device, const Matrix& factor) {
  double total = 0;
  for (const double value : diagonal(device, factor.view())) total += 2 * std::log(value);
  return total;
}

}  // namespace kronite::krfd
