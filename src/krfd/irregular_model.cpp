// KRFD on curves with points of their own: the fit, expected values, bands and draws.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/fail.hpp"  // for fail
#include "krfd/data.hpp"  // for check
#include "krfd/irregular.hpp"
#include "krfd/krsfd_parts.hpp"  // for values_at, PointsOfCurves
#include "math/random.hpp"       // for Random

namespace kronite::krfd {
namespace {

constexpr std::int64_t kMostDraws = 64;   // drawn at a time
constexpr std::int64_t kPointTile = 512;  // points of a curve whose variance is computed at a time

IrregularShape shape_of(const IrregularModel& m) {
  return {
      {m.x.data(), m.curves, m.features}, {m.grid.data(), m.grid_points, m.dimensions}, &m.hyper};
}

/// k_G(x, X) Theta and k_M(x, X) c: rows x grid points, and a constant for each row.
struct AlongGrid {
  Matrix variation, constant;
};
AlongGrid along_grid(Device& device, const IrregularModel& m, MatrixView<const double> x) {
  const IrregularShape shape = shape_of(m);
  const Matrix theta(device, m.theta, m.curves, m.grid_points), c = on_device(device, m.c);
  AlongGrid out{Matrix(device, x.rows, m.grid_points), Matrix(device, x.rows, 1)};
  LinalgOps<double>& la = linalg<double>(device);
  for_input_rows(x, m.curves, [&](MatrixView<const double> some, std::int64_t begin) {
    const Matrix g = cross_gram(device, m.hyper.g, some, shape.x, {}),
                 k = cross_gram(device, m.hyper.m, some, shape.x, {});
    la.gemm(1, g.view(), Op::none, theta.view(), Op::none, 0,
            out.variation.view().rows_from(begin, some.rows));
    la.gemm(1, k.view(), Op::none, c.view(), Op::none, 0,
            out.constant.view().rows_from(begin, some.rows));
  });
  return out;
}

/// Variances over sigma^2 a priori, and what lies outside of the spans.
class PriorVariance {
 public:
  PriorVariance(Device& device, const IrregularPrior& prior, const Matrix& a, const Matrix& e,
                MatrixView<const double> x, bool complete)
      : width_(static_cast<std::size_t>(prior.width())), complete_(complete) {
    const Matrix w = copy(device, prior.weights().view());
    const std::vector<double> s = prior.g().range_values(), d = prior.t().range_values();
    std::vector<double> squares = a.to_host();
    for (double& value : squares) value *= value;
    const Matrix a2(device, squares, a.view().rows, a.view().cols);
    of_component_ = product(device, a2.view(), Op::none, w.view(), Op::none).to_host();
    e_ = e.to_host();

    const Hyperparameters& h = *prior.shape().hyper;
    const Spectrum m = spectrum_of(device, gram(device, h.m, prior.shape().x, {}));
    const Matrix k = prior.constants(x);
    const Matrix root = on_device(
        device, each(m.range_values(), [](double value) { return 1 / std::sqrt(value); }));
    const Matrix p = scaled(
        device, {}, product(device, k.view(), Op::none, m.range(), Op::none).view(), root.vector());
    constant_ = row_dots(device, p.view(), p.view());
    for (double& value : constant_)
      value = (complete ? std::max(value, 1.0) : value) * prior.constant_scale();
    if (!complete) return;
    const std::size_t rank = s.size();
    for (std::size_t i = 0; i < constant_.size(); ++i) {
      double inside = 0, share = 0;
      for (std::size_t k2 = 0; k2 < rank; ++k2) {
        inside += s[k2] * squares[i * rank + k2];
        share += s[k2] / (s[k2] + h.lambda_g) * squares[i * rank + k2];
      }
      outside_x_.push_back(std::max(0.0, 1 - inside) / h.lambda_g);
      share_.push_back(share);
    }
    for (std::size_t n = 0; n < e_.size() / width_; ++n) {
      double inside = 0, share = 0;
      for (std::size_t l = 0; l < width_; ++l) {
        const double square = e_[n * width_ + l] * e_[n * width_ + l];
        inside += square;
        share += square / (d[l] + h.lambda_t);
      }
      outside_t_.push_back(std::max(0.0, 1 - inside) / h.lambda_t);
      share_t_.push_back(share);
    }
  }

