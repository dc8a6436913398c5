// Standard deviations and draws of KRSFD: theta has the covariance s2 (H'H + lambda)^-1.
//
// Exact: with h = H phi, phi the basis functions at a point, the variance of the function there is
//   s2 / lambda (|phi|^2 - |L^-1 h|^2),   L L' = H H' + lambda,   (H H')_nm = (G G')_ij (T T')_nm,
// rows n of curve i, m of curve j; T holds the basis functions of t at the observations. h is
// linear in the basis functions of t: where an input has more points than there are of these, L^-1
// h is formed for each of them once. Pathwise (Matheron's rule): with theta0 ~ N(0, s2 / lambda)
// and noise e ~ N(0, s2),
//   theta - E theta = theta0 - (H'H + lambda)^-1 H' (H theta0 + e).
#include <algorithm>
#include <cmath>

#include "base/fail.hpp"       // for fail
#include "device/backend.hpp"  // for linalg
#include "krfd/krsfd_parts.hpp"
#include "kronite/krsfd.hpp"
#include "math/random.hpp"  // for Random

namespace kronite::krfd {
namespace {

constexpr std::int64_t kPointTile = 512;  // points whose variance is computed at a time
constexpr std::int64_t kMostDraws = 64;   // drawn at a time

/// The posterior covariance of a model on a device.
class Posterior {
 public:
  Posterior(Device& device, const KrsfdModel& model)
      : device_(device),
        model_(model),
        parts_(device, model),
        ridge_(device, parts_.rows.rows(), parts_.gram.view(), parts_.basis.view(),
               model.options.lambda) {}

  std::vector<double> exact_variance(MatrixView<const double> x, const CurvePoints& points);
  std::vector<double> pathwise_variance(MatrixView<const double> x, const CurvePoints& points,
                                        int draws, std::uint64_t seed);
  /// f(draw of the first block, blocks, curves x blocks K): theta minus its mean, `draws` times.
  template <class F>
  void for_draws(int draws, std::uint64_t seed, const F& f);

 private:
  struct ExactParts {
    Array<double> factor;        ///< L, n x n
    Array<double> of_curves;     ///< G k_x, curves x inputs
    std::vector<double> norm_x;  ///< |k_x|^2 of each input
  };
  /// L^-1 h of columns, each an input `curve` and a combination of basis functions of t (a column
  /// of k_t: grid points x columns), n x columns.
  Array<double> whitened(const ExactParts& exact, const std::vector<std::int64_t>& curve,
                         MatrixView<const double> k_t);
  /// The basis functions of t at these points, in columns.
  Array<double> basis_at(const CurvePoints& points, const std::vector<std::int64_t>& which) const;
  std::vector<double> column_dots(const Array<double>& a, const Array<double>& b) const;
  /// Variances over s2 / lambda of points `which`, or of all points of inputs `curves`.
  void variance_by_points(const ExactParts& exact, const CurvePoints& points,
                          const std::vector<std::int64_t>& which, std::vector<double>& variance);
  void variance_by_functions(const ExactParts& exact, const CurvePoints& points,
                             const std::vector<std::vector<std::int64_t>>& of_curves,
                             const std::vector<std::int64_t>& curves,
                             std::vector<double>& variance);

