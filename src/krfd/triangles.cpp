// Strips of triangular matrices: whatever a strip would multiply by zeros is left out.
#include "krfd/triangles.hpp"

#include <algorithm>

namespace kronite::krfd {
namespace {

/// f(first, count) for strips of n rows or columns: narrow enough to leave most of the zeros out,
/// wide enough for products at full speed.
template <class F>
void for_strips(std::int64_t n, const F& f) {
  constexpr std::int64_t kLeast = 128, kStrips = 8;
  const std::int64_t width = std::max(kLeast, (n + kStrips - 1) / kStrips);
  for (std::int64_t first = 0; first < n; first += width) f(first, std::min(width, n - first));
}

template <class T>
MatrixView<T> block(MatrixView<T> m, std::int64_t row, std::int64_t rows, std::int64_t col,
                    std::int64_t cols) {
  return {m.row(row) + col, rows, cols, m.ld, m.place};
}

}  // namespace

Matrix shifted_factor(Device& device, MatrixView<const double> x, double factor, double alpha) {
  Matrix l(device, x.rows, x.cols);
  functional(device).scale(factor, {}, x, {}, 0, l.view());
  functional(device).add_to_diagonal(alpha, {}, l.view());
  linalg<double>(device).cholesky(l.view());
  return l;
}

Matrix inverse_root(Device& device, double alpha, MatrixView<const double> l) {
  const std::int64_t n = l.rows;
  Matrix e(device, n, n);
  functional(device).scale(0, {}, l, {}, 0, e.view());
  functional(device).add_to_diagonal(alpha, {}, e.view());
  for_strips(n, [&](std::int64_t first, std::int64_t count) {
    linalg<double>(device).triangular_solve(Side::right, Op::transpose,
                                            block(l, first, n - first, first, n - first),
                                            block(e.view(), first, count, first, n - first));
  });
  return e;
}

Matrix square_of_upper(Device& device, double alpha, MatrixView<const double> e) {
  const std::int64_t n = e.rows;
  LinalgOps<double>& la = linalg<double>(device);
  Matrix out(device, n, n);
  for_strips(n, [&](std::int64_t first, std::int64_t count) {
    const auto rows = [&](std::int64_t begin, std::int64_t many) {
      return block(e, begin, many, first, n - first);
    };
    la.gemm(alpha, rows(first, count), Op::none, rows(0, first + count), Op::transpose, 0,
            block(out.view(), first, count, 0, first + count));
    la.gemm(alpha, rows(0, first), Op::none, rows(first, count), Op::transpose, 0,
            block(out.view(), 0, first, first, count));
  });
  return out;
}

Matrix lower_square_of_upper(Device& device, double alpha, MatrixView<const double> e) {
  const std::int64_t n = e.rows;
  Matrix out(device, n, n);
  for_strips(n, [&](std::int64_t first, std::int64_t count) {
    linalg<double>(device).gemm(alpha, block(e, first, count, first, n - first), Op::none,
                                block(e, 0, first + count, first, n - first), Op::transpose, 0,
                                block(out.view(), first, count, 0, first + count));
  });
  return out;
}

void add_lower_product(Device& device, double alpha, MatrixView<const double> a,
                       MatrixView<const double> b, MatrixView<double> c) {
  for_strips(c.rows, [&](std::int64_t first, std::int64_t count) {
    linalg<double>(device).gemm(alpha, a.rows_from(first, count), Op::none,
                                block(b, 0, b.rows, 0, first + count), Op::none, 1,
                                block(c, first, count, 0, first + count));
  });
}

void solve_lower(Device& device, MatrixView<const double> l, MatrixView<double> x) {
  LinalgOps<double>& la = linalg<double>(device);
  const std::int64_t n = l.rows;
  la.triangular_solve(Side::left, Op::none, l, x);
  // Backwards, rows follow from those below them alone.
  for_strips(n, [&](std::int64_t first, std::int64_t count) {
    la.triangular_solve(Side::left, Op::transpose, block(l, first, n - first, first, n - first),
                        block(x, first, n - first, first, count));
  });
}

Matrix times_upper(Device& device, double alpha, MatrixView<const double> a,
                   MatrixView<const double> e) {
  Matrix out(device, a.rows, e.cols);
  for_strips(e.cols, [&](std::int64_t first, std::int64_t count) {
    linalg<double>(device).gemm(alpha, block(a, 0, a.rows, 0, first + count), Op::none,
                                block(e, 0, first + count, first, count), Op::none, 0,
                                block(out.view(), 0, a.rows, first, count));
  });
  return out;
}

}  // namespace kronite::krfd
