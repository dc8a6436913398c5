// Kernel ridge regression through the operations of the device layer, in double precision.
#include "learn/kernel_solver.hpp"

#include <algorithm>
#include <cmath>

#include "device/backend.hpp"   // for linalg, kernels
#include "device/scratch.hpp"   // for Scratch
#include "learn/on_device.hpp"  // for upload, download

namespace kronite::learn {
namespace {

constexpr std::int64_t kTileRows = 2048;
/// The kernel matrix of centres is inverted without eigenvalues below this share of the largest
/// one, times its size: they are rounding errors.
constexpr double kLeastEigenvalue = 2.2e-16;

using Values = std::vector<double>;

std::size_t place(std::int64_t i) { return static_cast<std::size_t>(i); }

MatrixView<double> columns(MatrixView<double> m, std::int64_t first) {
  return {m.data + first, m.rows, m.cols - first, m.ld, m.place};
}

/// The diagonal of an n x n matrix, as an n x 1 matrix.
MatrixView<double> diagonal(MatrixView<double> m) { return {m.data, m.rows, 1, m.ld + 1, m.place}; }

/// scores[k][l t + j] = projections[k][j] / (w_k + ridge_l).
Values over_ridges(const Values& projections, const Values& w, const KernelProblem& p) {
  Values scaled;
  scaled.reserve(w.size() * p.ridges.size() * place(p.targets));
  for (std::size_t k = 0; k < w.size(); ++k)
    for (const double ridge : p.ridges)
      for (std::int64_t j = 0; j < p.targets; ++j)
        scaled.push_back(projections[k * place(p.targets) + place(j)] / (w[k] + ridge));
  return scaled;
}

/// sums[i][l] += sum_k z_ik^2 / (w_k + ridge_l). z: rows x w.size(), on the device.
void add_weighted_squares(Backend& backend, MatrixView<double> z, const Values& w,
                          const Values& ridges, double* sums) {
  Values inverse;
  for (const double of_k : w)
    for (const double ridge : ridges) inverse.push_back(1 / (of_k + ridge));
  for (std::int64_t first = 0; first < z.rows; first += kTileRows) {
    const std::int64_t count = std::min(kTileRows, z.rows - first);
    const auto tile = download(backend, VectorView<double>(z.row(first), count * z.cols, z.place));
    for (std::int64_t i = 0; i < count; ++i) {
      double* const to = sums + place(first + i) * ridges.size();
      for (std::size_t k = 0; k < w.size(); ++k) {
        const double value = tile[place(i) * w.size() + k], square = value * value;
        for (std::size_t l = 0; l < ridges.size(); ++l)
          to[l] += square * inverse[k * ridges.size() + l];
      }
    }
  }
}

/// Eigenvalues of a positive semidefinite matrix; a becomes its eigenvectors. Waits.
Values eigenvalues(Device& device, MatrixView<double> a) {
  const Scratch<double> w(device.backend(), a.rows);
  linalg<double>(device).eigh(a, w.vector());
  Values values = download(device.backend(), w.vector());
  for (double& value : values) value = std::max(0.0, value);
  return values;
}

/// op(a) b on the device, for a matrix b of the host. Waits.
Values times(Device& device, MatrixView<const double> a, Op op, const Values& b,
             std::int64_t cols) {
  const std::int64_t out_rows = op == Op::none ? a.rows : a.cols;
  const Array<double> there(device, b, op == Op::none ? a.cols : a.rows, cols);
  const Scratch<double> out(device.backend(), out_rows, cols);
  linalg<double>(device).gemm(1, a, op, there.view(), Op::none, 0, out.matrix());
  return download(device.backend(), out.vector());
}

/// y_i - coefficient_i / inverse_ii: what the others say of row i.
Values without_each(const KernelProblem& p, const Values& coefficients, const Values& inverse) {
  Values left(coefficients.size());
  const std::size_t t = place(p.targets), of_row = p.ridges.size() * t;
  for (std::size_t i = 0; i < left.size(); ++i)
    left[i] = p.values[i / of_row * t + i % t] -
              coefficients[i] / inverse[i / of_row * p.ridges.size() + i % of_row / t];
  return left;
}

KernelSolution solve_by_cholesky(Device& device, const KernelProblem& p) {
  Backend& backend = device.backend();
  auto& ops = linalg<double>(device);
  const std::int64_t n = p.rows.view().rows;
  const Scratch<double> k(backend, n, n), inverse(backend, n, n);
  const Array<double> ones(device, Values(place(n), 1.0), n, 1);
  const Array<double> one(device, Values{1.0}, 1, 1);
  Array<double> solution(device, p.values, n, p.targets);

  kernels<double>(device).gram(p.kernel, p.length_scale, p.rows.view(), p.rows.view(), k.matrix());
  ops.gemm(p.ridges.front(), ones.view(), Op::none, one.view(), Op::none, 1, diagonal(k.matrix()));
  ops.cholesky(k.matrix());
  backend.synchronize();
  ops.cholesky_solve(Side::left, k.matrix(), solution.view());
  for (std::int64_t first = 0; first < n; first += kTileRows) {
    const std::int64_t count = std::min(kTileRows, n - first);
    Values identity(place(count * n), 0.0);
    for (std::int64_t i = 0; i < count; ++i) identity[place(i * n + first + i)] = 1;
    upload<double>(backend, identity, inverse.data() + first * n);
  }
  ops.cholesky_solve(Side::left, k.matrix(), inverse.matrix());
  const Scratch<double> of_rows(backend, n);
  ops.gemm(1, diagonal(inverse.matrix()), Op::none, one.view(), Op::none, 0, of_rows.matrix());

  KernelSolution s{solution.to_host(), {}};
  s.leave_one_out = without_each(p, s.coefficients, download(backend, of_rows.vector()));
  return s;
}

}  // namespace

KernelSolution solve_exactly(Device& device, const KernelProblem& p) {
  if (p.ridges.size() == 1) return solve_by_cholesky(device, p);
  Backend& backend = device.backend();
  const std::int64_t n = p.rows.view().rows;
  const auto all = static_cast<std::int64_t>(p.ridges.size()) * p.targets;
  const Scratch<double> v(backend, n, n);
  kernels<double>(device).gram(p.kernel, p.length_scale, p.rows.view(), p.rows.view(), v.matrix());
  const Values w = eigenvalues(device, v.matrix());
  const Values projections = times(device, v.matrix(), Op::transpose, p.values, p.targets);

  KernelSolution s{times(device, v.matrix(), Op::none, over_ridges(projections, w, p), all), {}};
  Values inverse(place(n) * p.ridges.size(), 0.0);
  add_weighted_squares(backend, v.matrix(), w, p.ridges, inverse.data());
  s.leave_one_out = without_each(p, s.coefficients, inverse);
  return s;
}

// With Q Q' = K_mm^-1 the functions Phi = K_nm Q are such that a' K_mm a = |b|^2 for a = Q b: an
// ordinary ridge regression on Phi, by the eigenvectors U of Phi' Phi.
KernelSolution solve_on_centres(Device& device, const KernelProblem& p,
                                const Array<double>& centres, bool leave_one_out) {
  Backend& backend = device.backend();
  auto& ops = linalg<double>(device);
  const MatrixView<const double> x = p.rows.view(), c = centres.view();
  const std::int64_t n = x.rows, m = c.rows, t = p.targets;
  const auto all = static_cast<std::int64_t>(p.ridges.size()) * t;

  const Scratch<double> k(backend, m, m);
  kernels<double>(device).gram(p.kernel, p.length_scale, c, c, k.matrix());
  const Values w = eigenvalues(device, k.matrix());
  const double least = kLeastEigenvalue * static_cast<double>(m) * w.back();
  const std::int64_t dropped = std::upper_bound(w.begin(), w.end(), least) - w.begin();
  const std::int64_t r = m - dropped;
  Values whitening = download(backend, k.vector());
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < m; ++j)
      whitening[place(i * m + j)] /= j < dropped ? INFINITY : std::sqrt(w[place(j)]);
  upload<double>(backend, whitening, k.data());
  const MatrixView<double> q = columns(k.matrix(), dropped);  // m x r