  Device& device_;
  const KrsfdModel& model_;
  KrsfdParts parts_;
  RaggedRidge ridge_;
};

Array<double> Posterior::whitened(const ExactParts& exact, const std::vector<std::int64_t>& curve,
                                  MatrixView<const double> k_t) {
  const auto count = static_cast<std::int64_t>(curve.size());
  const Array<std::int64_t> column(device_, curve, count, 1);
  LinalgOps<double>& la = linalg<double>(device_);
  Array<double> h(device_, ridge_.rows(), count);
  la.gemm(1, parts_.basis.view(), Op::none, k_t, Op::none, 0, h.view());
  device_.backend().ragged().multiply_by_curves(parts_.rows.rows().curve, column.vector(),
                                                exact.of_curves.view(), h.view());
  la.triangular_solve(Side::left, Op::none, exact.factor.view(), h.view());
  return h;
}

Array<double> Posterior::basis_at(const CurvePoints& points,
                                  const std::vector<std::int64_t>& which) const {
  std::vector<double> t;
  for (const std::int64_t p : which)
    t.insert(t.end(), points.t.row(p), points.t.row(p) + points.t.cols);
  return kernel_matrix(device_, kernel_t(model_), model_.grid, t, model_.dimensions);
}

std::vector<double> Posterior::column_dots(const Array<double>& a, const Array<double>& b) const {
  Array<double> dots(device_, a.view().cols, 1);
  device_.backend().ragged().block_dots(a.view(), b.view(), dots.vector());
  return dots.to_host();
}

void Posterior::variance_by_points(const ExactParts& exact, const CurvePoints& points,
                                   const std::vector<std::int64_t>& which,
                                   std::vector<double>& variance) {
  std::vector<std::int64_t> curve;
  for (const std::int64_t p : which) curve.push_back(points.curve.data[p]);
  const Array<double> k_t = basis_at(points, which);
  const Array<double> h = whitened(exact, curve, k_t.view());
  const std::vector<double> explained = column_dots(h, h), norm_t = column_dots(k_t, k_t);
  for (std::size_t k = 0; k < which.size(); ++k)
    variance[static_cast<std::size_t>(which[k])] =
        exact.norm_x[static_cast<std::size_t>(curve[k])] * norm_t[k] - explained[k];
}

void Posterior::variance_by_functions(const ExactParts& exact, const CurvePoints& points,
                                      const std::vector<std::vector<std::int64_t>>& of_curves,
                                      const std::vector<std::int64_t>& curves,
                                      std::vector<double>& variance) {
  const std::int64_t functions = model_.grid_points;
  std::vector<std::int64_t> curve;
  for (const std::int64_t i : curves)
    curve.insert(curve.end(), static_cast<std::size_t>(functions), i);
  const auto width = static_cast<std::int64_t>(curve.size());
  std::vector<double> unit(static_cast<std::size_t>(functions * width), 0.0);
  for (std::int64_t c = 0; c < width; ++c)
    unit[static_cast<std::size_t>(c % functions * width + c)] = 1;
  const Array<double> h =
      whitened(exact, curve, Array<double>(device_, unit, functions, width).view());
  for (std::size_t k = 0; k < curves.size(); ++k) {
    const MatrixView<const double> all = h.view();
    const MatrixView<const double> own(all.data + static_cast<std::int64_t>(k) * functions,
                                       all.rows, functions, all.ld, all.place);
    const std::vector<std::int64_t>& which = of_curves[static_cast<std::size_t>(curves[k])];
    const Array<double> k_t = basis_at(points, which);
    Array<double> square(device_, functions, functions), part(device_, functions, k_t.view().cols);
    LinalgOps<double>& la = linalg<double>(device_);
    la.gemm(1, own, Op::transpose, own, Op::none, 0, square.view());
    la.gemm(1, square.view(), Op::none, k_t.view(), Op::none, 0, part.view());
    const std::vector<double> explained = column_dots(k_t, part), norm_t = column_dots(k_t, k_t);
    for (std::size_t p = 0; p < which.size(); ++p)
      variance[static_cast<std::size_t>(which[p])] =
          exact.norm_x[static_cast<std::size_t>(curves[k])] * norm_t[p] - explained[p];
  }
}

std::vector<double> Posterior::exact_variance(MatrixView<const double> x,
                                              const CurvePoints& points) {
  // Columns of k_x are the basis functions of the new inputs; G k_x is their part of h.
  const Array<double> k_x =
      kernel_matrix(device_, kernel_x(model_), model_.x, contiguous(x), model_.features);
  ExactParts exact{dual_factor(device_, parts_, model_.options.lambda),
                   Array<double>(device_, model_.curves, x.rows), column_dots(k_x, k_x)};
  linalg<double>(device_).gemm(1, parts_.gram.view(), Op::none, k_x.view(), Op::none, 0,
                               exact.of_curves.view());

  std::vector<std::vector<std::int64_t>> of_curves(static_cast<std::size_t>(x.rows));
  for (std::int64_t p = 0; p < points.curve.size; ++p)
    of_curves[static_cast<std::size_t>(points.curve.data[p])].push_back(p);
  std::vector<std::int64_t> single, many;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const auto& own = of_curves[static_cast<std::size_t>(i)];
    if (std::ssize(own) > model_.grid_points)
      many.push_back(i);
    else
      single.insert(single.end(), own.begin(), own.end());
  }

