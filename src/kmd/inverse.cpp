// The inverse of the kernel mean: all rows at once, tile by tile.
//
// H' = Q R once. For a row phi, c = Q'phi holds all of it that weights can reach: w0 = R^-1 c is
// the solution without signs, whose positive part is the guess of the support, and q = R'c = H phi
// is the linear term of the quadratic program that decides. H itself is factored, not P = H H',
// whose condition is the square: w0 of exact descriptors is then good to 1e-12 with two grid
// points.
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "base/fail.hpp"          // for fail
#include "base/parallel.hpp"      // for tiles_of
#include "base/printable.hpp"     // for printable
#include "base/side_by_side.hpp"  // for side_by_side, require_devices
#include "device/backend.hpp"     // for Backend
#include "device/scratch.hpp"     // for Scratch
#include "kmd/kernel_matrix.hpp"  // for fewest_grids, equal_components
#include "kronite/array.hpp"      // for Array
#include "kronite/kmd.hpp"

namespace kronite::kmd {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Fits the caches of a processor; a GPU takes as many as fill it.
constexpr std::int64_t kHostTile = 1024, kDeviceTile = 1 << 16;
/// Beyond this condition of H, parts of P are no longer positive definite in double precision.
constexpr double kMostCondition = 1e7;
constexpr double kCompatDecimals = 1e12;

std::string what_would_do(const Descriptor& descriptor) {
  if (const auto [one, other] = equal_components(descriptor.components()); !one.empty())
    return fmt::format("the components {} and {} are equal", printable(one), printable(other));
  if (descriptor.settings().layout == Layout::joint)
    return "a smaller sigma tells the components apart";
  const std::int64_t n_grids =
      fewest_grids(descriptor.components(), descriptor.settings(),
                   descriptor.settings().n_grids + 1, kMostCondition * kMostCondition);
  if (n_grids == 0) return fmt::format("no n_grids up to {} would do", kMostGrids);
  return fmt::format("n_grids = {} would do", n_grids);
}

void check_invertible(const Descriptor& descriptor) {
  const Condition& condition = descriptor.condition();
  if (!descriptor.invertible())
    fail(Errc::unavailable,
         "this descriptor cannot be inverted, because its matrix has rank {} for {} components: {}",
         condition.rank, descriptor.components().size(), what_would_do(descriptor));
  if (!(condition.of_h <= kMostCondition))
    fail(Errc::unavailable,
         "this descriptor cannot be inverted in double precision, because the condition of its "
         "matrix is {:.1e}, where {:.0e} is the most: {}",
         condition.of_h, kMostCondition, what_would_do(descriptor));
}

std::vector<double> values_of(const RowMajor& m) { return {m.data(), m.data() + m.size()}; }

/// As the original program ends: absolute values, 12 decimals, divided by their sum.
void round_as_original(double* w, std::int64_t n) {
  double sum = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    w[j] = std::nearbyint(std::abs(w[j]) * kCompatDecimals) / kCompatDecimals;
    sum += w[j];
  }
  for (std::int64_t j = 0; j < n; ++j) w[j] /= sum;
}

void append_row(const double* w, Weights& weights) {
  for (std::int64_t j = 0; j < weights.components; ++j) {
    if (!(w[j] > 0)) continue;
    weights.component.push_back(static_cast<std::int32_t>(j));
    weights.weight.push_back(w[j]);
  }
  weights.first.push_back(std::ssize(weights.component));
}

/// Says what is wrong with a row, if anything is.
void check_row(std::int64_t row, const double* phi, std::int64_t width, double length,
               const SimplexOutcome& outcome) {
  if (!std::isfinite(length))
    for (std::int64_t j = 0; j < width; ++j)
      if (!std::isfinite(phi[j]))
        fail(Errc::invalid_argument, "descriptors: value {} of row {} is not a finite number", j,
             row);
  if (!std::isfinite(length))
    fail(Errc::invalid_argument, "descriptors: the values of row {} are too large", row);
  if (outcome.status != SimplexStatus::solved)
    fail(Errc::numerical, "descriptors: the inverse of row {} did not end in {} steps", row,
         outcome.steps);
}

/// What the inverse needs of H, on the host.
struct Factors {
  std::int64_t n, width;
  std::vector<double> h, p, q, r, r_inverse;
};

