// What fits and tunings take: operations, and memory as it is held at the same time. Numbers of
// matrices of n x n values are those of the code; tests hold them against what is allocated.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.hpp"           // for fail
#include "krfd/fit_scale.hpp"      // for gradient_values
#include "krfd/gram_operator.hpp"  // for GramOperator
#include "kronite/krfd.hpp"        // for FitCost
#include "math/packed_tiles.hpp"   // for PackedTiles
#include "math/tile_team.hpp"      // for TileShape, tile_rows

namespace kronite::krfd {
namespace {

constexpr double kBytes = sizeof(double);

/// The shape as numbers.
struct Sizes {
  double n, p, t, k;      // systems, features, points, components along t
  double square, curves;  // n^2, n T

  explicit Sizes(const FitShape& shape)
      : n(static_cast<double>(shape.systems)),
        p(static_cast<double>(shape.features)),
        t(static_cast<double>(shape.points)),
        k(shape.components > 0 ? static_cast<double>(shape.components) : t),
        square(n * n),
        curves(n * t) {
    if (shape.systems < 1 || shape.features < 1 || shape.points < 1)
      fail(Errc::invalid_argument,
           "{} systems of {} features at {} points were given; expected 1 or more of each",
           shape.systems, shape.features, shape.points);
  }

  /// Vectors of the components along t, which are held all the time, and what finding them takes
  /// before that.
  double basis_t() const { return t * k; }
  double finding_basis_t() const { return 3 * t * t; }
  /// Curves beside each other while those outside of the components are taken off.
  double outside() const { return k < t ? 2 * curves + n * k : curves; }
};

double cube(double x) { return x * x * x; }

/// Matrices of the model, of what is handed over to it, and the data.
double host_values(const Sizes& s) { return s.n * s.p + 6 * s.curves; }

FitCost spectral(const Sizes& s, bool same) {
  FitCost cost;
  cost.operations =
      (same ? 9 : 13) * cube(s.n) + 9 * cube(s.t) + 6 * s.square * s.k + 8 * s.n * s.t * s.k;
  // Eigenvalues of G in place and LAPACK's room, or U'MU with what it is made of, or curves beside
  // what is kept.
  const double eigenvalues = 3 * s.square + s.n * s.p,
               constants = same ? 0 : 4 * s.square + 2 * s.n * s.k,
               curves = (same ? 1 : 3) * s.square + 3 * s.n * s.k + s.outside();
  cost.device_bytes = kBytes * std::max({eigenvalues, s.square + s.finding_basis_t(),
                                         constants + s.basis_t(), curves + s.basis_t()});
  cost.host_bytes = kBytes * host_values(s);
  return cost;
}

FitCost cholesky(const Sizes& s, bool same) {
  FitCost cost;
  cost.operations = 2.5 * cube(s.n) + cube(s.t) / 3 + 6 * s.square * s.t + 2 * s.curves * s.t;
  cost.device_bytes =
      kBytes *
      (std::max(4 * s.square + s.curves, (same ? 3 : 4) * s.square + 4 * s.curves) + 2 * s.t * s.t);
  cost.host_bytes = kBytes * host_values(s);
  return cost;
}

/// Rows of X on the device, and the factor of T + lambda_T.
double beside_tiles(const Sizes& s, bool same) { return (same ? 1 : 2) * s.n * s.p + s.t * s.t; }

/// As math/tiled_cholesky.hpp counts, with c = n / b tiles along each side.
FitCost tiled(const FitShape& shape, const Sizes& s, const FitOptions& options) {
  const std::int64_t rows = std::max<std::int64_t>(tile_of(shape, options), 1);
  const auto b = static_cast<double>(rows);
  const double c = std::max(s.n / b, 1.0), triangles = shape.same_kernel ? 1 : 2;
  const double triangle = math::PackedTiles::values(shape.systems, rows);
  const double factor = cube(s.n) / 3 + s.square * b / 2,
               lower = shape.same_kernel ? 0 : 4 * cube(s.n) / 3 + s.square * b / 2;
  // Of G three triangles, or two and all of it with half of M; and both whole, for products.
  const double formed = (shape.same_kernel ? 4.5 : 5.5) * s.square * (3 * s.p + 20);
  FitCost cost;
  cost.operations = 3 * factor + lower + formed + 6 * s.square * s.t + 2 * s.curves * s.t;
  cost.device_bytes =
      kBytes * std::max(2 * s.t * s.t,
                        beside_tiles(s, shape.same_kernel) +
                            math::TileShape{shape.systems, rows, shape.points}.device_values());
  cost.host_bytes = kBytes * std::max({triangles * triangle + s.n * s.p + s.curves,
                                       triangle + s.n * s.p + 3 * s.curves, host_values(s)});
  // Tiles that products take, rows of tiles, what is stored; solutions with both sides of L;
  // curves.
  const double last = s.n - std::floor((s.n - 1) / b) * b;  // its tile is not needed again
  const double products = std::max(c * (c - 1) * (c - 2), 0.0) / 6 * b * b,
               solutions = 2 + std::ceil(s.t / b);
  cost.moved_bytes = kBytes * (3 * (products + 2 * triangle - last * last) +
                               solutions * 2 * triangle + 6 * s.curves);
  if (!shape.same_kernel)  // panels of the lower triangle, which is stored, loaded, and stored
    cost.moved_bytes +=
        kBytes * ((c * c * (c + 1) / 2 + c * (c + 1) * (c + 2) / 6) * b * b + 2 * triangle);
  return cost;
}

FitCost conjugate_gradients(const FitShape& shape, const Sizes& s, const FitOptions& options,
                            int iterations) {
  FitShape known = shape;
  known.components = static_cast<std::int64_t>(s.k);
  const double whole = (shape.same_kernel ? 1 : 2) * s.square;
  const double kept = kept_gram_values(known, options);
  const double m = std::min(static_cast<double>(options.scale.centres), s.n);
  FitCost cost;
  // Rows that are not kept are formed for every product: differences and an exponential.
  const double formed = (whole - kept) * (3 * s.p + 20);
  const double pair = 4 * s.square + 8 * s.n * m + formed,
               all = 2 * s.square * s.k + 4 * s.n * m * s.k + formed / (shape.same_kernel ? 1 : 2);
  cost.operations = iterations * (pair + all) + 2 * (3 * s.p + 20) * s.square + 12 * s.n * m * m +
                    26 * cube(m) + 6 * s.curves * s.k + 9 * cube(s.t);
  cost.device_bytes =
      kBytes * std::max(gradient_values(known, options, kept < whole) + kept, s.finding_basis_t());
  cost.host_bytes = kBytes * host_values(s);
  return cost;
}

FitCost nystrom(const FitShape& shape, const Sizes& s, const FitOptions& options) {
  const double m = std::min(static_cast<double>(options.scale.centres), s.n), square = m * m;
  const double kinds = shape.same_kernel ? 1 : 2;
  const auto count = static_cast<std::int64_t>(m);
  const double height = std::min(static_cast<double>(GramOperator::tile_rows(count)), s.n);
  FitCost cost;
  // A pass forms kernel values and functions; the first one also their products.
  const double pass = kinds * s.n * m * (3 * s.p + 20 + 2 * m);
  cost.operations = 2 * pass + 6 * s.n * square + 6 * s.curves * s.k + 8 * s.n * m * s.k +
                    (4 * 9 + 8) * cube(m) + 9 * cube(s.t);
  cost.operations += pass / 4 + 6 * s.n * square / 4;  // with half of the centres
  const double half_height =
      std::min(static_cast<double>(GramOperator::tile_rows((count + 1) / 2)), s.n);
  const double gathering = 5 * square + height * (3 * m + s.t + 2 * s.k), solving = 8 * square,
               remainder =
                   6 * square + height * (3 * m + 3 * s.k) + height * (s.k < s.t ? 3 : 2) * s.t,
               half = 7.25 * square + half_height * (1.5 * m + s.t + 2 * s.k);
  const double rows = 2 * (s.n + m) * s.p;
  cost.device_bytes = kBytes * std::max(s.finding_basis_t(),
                                        rows + std::max({gathering, solving, remainder, half}) +
                                            2 * m * s.k + s.basis_t());
  cost.host_bytes = kBytes * (s.n * s.p + 3 * s.curves + 3 * m * s.t);
  return cost;
}

}  // namespace

std::size_t memory_left(const Device& device) {
  const Backend& backend = device.backend();
  if (backend.memory_limit() == 0) return 0;
  return std::max<std::size_t>(backend.memory_limit() - backend.memory_in_use(), 1);
}

double gradient_values(const FitShape& shape, const FitOptions& options, bool tiles) {
  const Sizes s(shape);
  const double m = std::min(static_cast<double>(options.scale.centres), s.n);
  const double kinds = shape.same_kernel ? 1 : 2;
  const auto tile_of = [&](double cols) {
    const auto height = GramOperator::tile_rows(static_cast<std::int64_t>(cols));
    return std::min(static_cast<double>(height), s.n) * cols;
  };
  const double rows = kinds * s.n * s.p + s.basis_t(), functions = kinds * s.n * m;
  const double preparing =
      functions + std::max(tile_of(m) + m * m, (kinds - 1) * s.n * m + 3 * m * m);
  const double factors = 5 * m * m;  // m x m, and 2 m x 2 m also where both kernels are one
  const double products = tiles ? tile_of(s.n) : 0;
  const double solving = 5 * s.n * s.k + products + m * s.k + 3 * s.n,
               constants = s.n * s.k + 20 * s.n + products;
  const double afterwards = 3 * s.n * s.k + (s.k < s.t ? s.curves : 0) + s.outside();
  return rows +
         std::max(preparing, functions + factors + std::max({solving, constants, afterwards}));
}

double kept_gram_values(const FitShape& shape, const FitOptions& options) {
  const auto n = static_cast<double>(shape.systems);
  const double whole = (shape.same_kernel ? 1 : 2) * n * n;
  if (shape.memory_limit == 0) return whole;
  const double limit = static_cast<double>(shape.memory_limit) / kBytes;
  if (whole + gradient_values(shape, options, false) <= limit) return whole;
  return std::clamp(limit - gradient_values(shape, options, true), 0.0, whole);
}

std::int64_t tile_of(const FitShape& shape, const FitOptions& options) {
  const Sizes s(shape);
  if (options.scale.tile > 0) return std::min(options.scale.tile, shape.systems);
  // Libraries take working memory of their own.
  const double values = shape.memory_limit == 0
                            ? std::numeric_limits<double>::infinity()
                            : static_cast<double>(shape.memory_limit) / kBytes * 15 / 16;
  if (2 * s.t * s.t > values) return 0;
  return math::tile_rows(shape.systems, shape.points, values - beside_tiles(s, shape.same_kernel));
}

bool better_in_tiles(const Device& device, const FitShape& shape, const FitOptions& options) {
  const auto limit = static_cast<double>(shape.memory_limit);
  FitOptions in_tiles = options;
  in_tiles.path = FitPath::tiled;
  if (limit == 0 || fit_cost(shape, options).device_bytes <= limit || tile_of(shape, in_tiles) == 0)
    return false;
  const FitCost cost = fit_cost(shape, in_tiles);
  const bool one_memory = device.place() == Place{};
  const double host_limit =
      one_memory ? limit - cost.device_bytes : static_cast<double>(Device::cpu().memory_limit());
  return cost.device_bytes <= limit && (cost.host_bytes <= host_limit || host_limit == 0);
}

FitCost fit_cost(const FitShape& shape, const FitOptions& options, int iterations) {
  const Sizes s(shape);
  switch (options.path) {
    case FitPath::spectral:
      return spectral(s, shape.same_kernel);
    case FitPath::cholesky:
      return cholesky(s, shape.same_kernel);
    case FitPath::tiled:
      return tiled(shape, s, options);
    case FitPath::conjugate_gradients:
      return conjugate_gradients(shape, s, options, iterations);
    case FitPath::nystrom:
      return nystrom(shape, s, options);
    case FitPath::automatic:
      break;
  }
  const FitCost a = spectral(s, shape.same_kernel), b = cholesky(s, shape.same_kernel);
  return options.uncertainty || options.rank_tolerance > 0 || a.operations <= b.operations ? a : b;
}

FitCost evidence_cost(const FitShape& shape) {
  const Sizes s(shape);
  FitCost cost = spectral(s, shape.same_kernel);
  // The inverse of B, and two adjoints taken out of their basis.
  cost.operations += (2 + 8) * cube(s.n) + 2 * s.square * (s.k + 6 * s.p) + 9 * cube(s.t);
  // Distances, U, U'MU, B and its inverse; an adjoint, and that on its way out of the basis.
  const double squares = 8 - (shape.same_kernel ? 2 : 0);
  cost.device_bytes = kBytes * (squares * s.square + 4 * s.n * s.k + s.basis_t());
  cost.host_bytes = kBytes * (s.n * s.p + s.curves + s.square);
  return cost;
}

FitCost cross_validation_cost(const FitShape& shape, int folds) {
  const Sizes s(shape);
  const double fold = s.n / std::max(folds, 1);
  FitCost cost;
  // Three factors and their inverses, W, and its product with one of them.
  cost.operations = 4.5 * cube(s.n) + 2 * s.square * s.t + 6 * s.n * s.t * s.k + 9 * cube(s.t);
  const bool one_out = folds >= shape.systems;
  if (!one_out) cost.operations += folds * (5 * fold * fold * s.n + 3 * cube(fold));
  // Distances of two kinds; W and the roots of three inverses, one of them at a time with its
  // factor.
  const double block = one_out ? 0 : 5 * fold * fold;
  cost.device_bytes = kBytes * (6 * s.square + block + 3 * s.curves + s.basis_t());
  cost.host_bytes = kBytes * (s.n * s.p + 4 * s.curves);
  return cost;
}

}  // namespace kronite::krfd