  std::vector<double> variance(static_cast<std::size_t>(points.curve.size));
  const auto in_tiles = [](const std::vector<std::int64_t>& all, std::int64_t size, const auto& f) {
    for (std::int64_t first = 0; first < std::ssize(all); first += size)
      f(std::vector<std::int64_t>(all.begin() + first,
                                  all.begin() + std::min(first + size, std::ssize(all))));
  };
  in_tiles(single, kPointTile, [&](const std::vector<std::int64_t>& which) {
    variance_by_points(exact, points, which, variance);
  });
  in_tiles(many, std::max<std::int64_t>(1, kPointTile / model_.grid_points),
           [&](const std::vector<std::int64_t>& curves) {
             variance_by_functions(exact, points, of_curves, curves, variance);
           });
  for (double& value : variance)
    value = model_.noise_variance / model_.options.lambda * std::max(value, 0.0);
  return variance;
}

template <class F>
void Posterior::for_draws(int draws, std::uint64_t seed, const F& f) {
  const std::int64_t values = model_.curves * model_.grid_points, n = ridge_.rows();
  const double prior = std::sqrt(model_.noise_variance / model_.options.lambda);
  const double noise = std::sqrt(model_.noise_variance);
  const std::int64_t at_once = ridge_.systems_that_fit(std::min<std::int64_t>(draws, kMostDraws));
  RaggedOps& ragged = device_.backend().ragged();
  for (std::int64_t first = 0; first < draws; first += at_once) {
    const std::int64_t count = std::min<std::int64_t>(at_once, draws - first);
    const std::int64_t width = count * model_.grid_points;
    std::vector<double> start(static_cast<std::size_t>(values * count));
    std::vector<double> errors(static_cast<std::size_t>(n * count));
    for (std::int64_t s = 0; s < count; ++s) {
      math::Random random(seed, static_cast<std::uint64_t>(first + s));
      for (std::int64_t i = 0; i < model_.curves; ++i)
        for (std::int64_t l = 0; l < model_.grid_points; ++l)
          start[static_cast<std::size_t>(i * width + s * model_.grid_points + l)] =
              prior * random.normal();
      for (std::int64_t k = 0; k < n; ++k)
        errors[static_cast<std::size_t>(k * count + s)] = noise * random.normal();
    }
    Array<double> theta(device_, start, model_.curves, width), r(device_, errors, n, count);
    Array<double> b(device_, model_.curves, width), explained(device_, model_.curves, width);
    {
      Array<double> drawn(device_, n, count);
      const Array<double> one(device_, std::vector<double>{1}, 1, 1);
      ridge_.apply(theta.view(), drawn.view());
      ragged.combine_blocks(one.vector(), drawn.view(), one.vector(), r.view());
    }
    ridge_.apply_transpose(r.view(), b.view());
    warn_unless_converged(ridge_.solve(model_.options.solver, b.view(), explained.view()));
    const Array<double> minus(device_, std::vector<double>{-1}, 1, 1);
    const Array<double> one(device_, std::vector<double>{1}, 1, 1);
    ragged.combine_blocks(minus.vector(), explained.view(), one.vector(), theta.view());
    f(first, count, theta.view());
  }
}

std::vector<double> Posterior::pathwise_variance(MatrixView<const double> x,
                                                 const CurvePoints& points, int draws,
                                                 std::uint64_t seed) {
  const SortedPoints sorted = sort_points(points, x.rows);
  const RaggedOnDevice rows(device_, sorted.first, sorted.curve);
  const Array<double> k_x =
      kernel_matrix(device_, kernel_x(model_), contiguous(x), model_.x, model_.features);
  const Array<double> k_t =
      kernel_matrix(device_, kernel_t(model_), sorted.t, model_.grid, model_.dimensions);
  std::vector<double> variance(static_cast<std::size_t>(sorted.size()));
  for_draws(draws, seed, [&](std::int64_t, std::int64_t count, MatrixView<const double> theta) {
    Array<double> z(device_, x.rows, theta.cols), values(device_, sorted.size(), count);
    linalg<double>(device_).gemm(1, k_x.view(), Op::none, theta, Op::none, 0, z.view());
    device_.backend().ragged().ragged_product(rows.rows(), k_t.view(), z.view(), values.view());
    const std::vector<double> host = values.to_host();
    for (std::int64_t p = 0; p < sorted.size(); ++p)
      for (std::int64_t s = 0; s < count; ++s) {
        const double value = host[static_cast<std::size_t>(p * count + s)];
        variance[static_cast<std::size_t>(sorted.place[static_cast<std::size_t>(p)])] +=
            value * value / draws;
      }
  });
  return variance;
}

/// Exact while its matrix is a quarter of the memory limit at most.
KrsfdVariance choose(const Device& device, KrsfdVariance asked, std::size_t observations) {
  if (asked != KrsfdVariance::automatic) return asked;
  const std::size_t limit = device.memory_limit();
  const bool fits = limit == 0 || observations <= limit / 4 / sizeof(double) /
                                                      std::max<std::size_t>(observations, 1);
  return fits ? KrsfdVariance::exact : KrsfdVariance::pathwise;
}

}  // namespace