Factors factors_of(const Descriptor& descriptor) {
  check_invertible(descriptor);
  const MatrixView<const double> h = descriptor.h();
  const Eigen::Map<const RowMajor> map(h.data, h.rows, h.cols);
  const Eigen::MatrixXd transposed = map.transpose();
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(transposed);
  const RowMajor q = qr.householderQ() * Eigen::MatrixXd::Identity(h.cols, h.rows);
  const RowMajor r = qr.matrixQR().topRows(h.rows).template triangularView<Eigen::Upper>();
  const RowMajor r_inverse =
      r.template triangularView<Eigen::Upper>().solve(RowMajor::Identity(h.rows, h.rows));
  RowMajor p = map * transposed;
  p.template triangularView<Eigen::StrictlyUpper>() = p.transpose();
  return {h.rows,
          h.cols,
          {h.data, h.data + h.rows * h.cols},
          values_of(p),
          values_of(q),
          values_of(r),
          values_of(r_inverse)};
}

}  // namespace

struct Inverter::State {
  Backend& backend;
  std::int64_t n, width;
  Array<double> h;          // n x width
  Array<double> p;          // n x n
  Array<double> q;          // width x n
  Array<double> r;          // n x n, upper
  Array<double> r_inverse;  // n x n, upper

  State(Device& device, const Factors& factors);

  /// Memory of a tile of rows, on the device.
  struct Tile {
    Scratch<double> phi, reached, weights, linear, distance, length;
    Scratch<SimplexOutcome> outcome;

    Tile(Backend& backend, std::int64_t rows, std::int64_t n, std::int64_t width, bool copy)
        : phi(backend, copy ? rows : 0, width),
          reached(backend, rows, n),
          weights(backend, rows, n),
          linear(backend, rows, n),
          distance(backend, rows),
          length(backend, rows),
          outcome(backend, rows) {}
  };

  /// Rows that a device takes at a time, of `rows` in all.
  static std::int64_t rows_in_part(const std::vector<std::unique_ptr<State>>& states,
                                   std::int64_t rows);

  std::int64_t tile_rows(std::int64_t rows) const {
    if (backend.place() == Place{}) return std::min(rows, kHostTile);
    const std::int64_t row_bytes = 8 * (width + 3 * n + 2) + 16;
    const auto room =
        static_cast<std::int64_t>((backend.memory_limit() - backend.memory_in_use()) / 2) /
        row_bytes;
    return std::max<std::int64_t>(1, std::min({room, kDeviceTile, rows}));
  }

  /// Copies of a tile on the host.
  struct Answer {
    std::vector<double> weights, distance, length;
    std::vector<SimplexOutcome> outcome;
  };

  MatrixView<const double> there(MatrixView<const double> phi, const Tile& tile) const {
    if (backend.place() == Place{}) return phi;
    for (std::int64_t i = 0; i < phi.rows; ++i)
      backend.copy(tile.phi.data() + i * width, backend.place(), phi.row(i), Place{},
                   static_cast<std::size_t>(width) * sizeof(double));
    return tile.phi.matrix().rows_from(0, phi.rows);
  }

  template <class T>
  void fetch(const Scratch<T>& from, std::int64_t size, std::vector<T>& to) const {
    to.resize(static_cast<std::size_t>(size));
    backend.copy(to.data(), Place{}, from.data(), backend.place(), to.size() * sizeof(T));
  }

  void solve(MatrixView<const double> phi, const Tile& tile, Answer& answer) const {
    const std::int64_t rows = phi.rows;
    const MatrixView<const double> target = there(phi, tile);
    const auto part = [&](const Scratch<double>& s) {
      return MatrixView<double>(s.data(), rows, n, backend.place());
    };
    LinalgOps<double>& linalg = backend.linalg(double{});
    linalg.gemm(1, target, Op::none, q.view(), Op::none, 0, part(tile.reached));
    linalg.gemm(1, part(tile.reached), Op::none, r_inverse.view(), Op::transpose, 0,
                part(tile.weights));
    linalg.gemm(1, part(tile.reached), Op::none, r.view(), Op::none, 0, part(tile.linear));
    backend.simplex().minimise_on_simplex(p.view(), part(tile.linear), SimplexOptions{},
                                          part(tile.weights),
                                          {tile.outcome.data(), rows, backend.place()});
    backend.mixtures().mixture_distances(part(tile.weights), h.view(), target,
                                         {tile.distance.data(), rows, backend.place()},
                                         {tile.length.data(), rows, backend.place()});
    fetch(tile.weights, rows * n, answer.weights);
    fetch(tile.distance, rows, answer.distance);
    fetch(tile.length, rows, answer.length);
    fetch(tile.outcome, rows, answer.outcome);
    backend.synchronize();
  }

