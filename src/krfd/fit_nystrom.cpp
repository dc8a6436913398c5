// KRFD on functions of few systems: one pass over all of them gathers small matrices, another one
// gives residuals.
#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "krfd/fit_scale.hpp"
#include "math/random.hpp"    // for Random
#include "math/sampling.hpp"  // for draw_distinct

namespace kronite::krfd {
namespace {

Matrix zeros(Device& device, std::int64_t rows, std::int64_t cols) {
  return Matrix(device, std::vector<double>(static_cast<std::size_t>(rows * cols), 0.0), rows,
                cols);
}

/// c <- c + a'b.
void add_product(Device& device, MatrixView<const double> a, MatrixView<const double> b,
                 Matrix& c) {
  linalg<double>(device).gemm(1, a, Op::transpose, b, Op::none, 1, c.view());
}

/// Rows of host values on the device.
Matrix rows_there(Device& device, const std::vector<double>& values, std::int64_t first,
                  std::int64_t count, std::int64_t cols) {
  const auto begin = values.begin() + first * cols;
  return Matrix(device, std::vector<double>(begin, begin + count * cols), count, cols);
}

}  // namespace

std::vector<std::int64_t> draw_centres(std::int64_t n, std::int64_t count, std::uint64_t seed) {
  math::Random random(seed);
  std::vector<std::int64_t> numbers = math::draw_distinct(random, n, std::min(count, n));
  random.shuffle(std::span(numbers));
  return numbers;
}

std::vector<double> rows_of(const Data& data, const std::vector<std::int64_t>& numbers) {
  std::vector<double> rows;
  for (const std::int64_t number : numbers) {
    const auto begin = data.x.begin() + number * data.features;
    rows.insert(rows.end(), begin, begin + data.features);
  }
  return rows;
}

template <class F>
void NystromModel::for_functions(Device& device, const KernelRows& g, const KernelRows& m,
                                 const F& f) const {
  const std::int64_t n = g.rows(), height = std::min(GramOperator::tile_rows(count_), n);
  Matrix tile(device, height, count_);
  Matrix of_g(device, height, basis_g_.view().cols), of_m(device, height, basis_m_.view().cols);
  const auto fill = [&](const KernelRows& rows, const KernelRows& centres, const Matrix& basis,
                        std::int64_t first, std::int64_t count, Matrix& out) {
    const MatrixView<double> part = tile.view().rows_from(0, count);
    rows.gram(first, count, centres, part);
    linalg<double>(device).gemm(1, part, Op::none, basis.view(), Op::none, 0,
                                out.view().rows_from(0, count));
  };
  for (std::int64_t first = 0; first < n; first += height) {
    const std::int64_t count = std::min(height, n - first);
    fill(g, rows_g_, basis_g_, first, count, of_g);
    if (!same_) fill(m, rows_m_, basis_m_, first, count, of_m);
    const MatrixView<const double> g_view = std::as_const(of_g).view().rows_from(0, count),
                                   m_view = std::as_const(of_m).view().rows_from(0, count);
    f(first, count, g_view, same_ ? g_view : m_view);
  }
}

NystromModel::NystromModel(Device& device, const Data& data, MatrixView<const double> centres,
                           const Hyperparameters& hyper, double rank_tolerance)
    : centres_(centres.data, centres.data + centres.rows * centres.cols),
      count_(centres.rows),
      hyper_(hyper),
      same_(same_kernel(hyper.g, hyper.m, data.features)),
      points_(point_basis(device, gram(device, hyper.t, data.t_view(), {}), rank_tolerance)),
      theta_(static_cast<double>(data.points) * hyper.lambda_m),
      rows_g_(device, hyper.g, centres, {}),
      rows_m_(device, hyper.m, centres, {}),
      basis_g_(centre_basis(device, rows_g_)),
      basis_m_(centre_basis(device, rows_m_)) {
  const std::int64_t k_g = basis_g_.view().cols, k_m = basis_m_.view().cols;
  Matrix g_g = zeros(device, k_g, k_g), g_m = zeros(device, k_g, k_m),
         m_m = zeros(device, k_m, k_m), b_g = zeros(device, k_g, points_.size()),
         b_m = zeros(device, k_m, points_.size());
  const KernelRows all_g(device, hyper.g, data.x_view(), data.root),
      all_m(device, hyper.m, data.x_view(), data.root);
  for_functions(device, all_g, all_m,
                [&](std::int64_t first, std::int64_t count, MatrixView<const double> g,
                    MatrixView<const double> m) {
                  const Matrix y = rows_there(device, data.y, first, count, data.points);
                  const Matrix curves = product(device, y.view(), Op::none,
                                                points_.spectrum.vectors.view(), Op::none);
                  add_product(device, g, g, g_g);
                  add_product(device, g, m, g_m);
                  add_product(device, m, m, m_m);
                  add_product(device, g, curves.view(), b_g);
                  add_product(device, m, curves.view(), b_m);
                });
  of_g_.emplace(spectrum_of(device, std::move(g_g)));
  of_m_.emplace(std::move(m_m));
  const MatrixView<const double> w = of_g_->vectors.view();
  between_.emplace(product(device, w, Op::transpose, g_m.view(), Op::none));
  solve(device, product(device, w, Op::transpose, b_g.view(), Op::none), b_m);
}

void NystromModel::solve(Device& device, Matrix b_g, const Matrix& b_m) {
  LinalgOps<double>& la = linalg<double>(device);
  const std::vector<double>& d = points_.spectrum.values;
  const Matrix h =
      on_device(device, each(of_g_->values, [&](double s) { return 1 / (s + hyper_.lambda_g); }));
  std::vector<double> b_v;
  for (std::size_t j = 0; j < d.size(); ++j) {
    b_v.push_back(d[j] / (d[j] + hyper_.lambda_t) * points_.v[j]);
    share_ += b_v[j] * points_.v[j];
  }

  // F_M'Q F_M with Q = T I - sB A, A = F_G (F_G'F_G + lambda_G)^-1 F_G'.
  const Matrix smoothed = scaled(device, h.vector(), between_->view(), {});
  Matrix inner = scaled(device, {}, of_m_->view(), {});
  la.gemm(-share_, smoothed.view(), Op::transpose, between_->view(), Op::none,
          theta_ / hyper_.lambda_m, inner.view());
  inner_.emplace(spectrum_of(device, std::move(inner)));

  // F_M'c = (theta + F_M'Q F_M)^-1 F_M'(Y - AYB) 1.
  const Matrix v_there = on_device(device, points_.v), b_v_there = on_device(device, b_v);
  Matrix right = product(device, b_m.view(), Op::none, v_there.view(), Op::none);
  const Matrix along = product(device, b_g.view(), Op::none, b_v_there.view(), Op::none);
  la.gemm(-1, smoothed.view(), Op::transpose, along.view(), Op::none, 1, right.view());
  const Matrix weight =
      on_device(device, each(inner_->values, [&](double value) { return 1 / (value + theta_); }));
  Matrix in = product(device, inner_->vectors.view(), Op::transpose, right.view(), Op::none);
  functional(device).scale(1, weight.vector(), in.view(), {}, 0, in.view());
  constant_.emplace(product(device, inner_->vectors.view(), Op::none, in.view(), Op::none));

  // F_G'H (Y - mu 1') (T + lambda_T)^-1, in both bases.
  const Matrix shared = product(device, between_->view(), Op::none, constant_->view(), Op::none);
  la.gemm(-1, shared.view(), Op::none, v_there.view(), Op::transpose, 1, b_g.view());
  const Matrix column =
      on_device(device, each(d, [&](double value) { return 1 / (value + hyper_.lambda_t); }));
  along_t_.emplace(scaled(device, h.vector(), b_g.view(), column.vector()));
}

std::vector<double> NystromModel::theta(Device& device) const {
  const Matrix inside =
      product(device, of_g_->vectors.view(), Op::none, along_t_->view(), Op::none);
  const Matrix of_centres = product(device, basis_g_.view(), Op::none, inside.view(), Op::none);
  return product(device, of_centres.view(), Op::none, points_.spectrum.vectors.view(),
                 Op::transpose)
      .to_host();
}

std::vector<double> NystromModel::c(Device& device) const {
  return product(device, basis_m_.view(), Op::none, constant_->view(), Op::none).to_host();
}

namespace {

/// W times the coefficients along t times d: what functions of the centres are multiplied by.
Matrix variation_of(Device& device, const Spectrum& of_g, const Matrix& along_t,
                    const PointBasis& points) {
  const Matrix weighed = scaled(device, {}, along_t.view(), points.spectrum.values_there.vector());
  return product(device, of_g.vectors.view(), Op::none, weighed.view(), Op::none);
}

}  // namespace

std::vector<double> NystromModel::fitted(Device& device, MatrixView<const double> x) const {
  const Matrix variation = variation_of(device, *of_g_, *along_t_, points_);
  const KernelRows g(device, hyper_.g, x, {}), m(device, hyper_.m, x, {});
  std::vector<double> values;
  for_functions(
      device, g, m,
      [&](std::int64_t, std::int64_t, MatrixView<const double> f_g, MatrixView<const double> f_m) {
        Matrix in = product(device, f_g, Op::none, variation.view(), Op::none);
        const Matrix mu = product(device, f_m, Op::none, constant_->view(), Op::none);
        linalg<double>(device).gemm(1, mu.view(), Op::none, points_.v_there.view(), Op::transpose,
                                    1, in.view());
        const std::vector<double> part =
            product(device, in.view(), Op::none, points_.spectrum.vectors.view(), Op::transpose)
                .to_host();
        values.insert(values.end(), part.begin(), part.end());
      });
  return values;
}

NystromModel::Remainder NystromModel::remainder(Device& device, const Data& data) const {
  LinalgOps<double>& la = linalg<double>(device);
  const Matrix variation = variation_of(device, *of_g_, *along_t_, points_);
  const MatrixView<const double> v = points_.spectrum.vectors.view();
  const KernelRows all_g(device, hyper_.g, data.x_view(), data.root),
      all_m(device, hyper_.m, data.x_view(), data.root);
  Remainder result;
  result.residuals.reserve(data.y.size());
  for_functions(
      device, all_g, all_m,
      [&](std::int64_t first, std::int64_t count, MatrixView<const double> f_g,
          MatrixView<const double> f_m) {
        const Matrix y = rows_there(device, data.y, first, count, data.points);
        Matrix e = product(device, y.view(), Op::none, v, Op::none);  // Y V, then (Y - mu 1') V
        const Matrix mu = product(device, f_m, Op::none, constant_->view(), Op::none);
        la.gemm(-1, mu.view(), Op::none, points_.v_there.view(), Op::transpose, 1, e.view());
        Matrix left = scaled(device, {}, e.view(), {});
        la.gemm(-1, f_g, Op::none, variation.view(), Op::none, 1, left.view());
        result.quad += sum(row_dots(device, e.view(), left.view()));
        Matrix residuals = product(device, left.view(), Op::none, v, Op::transpose);
        if (v.cols < v.rows) {
          const Matrix outside = curves_outside(device, points_, y.view());
          result.quad += sum(row_dots(device, outside.view(), outside.view()));
          functional(device).scale(1, {}, outside.view(), {}, 1, residuals.view());
        }
        const std::vector<double> part = residuals.to_host();
        result.residuals.insert(result.residuals.end(), part.begin(), part.end());

        const std::vector<double> reached_g = row_dots(device, f_g, f_g),
                                  reached_m = row_dots(device, f_m, f_m);
        for (std::int64_t i = 0; i < count; ++i) {
          const double root = data.root_of(first + i), weight = root * root;
          result.missed_g += std::max(0.0, 1 - reached_g[static_cast<std::size_t>(i)] / weight);
          result.missed_m += std::max(0.0, 1 - reached_m[static_cast<std::size_t>(i)] / weight);
        }
      });
  const std::vector<double> constant = constant_->to_host();
  result.quad += theta_ * dot(constant, constant);
  result.missed_g /= static_cast<double>(data.systems);
  result.missed_m /= static_cast<double>(data.systems);
  return result;
}

Spectrum NystromModel::g(Device& device) const {
  const Matrix root = on_device(device, each(of_g_->values, [](double s) { return std::sqrt(s); }));
  const Matrix weighed = scaled(device, {}, of_g_->vectors.view(), root.vector());
  return {product(device, basis_g_.view(), Op::none, weighed.view(), Op::none), of_g_->values,
          on_device(device, of_g_->values)};
}

Spectrum NystromModel::m(Device& device) const {
  const std::vector<double> ones(static_cast<std::size_t>(basis_m_.view().cols), 1.0);
  return {copy(device, basis_m_.view()), ones, on_device(device, ones)};
}

Matrix NystromModel::along(Device& device, PosteriorForm form) const {
  const auto inverse_roots = [&](const std::vector<double>& values, double more, double factor) {
    return on_device(
        device, each(values, [&](double value) { return 1 / std::sqrt(factor * (value + more)); }));
  };
  if (form == PosteriorForm::joint)
    return scaled(device, {}, inner_->vectors.view(),
                  inverse_roots(inner_->values, theta_, 1).vector());
  // The original's: the constants given the variation.
  const Spectrum alone = spectrum_of(device, copy(device, of_m_->view()));
  return scaled(device, {}, alone.vectors.view(),
                inverse_roots(alone.values, hyper_.lambda_m, theta_ / hyper_.lambda_m).vector());
}

Matrix NystromModel::across(Device& device) const {
  const Matrix h =
      on_device(device, each(of_g_->values, [&](double s) { return 1 / (s + hyper_.lambda_g); }));
  const Matrix smoothed = scaled(device, h.vector(), between_->view(), {});
  const Matrix alone = along(device, PosteriorForm::joint);
  const Matrix inside = product(device, smoothed.view(), Op::none, alone.view(), Op::none);
  const Matrix in_basis = product(device, of_g_->vectors.view(), Op::none, inside.view(), Op::none);
  return product(device, basis_g_.view(), Op::none, in_basis.view(), Op::none);
}

}  // namespace kronite::krfd
