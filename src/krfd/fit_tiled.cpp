// The maximum of the posterior by Cholesky factors of matrices that fit no device: half of one lies
// in host memory, or of two, and its tiles travel (math/tiled_cholesky.hpp).
//
// The constants solve (M + theta Q^-1) c = Q^-1 r with Q^-1 = (I + sB D^-1 G) / T and
// Q^-1 r = D^-1 s, s = lambda_G Y 1 + lambda_T G Y w, as in fit_cholesky.cpp. Where k_M is k_G this
// is a polynomial in G, and the product of two factors that are positive definite:
//
//   (tm G + u) (G + theta lambda_G / u) c = s,
//   u = (T lambda_G + theta + sqrt((T lambda_G - theta)^2 + 4 sB theta lambda_G)) / 2
//
// so that no matrix D^-1 G is needed. Gram matrices are formed on the devices tile by tile.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/fail.hpp"            // for fail
#include "krfd/fit_scale.hpp"       // for fit_tiled, tile_of
#include "math/tiled_cholesky.hpp"  // for TileTeam, PackedTiles

namespace kronite::krfd {
namespace {

using math::PackedTiles;
using math::TileSource;
using math::TileWorker;

/// What the curves have along t: w = (T + lambda_T)^-1 1.
struct AlongT {
  Matrix factor;            // L of T + lambda_T
  std::vector<double> w;    // T
  double share, remainder;  // sB = 1'B1, tm = T - sB
};

AlongT along_t(Device& device, const Data& data, const Hyperparameters& hyper) {
  LinalgOps<double>& la = linalg<double>(device);
  const Matrix t = gram(device, hyper.t, data.t_view(), {});
  Matrix factor = copy(device, t.view());
  functional(device).add_to_diagonal(hyper.lambda_t, {}, factor.view());
  la.cholesky(factor.view());
  Matrix there = on_device(device, std::vector<double>(static_cast<std::size_t>(data.points), 1.0));
  la.cholesky_solve(Side::left, factor.view(), there.view());
  std::vector<double> w = there.to_host();
  const double share = sum(times(device, t.view(), Op::none, w));
  const double remainder = hyper.lambda_t * sum(w);
  return {std::move(factor), std::move(w), share, remainder};
}

/// Host memory that can be had, in bytes; 0 where the system does not say.
double free_host_memory() {
  return 2 * static_cast<double>(Device::cpu().memory_limit());  // the default limit is half of it
}

FitShape shape_of(std::span<Device> devices, const Data& data, bool same) {
  FitShape shape{data.systems, data.features, data.points, 0, same, 0};
  for (const Device& device : devices) {
    const std::size_t left = memory_left(device);
    if (left > 0 && (shape.memory_limit == 0 || left < shape.memory_limit))
      shape.memory_limit = left;
  }
  return shape;
}

/// Rows of a tile, where memory allows the fit at all.
std::int64_t checked_tile(std::span<Device> devices, const Data& data, const FitOptions& options,
                          bool same) {
  const FitShape shape = shape_of(devices, data, same);
  const std::int64_t tile = tile_of(shape, options);
  if (tile == 0)
    fail(Errc::out_of_memory,
         "{} has {} MiB of working memory left, which is not enough for tiles of a fit of {} "
         "systems with {} features",
         devices.front().description(), shape.memory_limit >> 20, data.systems, data.features);
  const double triangles =
      (same ? 1 : 2) * sizeof(double) * PackedTiles::values(data.systems, tile);
  const double free = free_host_memory();
  if (free > 0 && triangles > free)
    fail(Errc::out_of_memory,
         "a tiled fit of {} systems needs {:.1f} GB of host memory; {:.1f} GB are free",
         data.systems, triangles / 1e9, free / 1e9);
  return tile;
}

class TiledFit {
 public:
  TiledFit(std::span<Device> devices, const Data& data, const Hyperparameters& hyper,
           const FitOptions& options)
      : data_(data),
        hyper_(hyper),
        n_(data.systems),
        same_(same_kernel(hyper.g, hyper.m, data.features)),
        tile_(checked_tile(devices, data, options, same_)),
        along_(along_t(devices.front(), data, hyper)),
        theta_(static_cast<double>(data.points) * hyper.lambda_m),
        team_(devices, {n_, tile_, data.points}, options.progress, steps()) {
    rows_g_.reserve(devices.size());
    rows_m_.reserve(devices.size());
    for (Device& device : devices) {
      rows_g_.emplace_back(device, hyper.g, data.x_view(), data.root);
      if (!same_) rows_m_.emplace_back(device, hyper.m, data.x_view(), data.root);
    }
  }