  const Scratch<double> u(backend, r, r), projected(backend, r, t);
  const std::int64_t most = std::min(n, kTileRows);
  const Scratch<double> gram(backend, most, m), phi(backend, most, r);
  const Array<double> y(device, p.values, n, t);
  /// f(first row, functions of the tile times `by`).
  const auto for_tiles = [&](MatrixView<const double> by, const auto& f) {
    for (std::int64_t first = 0; first < n; first += most) {
      const std::int64_t count = std::min(most, n - first);
      const MatrixView<double> tile = gram.matrix().rows_from(0, count);
      const MatrixView<double> functions = phi.matrix().rows_from(0, count);
      kernels<double>(device).gram(p.kernel, p.length_scale, x.rows_from(first, count), c, tile);
      ops.gemm(1, tile, Op::none, by, Op::none, 0, functions);
      f(first, functions);
    }
  };
  for_tiles(q, [&](std::int64_t first, MatrixView<double> functions) {
    const double keep = first == 0 ? 0 : 1;
    ops.gemm(1, functions, Op::transpose, functions, Op::none, keep, u.matrix());
    ops.gemm(1, functions, Op::transpose, y.view().rows_from(first, functions.rows), Op::none, keep,
             projected.matrix());
  });
  const Values s = eigenvalues(device, u.matrix());
  const Values projections =
      times(device, u.matrix(), Op::transpose, download(backend, projected.vector()), t);
  const Values scaled = over_ridges(projections, s, p);