KrsfdPrediction KrsfdModel::predict_std(Device& device, MatrixView<const double> x_new,
                                        const CurvePoints& points,
                                        const KrsfdStdOptions& how) const {
  if (how.draws < 1) fail(Errc::invalid_argument, "draws is {}, and must be 1 at least", how.draws);
  KrsfdPrediction prediction;
  prediction.mean = predict(device, x_new, points);
  prediction.variance = choose(device, how.variance, y.size());
  if (prediction.mean.empty()) return prediction;
  Posterior posterior(device, *this);
  prediction.std = prediction.variance == KrsfdVariance::exact
                       ? posterior.exact_variance(x_new, points)
                       : posterior.pathwise_variance(x_new, points, how.draws, how.seed);
  for (double& value : prediction.std)
    value = std::sqrt(value + (how.include_noise ? noise_variance : 0));
  return prediction;
}

KrsfdPrediction KrsfdModel::predict_std(Device& device, MatrixView<const double> x_new,
                                        MatrixView<const double> t_new,
                                        const KrsfdStdOptions& how) const {
  check_new_inputs(features, x_new);
  check_matrix("t", t_new);
  const PointsOfCurves all(x_new.rows, t_new);
  return predict_std(device, x_new, all.points(), how);
}

std::vector<double> KrsfdModel::sample(Device& device, MatrixView<const double> x_new,
                                       MatrixView<const double> t_new, int draws,
                                       std::uint64_t seed, const Progress& progress) const {
  if (draws < 1) fail(Errc::invalid_argument, "draws is {}, and must be 1 at least", draws);
  const std::vector<double> mean = predict(device, x_new, t_new);
  const std::int64_t m = x_new.rows, k = t_new.rows;
  std::vector<double> out(static_cast<std::size_t>(draws * m * k));
  if (out.empty()) return out;
  Posterior posterior(device, *this);
  const Array<double> k_x = kernel_matrix(device, kernel_x(*this), contiguous(x_new), x, features);
  const Array<double> k_t =
      kernel_matrix(device, kernel_t(*this), contiguous(t_new), grid, dimensions);
  posterior.for_draws(draws, seed,
                      [&](std::int64_t begin, std::int64_t count, MatrixView<const double> drawn) {
                        Array<double> z(device, m, drawn.cols), values(device, m * count, k);
                        LinalgOps<double>& la = linalg<double>(device);
                        la.gemm(1, k_x.view(), Op::none, drawn, Op::none, 0, z.view());
                        // The blocks of a row are the rows of the draws.
                        la.gemm(1, {z.view().data, m * count, grid_points, z.view().place},
                                Op::none, k_t.view(), Op::transpose, 0, values.view());
                        const std::vector<double> host = values.to_host();
                        for (std::int64_t i = 0; i < m; ++i)
                          for (std::int64_t s = 0; s < count; ++s)
                            for (std::int64_t j = 0; j < k; ++j)
                              out[static_cast<std::size_t>(((begin + s) * m + i) * k + j)] =
                                  mean[static_cast<std::size_t>(i * k + j)] +
                                  host[static_cast<std::size_t>((i * count + s) * k + j)];
                        if (progress && !progress(begin + count, draws))
                          fail(Errc::cancelled, "drawing was stopped");
                      });
  return out;
}

}  // namespace kronite::krfd