  FittedCoefficients take(FitReport& report);

 private:
  long long steps() const {
    const std::int64_t count = (n_ + tile_ - 1) / tile_;
    return 3 * math::cholesky_steps(count) + (same_ ? 0 : math::solve_lower_steps(count));
  }
  /// factor K + alpha I, K with the rows of each device.
  static TileSource tiles_of(const std::vector<KernelRows>& rows, double factor, double alpha);
  TileSource of_g(double factor, double alpha) const { return tiles_of(rows_g_, factor, alpha); }
  TileSource of_m(double factor, double alpha) const {
    return tiles_of(same_ ? rows_g_ : rows_m_, factor, alpha);
  }
  /// K x, x: n x m.
  std::vector<double> product(const TileSource& k, const std::vector<double>& x);
  void solve(const PackedTiles& l, std::vector<double>& b) {
    math::tiled_solve(team_, l, {b.data(), n_, static_cast<std::int64_t>(b.size()) / n_});
  }
  std::vector<double> right_side();
  /// c, and triangles of which one is handed on for its memory.
  std::vector<double> constants(std::optional<PackedTiles>& room);
  /// M + theta Q^-1, the lower triangle.
  PackedTiles constants_matrix(const PackedTiles& d);
  /// x (T + lambda_T)^-1, n x T.
  std::vector<double> solved_along_t(const std::vector<double>& x);