  KernelSolution out{
      times(device, q, Op::none, times(device, u.matrix(), Op::none, scaled, all), all), {}};
  if (!leave_one_out) return out;
  const Scratch<double> by(backend, m, r);  // Q U
  ops.gemm(1, q, Op::none, u.matrix(), Op::none, 0, by.matrix());
  const auto ridges = p.ridges.size();
  for_tiles(by.matrix(), [&](std::int64_t first, MatrixView<double> z) {
    const Values fitted = times(device, z, Op::none, scaled, all);
    Values leverage(place(z.rows) * ridges, 0.0);
    add_weighted_squares(backend, z, s, p.ridges, leverage.data());
    for (std::size_t i = 0; i < fitted.size(); ++i) {
      const std::size_t row = i / place(all), of_row = i % place(all);
      const double truth = p.values[(place(first) + row) * place(t) + of_row % place(t)];
      const double h = leverage[row * ridges + of_row / place(t)];
      out.leave_one_out.push_back(truth - (truth - fitted[i]) / (1 - h));
    }
  });
  return out;
}

std::vector<double> kernel_values(Device& device, KernelKind kernel, double length_scale,
                                  MatrixView<const double> rows, MatrixView<const double> centres,
                                  const std::vector<double>& coefficients, std::int64_t columns) {
  Values values;
  const Scratch<double> gram(device.backend(), std::min(kTileRows, rows.rows), centres.rows);
  for (std::int64_t first = 0; first < rows.rows; first += kTileRows) {
    const std::int64_t count = std::min(kTileRows, rows.rows - first);
    const MatrixView<double> tile = gram.matrix().rows_from(0, count);
    kernels<double>(device).gram(kernel, length_scale, rows.rows_from(first, count), centres, tile);
    const Values of_tile = times(device, tile, Op::none, coefficients, columns);
    values.insert(values.end(), of_tile.begin(), of_tile.end());
  }
  return values;
}

double kernel_bytes(std::int64_t n, std::int64_t d, std::int64_t m, bool one_ridge) {
  const auto rows = static_cast<double>(n), cols = static_cast<double>(d);
  const auto centres = static_cast<double>(m);
  const double tile = static_cast<double>(std::min(n, kTileRows));
  // The matrix, and its inverse or what LAPACK's eigensolver works in.
  if (m == 0) return 8 * (rows * cols + (one_ridge ? 2 : 3) * rows * rows);
  // Q, U and the eigensolver's room, which later takes Q U; the functions of a tile.
  return 8 * (rows * cols + 4 * centres * centres + 2 * tile * centres);
}

}  // namespace kronite::learn
