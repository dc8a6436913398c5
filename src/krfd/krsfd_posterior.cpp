// Standard deviations and draws of KRSFD: theta has the covariance s2 (H'H + lambda)^-1.
//
// Exact: with h = H phi, phi the basis functions at a point, the variance of the function there is
//   s2 / lambda (|phi|^2 - h' (H H' + lambda)^-1 h),   (H H')_nm = (G G')_ij (T T')_nm,
// rows n of curve i, m of curve j; T holds the basis functions of t at the observations.
// Pathwise (Matheron's rule): with theta0 ~ N(0, s2 / lambda) and noise e ~ N(0, s2),
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
  Device& device_;
  const KrsfdModel& model_;
  KrsfdParts parts_;
  RaggedRidge ridge_;
};

std::vector<double> Posterior::exact_variance(MatrixView<const double> x,
                                              const CurvePoints& points) {
  const Array<double> l = dual_factor(device_, parts_, model_.options.lambda);
  const std::int64_t n = ridge_.rows();
  LinalgOps<double>& la = linalg<double>(device_);
  RaggedOps& ragged = device_.backend().ragged();
  // Columns of k_x are the basis functions of the new inputs; G k_x is their part of h.
  const Array<double> k_x =
      kernel_matrix(device_, kernel_x(model_), model_.x, contiguous(x), model_.features);
  Array<double> of_curves(device_, model_.curves, x.rows), norms(device_, x.rows, 1);
  la.gemm(1, parts_.gram.view(), Op::none, k_x.view(), Op::none, 0, of_curves.view());
  ragged.block_dots(k_x.view(), k_x.view(), norms.vector());
  const std::vector<double> norm_x = norms.to_host();

  std::vector<double> variance;
  for (std::int64_t first = 0; first < points.curve.size; first += kPointTile) {
    const std::int64_t count = std::min(kPointTile, points.curve.size - first);
    const std::vector<std::int64_t> curve(points.curve.data + first,
                                          points.curve.data + first + count);
    const Array<std::int64_t> column(device_, curve, count, 1);
    const Array<double> k_t =
        kernel_matrix(device_, kernel_t(model_), model_.grid,
                      contiguous(points.t.rows_from(first, count)), model_.dimensions);
    Array<double> h(device_, n, count), dots(device_, count, 1);
    la.gemm(1, parts_.basis.view(), Op::none, k_t.view(), Op::none, 0, h.view());
    ragged.multiply_by_curves(parts_.rows.rows().curve, column.vector(), of_curves.view(),
                              h.view());
    la.triangular_solve(Side::left, Op::none, l.view(), h.view());
    ragged.block_dots(h.view(), h.view(), dots.vector());
    const std::vector<double> explained = dots.to_host();
    ragged.block_dots(k_t.view(), k_t.view(), dots.vector());
    const std::vector<double> norm_t = dots.to_host();
    for (std::size_t p = 0; p < explained.size(); ++p) {
      const double all = norm_x[static_cast<std::size_t>(curve[p])] * norm_t[p];
      variance.push_back(model_.noise_variance / model_.options.lambda *
                         std::max(all - explained[p], 0.0));
    }
  }
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