  const Data& data_;
  const Hyperparameters& hyper_;
  std::int64_t n_;
  bool same_;  // k_M is k_G
  std::int64_t tile_;
  AlongT along_;
  double theta_;
  math::TileTeam team_;
  std::vector<KernelRows> rows_g_, rows_m_;  // of each device; m: where it is another kernel
};

TileSource TiledFit::tiles_of(const std::vector<KernelRows>& rows, double factor, double alpha) {
  return [&rows, factor, alpha](TileWorker& worker, std::int64_t first_row, std::int64_t first_col,
                                MatrixView<double> out) {
    const KernelRows& mine = rows[worker.number];
    mine.gram(first_row, out.rows, mine, first_col, out.cols, out);
    if (factor != 1) functional(worker.device).scale(factor, {}, out, {}, 0, out);
    if (alpha != 0 && first_row == first_col)
      functional(worker.device).add_to_diagonal(alpha, {}, out);
  };
}

std::vector<double> TiledFit::product(const TileSource& k, const std::vector<double>& x) {
  std::vector<double> out(x.size());
  const auto cols = static_cast<std::int64_t>(x.size()) / n_;
  math::tiled_product(team_, k, {x.data(), n_, cols}, {out.data(), n_, cols});
  return out;
}

std::vector<double> TiledFit::right_side() {
  std::vector<double> sums, weighed;
  for (std::int64_t i = 0; i < n_; ++i) {
    double of_ones = 0, of_w = 0;
    for (std::int64_t j = 0; j < data_.points; ++j) {
      const double y = data_.y[static_cast<std::size_t>(i * data_.points + j)];
      of_ones += y;
      of_w += y * along_.w[static_cast<std::size_t>(j)];
    }
    sums.push_back(hyper_.lambda_g * of_ones);
    weighed.push_back(hyper_.lambda_t * of_w);
  }
  return each(sums, product(of_g(1, 0), weighed), std::plus<>());
}

PackedTiles TiledFit::constants_matrix(const PackedTiles& d) {
  PackedTiles out(n_, tile_);
  const TileSource m = of_m(1, hyper_.lambda_m);
  math::tiled_solve_lower(
      team_, d, of_g(1, 0),
      [&](TileWorker& worker, std::int64_t first_row, std::int64_t first_col,
          MatrixView<const double> x, MatrixView<double> to) {
        m(worker, first_row, first_col, to);
        functional(worker.device).scale(hyper_.lambda_m * along_.share, {}, x, {}, 1, to);
      },
      out);
  return out;
}

std::vector<double> TiledFit::constants(std::optional<PackedTiles>& room) {
  const double length = static_cast<double>(data_.points), weight = length * hyper_.lambda_g;
  std::vector<double> c = right_side();
  PackedTiles& l = room.emplace(n_, tile_);
  if (same_) {
    const double u = (weight + theta_ +
                      std::sqrt((weight - theta_) * (weight - theta_) +
                                4 * along_.share * theta_ * hyper_.lambda_g)) /
                     2;
    math::tiled_cholesky(team_, of_g(along_.remainder, u), l);
    solve(l, c);
    math::tiled_cholesky(team_, of_g(1, theta_ * hyper_.lambda_g / u), l);
    solve(l, c);
    return c;
  }
  math::tiled_cholesky(team_, of_g(along_.remainder, weight), l);
  solve(l, c);
  PackedTiles p = constants_matrix(l);
  room.reset();
  const TileSource in_place = [&p](TileWorker& worker, std::int64_t first_row,
                                   std::int64_t first_col, MatrixView<double> out) {
    worker.load(p.view(first_row / p.tile(), first_col / p.tile()).data, out.data,
                out.rows * out.cols);
  };
  math::tiled_cholesky(team_, in_place, p);
  solve(p, c);
  room = std::move(p);
  return c;
}

std::vector<double> TiledFit::solved_along_t(const std::vector<double>& x) {
  TileWorker& worker = team_.first_worker();
  const std::int64_t points = data_.points,
                     height = std::min(n_, team_.shape().panel_values() / points);
  std::vector<double> out(x.size());
  for (std::int64_t first = 0; first < n_; first += height) {
    const std::int64_t count = std::min(height, n_ - first);
    const MatrixView<double> there = worker.panel_view(count, points);
    worker.load(x.data() + first * points, there.data, count * points);
    linalg<double>(worker.device).cholesky_solve(Side::right, along_.factor.view(), there);
    worker.store(there, out.data() + first * points);
  }
  return out;
}

FittedCoefficients TiledFit::take(FitReport& report) {
  std::optional<PackedTiles> l;
  FittedCoefficients result;
  result.c = constants(l);
  const std::vector<double> mu = product(of_m(1, 0), result.c);

  // Theta = H E (T + lambda_T)^-1 with E = Y - mu 1', and E - AEB = lambda_G H E + lambda_T G
  // Theta.
  std::vector<double> e = data_.y;
  for (std::size_t i = 0; i < e.size(); ++i) e[i] -= mu[i / static_cast<std::size_t>(data_.points)];
  std::vector<double> h_e = e;
  math::tiled_cholesky(team_, of_g(1, hyper_.lambda_g), *l);
  solve(*l, h_e);
  l.reset();
  result.theta = solved_along_t(h_e);
  result.residuals = product(of_g(hyper_.lambda_t, 0), result.theta);
  for (std::size_t i = 0; i < h_e.size(); ++i) result.residuals[i] += hyper_.lambda_g * h_e[i];
  result.quad = dot(e, result.residuals) + theta_ * dot(result.c, mu);
  report.tile = tile_;
  report.moved_bytes = team_.moved_bytes();
  return result;
}

}  // namespace

FittedCoefficients fit_tiled(std::span<Device> devices, const Data& data,
                             const Hyperparameters& hyper, const FitOptions& options,
                             FitReport& report) {
  return TiledFit(devices, data, hyper, options).take(report);
}

}  // namespace kronite::krfd