  /// At point n, which lies on the curve of input i.
  double operator()(std::size_t i, std::size_t n) const {
    double value = constant_[i];
    for (std::size_t l = 0; l < width_; ++l)
      value += of_component_[i * width_ + l] * e_[n * width_ + l] * e_[n * width_ + l];
    if (complete_)
      value += outside_x_[i] * (share_t_[n] + outside_t_[n]) + share_[i] * outside_t_[n];
    return value;
  }

 private:
  std::size_t width_;
  bool complete_;
  std::vector<double> of_component_, e_, constant_, outside_x_, share_, outside_t_, share_t_;
};

}  // namespace

IrregularModel fit_irregular(Device& device, MatrixView<const double> x,
                             const Observations& observations, MatrixView<const double> grid,
                             const Hyperparameters& hyper, const IrregularOptions& options) {
  SortedObservations sorted = check_irregular(x, observations, grid);
  check(hyper, x.cols, grid.cols);
  check(options.noise_prior);
  const auto n = static_cast<double>(sorted.y.size());
  if (options.noise == NoiseRule::conjugate && options.noise_prior.alpha + n / 2 <= 1)
    fail(Errc::invalid_argument,
         "with alpha = {} of the noise's prior and {} value the noise has no mean variance",
         options.noise_prior.alpha, n);
  IrregularModel model;
  model.hyper = hyper;
  model.options = options;
  model.curves = x.rows;
  model.features = x.cols;
  model.grid_points = grid.rows;
  model.dimensions = grid.cols;
  model.x = contiguous(x);
  model.grid = contiguous(grid);
  model.first = std::move(sorted.points.first);
  model.t = std::move(sorted.points.t);
  model.y = std::move(sorted.y);

  const IrregularPrior prior(device, shape_of(model));
  const IrregularCovariance covariance(device, prior, model.first, model.t);
  const Matrix factor = covariance.factor();
  Matrix left = on_device(device, model.y);
  linalg<double>(device).cholesky_solve(Side::left, factor.view(), left.view());
  model.residuals = left.to_host();  // S^-1 y is what is left of y
  const double quad = dot(model.y, model.residuals);
  model.log_evidence = log_evidence(options.noise_prior, n, logdet_of_factor(device, factor), quad);
  model.noise_variance =
      options.noise == NoiseRule::conjugate
          ? (options.noise_prior.beta + quad / 2) / (options.noise_prior.alpha + n / 2 - 1)
          : (dot(model.residuals, model.residuals) + 2 * options.noise_prior.beta) /
                (2 * options.noise_prior.alpha + 2 + n);

  // Theta = U diag(1/s) (w o U' sum over the observations of e residual) diag(1/sqrt(d)) V'.
  Matrix of_curves(device, model.curves, prior.width());
  device.backend().ragged().ragged_transpose_product(covariance.rows().rows(), covariance.basis(),
                                                     left.view(), of_curves.view());
  std::vector<double> z =
      product(device, prior.g().range(), Op::transpose, of_curves.view(), Op::none).to_host();
  const std::vector<double> w = prior.weights().to_host(), s = prior.g().range_values(),
                            d = prior.t().range_values();
  for (std::size_t k = 0; k < s.size(); ++k)
    for (std::size_t l = 0; l < d.size(); ++l)
      z[k * d.size() + l] *= w[k * d.size() + l] / (s[k] * std::sqrt(d[l]));
  const Matrix middle(device, z, std::ssize(s), std::ssize(d));
  const Matrix half = product(device, prior.g().range(), Op::none, middle.view(), Op::none);
  model.theta = product(device, half.view(), Op::none, prior.t().range(), Op::transpose).to_host();
  model.c.assign(static_cast<std::size_t>(model.curves), 0);
  for (std::size_t i = 0; i < model.c.size(); ++i)
    for (auto k = model.first[i]; k < model.first[i + 1]; ++k)
      model.c[i] += prior.constant_scale() * model.residuals[static_cast<std::size_t>(k)];
  for (const auto* values : {&model.theta, &model.c, &model.residuals})
    for (const double value : *values)
      if (!std::isfinite(value))
        fail(Errc::numerical,
             "the coefficients are too large for double precision: lambda_g = {}, lambda_t = {} or "
             "lambda_m = {} is too small for these kernels",
             hyper.lambda_g, hyper.lambda_t, hyper.lambda_m);
  return model;
}

std::vector<double> IrregularModel::predict(Device& device, MatrixView<const double> x_new,
                                            MatrixView<const double> t_new) const {
  check_new_inputs(features, x_new);
  check_matrix("t", t_new);
  check_columns("t", t_new.cols, dimensions);
  notice_outside(t, t_new);
  const AlongGrid along = along_grid(device, *this, x_new);
  const Matrix k_t = cross_gram(device, hyper.t, t_new, shape_of(*this).grid, {});
  const Matrix ones(device, std::vector<double>(static_cast<std::size_t>(t_new.rows), 1.0), 1,
                    t_new.rows);
  Matrix out(device, x_new.rows, t_new.rows);
  LinalgOps<double>& la = linalg<double>(device);
  la.gemm(1, along.variation.view(), Op::none, k_t.view(), Op::transpose, 0, out.view());
  la.gemm(1, along.constant.view(), Op::none, ones.view(), Op::none, 1, out.view());
  return out.to_host();
}

std::vector<double> IrregularModel::predict(Device& device, MatrixView<const double> x_new,
                                            const CurvePoints& points) const {
  check_new_inputs(features, x_new);
  const SortedPoints sorted = sort_points(points, x_new.rows);
  check_columns("t", sorted.dimensions, dimensions);
  notice_outside(t, points.t);
  const AlongGrid along = along_grid(device, *this, x_new);
  const MatrixView<const double> at{sorted.t.data(), sorted.size(), dimensions};
  std::vector<double> values =
      values_at(device, sorted, along.variation.view(),
                cross_gram(device, hyper.t, at, shape_of(*this).grid, {}).view());
  const std::vector<double> constant = along.constant.to_host();
  for (std::int64_t k = 0; k < points.curve.size; ++k)
    values[static_cast<std::size_t>(k)] += constant[static_cast<std::size_t>(points.curve.data[k])];
  return values;
}

KrsfdPrediction IrregularModel::predict_std(Device& device, MatrixView<const double> x_new,
                                            const CurvePoints& points,
                                            const IrregularBandOptions& how) const {
  KrsfdPrediction prediction;
  prediction.mean = predict(device, x_new, points);
  prediction.std.resize(prediction.mean.size());
  if (prediction.mean.empty()) return prediction;
  const SortedPoints sorted = sort_points(points, x_new.rows);
  const IrregularPrior prior(device, shape_of(*this));
  const IrregularCovariance covariance(device, prior, first, t);
  const Matrix factor = covariance.factor();
  const Matrix a = prior.systems(x_new), m = prior.constants(x_new),
               e = prior.points({sorted.t.data(), sorted.size(), dimensions});
  const PriorVariance variance(device, prior, a, e, x_new, how.complete);
  for (std::int64_t begin = 0, count = 0; begin < sorted.size(); begin += count) {
    const std::int64_t i = sorted.curve[static_cast<std::size_t>(begin)];
    count = std::min(kPointTile, sorted.first[static_cast<std::size_t>(i) + 1] - begin);
    Matrix h(device, count, covariance.size());
    covariance.cross(a.view().rows_from(i, 1), m.view().rows_from(i, 1),
                     e.view().rows_from(begin, count), h.view());
    Matrix solved = copy(device, h.view());
    linalg<double>(device).cholesky_solve(Side::right, factor.view(), solved.view());
    const std::vector<double> explained = row_dots(device, h.view(), solved.view());
    for (std::int64_t k = 0; k < count; ++k) {
      const auto n = static_cast<std::size_t>(begin + k);
      const double left =
          variance(static_cast<std::size_t>(i), n) - explained[static_cast<std::size_t>(k)];
      prediction.std[static_cast<std::size_t>(sorted.place[n])] =
          std::sqrt(noise_variance * (std::max(left, 0.0) + (how.include_noise ? 1 : 0)));
    }
  }
  return prediction;
}

KrsfdPrediction IrregularModel::predict_std(Device& device, MatrixView<const double> x_new,
                                            MatrixView<const double> t_new,
                                            const IrregularBandOptions& how) const {
  check_new_inputs(features, x_new);
  check_matrix("t", t_new);
  const PointsOfCurves all(x_new.rows, t_new);
  return predict_std(device, x_new, all.points(), how);
}

// Matheron's rule: with a draw f0 of the prior and noise e, f0 + cov(f, y) S^-1 (y - f0 - e).
std::vector<double> IrregularModel::sample(Device& device, MatrixView<const double> x_new,
                                           MatrixView<const double> t_new, int draws,
                                           std::uint64_t seed, const Progress& progress) const {
  if (draws < 1) fail(Errc::invalid_argument, "draws is {}, and must be 1 at least", draws);
  check_new_inputs(features, x_new);
  check_matrix("t", t_new);
  check_columns("t", t_new.cols, dimensions);
  notice_outside(t, t_new);
  const std::int64_t rows = x_new.rows, points = t_new.rows;
  std::vector<double> out(static_cast<std::size_t>(draws * rows * points));
  if (out.empty()) return out;
  const IrregularPrior prior(device, shape_of(*this));
  const IrregularCovariance covariance(device, prior, first, t);
  const Matrix factor = covariance.factor();
  const Matrix a = prior.systems(x_new), e = prior.points(t_new), own = prior.own_systems();
  const Matrix k = prior.constants(x_new);
  const Spectrum m = spectrum_of(device, gram(device, hyper.m, shape_of(*this).x, {}));
  // mu = k_M M^-1 V diag(sqrt(values / (K lambda_M))) z, M = V diag(values) V'.
  const auto constants = [&](MatrixView<const double> gram_rows) {
    const Matrix root = on_device(device, each(m.range_values(), [&](double value) {
                                    return std::sqrt(prior.constant_scale() / value);
                                  }));
    return scaled(device, {}, product(device, gram_rows, Op::none, m.range(), Op::none).view(),
                  root.vector());
  };
  const Matrix constant_new = constants(k.view()),
               constant_own = constants(prior.constants(shape_of(*this).x).view());
  const std::vector<double> w = prior.weights().to_host();
  const double sigma = std::sqrt(noise_variance);
  const std::vector<std::int64_t> curve = curve_of_rows(first);
  const auto observations = static_cast<std::int64_t>(y.size());

  for (std::int64_t begin = 0; begin < draws; begin += kMostDraws) {
    const std::int64_t count = std::min<std::int64_t>(kMostDraws, draws - begin);
    std::vector<double> open(static_cast<std::size_t>(observations * count));
    for (std::int64_t s = 0; s < count; ++s) {
      math::Random random(seed, static_cast<std::uint64_t>(begin + s));
      std::vector<double> z(w.size()), b(static_cast<std::size_t>(m.rank()));
      for (std::size_t n = 0; n < z.size(); ++n) z[n] = sigma * std::sqrt(w[n]) * random.normal();
      for (double& value : b) value = sigma * random.normal();
      const Matrix z_there(device, z, prior.weights().view().rows, prior.width());
      const auto drawn = [&](const Matrix& of_systems, const Matrix& of_constants) {
        return std::pair{product(device, of_systems.view(), Op::none, z_there.view(), Op::none),
                         times(device, of_constants.view(), Op::none, b)};
      };
      const auto [variation, constant] = drawn(own, constant_own);
      Matrix at_observations(device, observations, 1);
      device.backend().ragged().ragged_product(covariance.rows().rows(), covariance.basis(),
                                               variation.view(), at_observations.view());
      const std::vector<double> f0 = at_observations.to_host();
      for (std::size_t n = 0; n < f0.size(); ++n)
        open[n * static_cast<std::size_t>(count) + static_cast<std::size_t>(s)] =
            y[n] - f0[n] - constant[static_cast<std::size_t>(curve[n])] - sigma * random.normal();
      const auto [new_variation, new_constant] = drawn(a, constant_new);
      const std::vector<double> f =
          product(device, new_variation.view(), Op::none, e.view(), Op::transpose).to_host();
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < points; ++j)
          out[static_cast<std::size_t>(((begin + s) * rows + i) * points + j)] =
              f[static_cast<std::size_t>(i * points + j)] +
              new_constant[static_cast<std::size_t>(i)];
    }
    Matrix solved(device, open, observations, count);
    linalg<double>(device).cholesky_solve(Side::left, factor.view(), solved.view());
    for (std::int64_t i = 0; i < rows; ++i) {
      Matrix h(device, points, observations);
      covariance.cross(a.view().rows_from(i, 1), k.view().rows_from(i, 1), e.view(), h.view());
      const std::vector<double> moved =
          product(device, h.view(), Op::none, solved.view(), Op::none).to_host();
      for (std::int64_t j = 0; j < points; ++j)
        for (std::int64_t s = 0; s < count; ++s)
          out[static_cast<std::size_t>(((begin + s) * rows + i) * points + j)] +=
              moved[static_cast<std::size_t>(j * count + s)];
      // A draw is moved system by system.
      if (progress && !progress(begin + count * (i + 1) / rows, draws))
        fail(Errc::cancelled, "drawing was stopped");
    }
  }
  return out;
}

}  // namespace kronite::krfd