  /// No more rows than the tile has; `first`: the number of the first of them, for errors.
  Inverted invert(MatrixView<const double> phi, std::int64_t first, const Tile& tile,
                  const InverseOptions& options) const {
    Answer answer;
    solve(phi, tile, answer);
    Inverted inverted;
    inverted.weights.components = n;
    for (std::int64_t i = 0; i < phi.rows; ++i) {
      const SimplexOutcome& outcome = answer.outcome[i];
      check_row(first + i, phi.row(i), phi.cols, answer.length[i], outcome);
      double* w = answer.weights.data() + i * n;
      if (options.compat) round_as_original(w, n);
      append_row(w, inverted.weights);
      inverted.rows.push_back({answer.distance[i], outcome.violation,
                               answer.distance[i] <= options.on_manifold * answer.length[i],
                               outcome.steps});
    }
    return inverted;
  }
};

Inverter::State::State(Device& device, const Factors& f)
    : backend(device.backend()),
      n(f.n),
      width(f.width),
      h(device, f.h, n, width),
      p(device, f.p, n, n),
      q(device, f.q, width, n),
      r(device, f.r, n, n),
      r_inverse(device, f.r_inverse, n, n) {}

Inverter::Inverter(Device& device, const Descriptor& descriptor) {
  states_.push_back(std::make_unique<State>(device, factors_of(descriptor)));
}

Inverter::Inverter(std::vector<Device>& devices, const Descriptor& descriptor) {
  require_devices(devices.size());
  const Factors factors = factors_of(descriptor);
  for (Device& device : devices) states_.push_back(std::make_unique<State>(device, factors));
}

Inverter::~Inverter() = default;
Inverter::Inverter(Inverter&&) noexcept = default;
Inverter& Inverter::operator=(Inverter&&) noexcept = default;

namespace {

/// Each of several GPUs gets some parts of a call, so that a fast one can take more.
constexpr std::int64_t kPartsPerDevice = 4;

void append(Inverted& to, const Inverted& from) {
  Weights& all = to.weights;
  const auto begin = std::ssize(all.component);
  all.component.insert(all.component.end(), from.weights.component.begin(),
                       from.weights.component.end());
  all.weight.insert(all.weight.end(), from.weights.weight.begin(), from.weights.weight.end());
  for (std::int64_t i = 1; i <= from.weights.rows(); ++i)
    all.first.push_back(begin + from.weights.first[i]);
  to.rows.insert(to.rows.end(), from.rows.begin(), from.rows.end());
}

}  // namespace

/// On the CPU always a tile: where a row lies in a tile changes its last digits.
std::int64_t Inverter::State::rows_in_part(const std::vector<std::unique_ptr<State>>& states,
                                           std::int64_t rows) {
  std::int64_t most = rows;
  bool host = false;
  for (const auto& state : states) {
    most = std::min(most, state->tile_rows(rows));
    host = host || state->backend.place() == Place{};
  }
  if (host || states.size() == 1) return most;
  return std::min(most, tiles_of(rows, kPartsPerDevice * std::ssize(states)));
}

Inverted Inverter::invert(MatrixView<const double> phi, const InverseOptions& options) const {
  const State& any = *states_.front();
  if (phi.cols != any.width || phi.place != Place{})
    fail(Errc::invalid_argument, "host rows of {} values are expected as descriptors, not of {}",
         any.width, phi.cols);
  Inverted inverted;
  inverted.weights.components = any.n;
  if (phi.rows == 0) return inverted;
  const std::int64_t rows = State::rows_in_part(states_, phi.rows);
  std::vector<std::optional<State::Tile>> tiles(states_.size());
  std::vector<Inverted> parts(static_cast<std::size_t>(tiles_of(phi.rows, rows)));
  side_by_side(states_.size(), std::ssize(parts), [&](const Part& part) {
    const State& state = *states_[part.worker()];
    std::optional<State::Tile>& tile = tiles[part.worker()];
    if (!tile)
      tile.emplace(state.backend, rows, state.n, state.width, state.backend.place() != Place{});
    const std::int64_t begin = part.number() * rows;
    parts[part.number()] =
        state.invert(phi.rows_from(begin, std::min(rows, phi.rows - begin)), begin, *tile, options);
  });
  inverted.rows.reserve(static_cast<std::size_t>(phi.rows));
  for (const Inverted& part : parts) append(inverted, part);
  return inverted;
}

}  // namespace kronite::kmd
