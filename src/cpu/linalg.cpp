// Dense linear algebra on the CPU: products in fixed tiles, by BLAS where it stays on one thread,
// by Eigen otherwise; triangular solves and Cholesky factors of large matrices made of such
// products; factorisations of small ones and eigenvalues by LAPACK where it was found.
#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "base/fail.hpp"        // for fmt::format
#include "base/parallel.hpp"    // for parallel_tiles
#include "cpu/blas.hpp"         // for blas_gemm
#include "cpu/cpu_backend.hpp"  // for CpuBackend
#include "device/scratch.hpp"   // for Scratch

#ifdef KRONITE_HAVE_LAPACK
extern "C" {
void spotrf_(const char* uplo, const int* n, float* a, const int* lda, int* info, std::size_t);
void dpotrf_(const char* uplo, const int* n, double* a, const int* lda, int* info, std::size_t);
void ssyevd_(const char* jobz, const char* uplo, const int* n, float* a, const int* lda, float* w,
             float* work, const int* lwork, int* iwork, const int* liwork, int* info, std::size_t,
             std::size_t);
void dsyevd_(const char* jobz, const char* uplo, const int* n, double* a, const int* lda, double* w,
             double* work, const int* lwork, int* iwork, const int* liwork, int* info, std::size_t,
             std::size_t);
}
#endif

namespace kronite {
namespace {

// Large enough that a single-threaded product inside runs at full speed.
constexpr std::int64_t kTileRows = 512;
constexpr std::int64_t kTileCols = 1024;
constexpr std::int64_t kSolveTile = 256;
// Triangles up to this size are solved as they are, larger ones are halved.
constexpr std::int64_t kLeastTriangle = 32;
// The same for Cholesky factors.
constexpr std::int64_t kLeastFactor = 128;

template <class T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using MapOf =
    Eigen::Map<std::conditional_t<std::is_const_v<T>, const RowMajor<std::remove_const_t<T>>,
                                  RowMajor<std::remove_const_t<T>>>,
               Eigen::Unaligned, Eigen::OuterStride<>>;

template <class T>
MapOf<T> map(MatrixView<T> m) {
  return {m.data, m.rows, m.cols, Eigen::OuterStride<>(m.ld)};
}

template <class T>
MatrixView<T> block(MatrixView<T> m, std::int64_t row, std::int64_t rows, std::int64_t col,
                    std::int64_t cols) {
  return {m.row(row) + col, rows, cols, m.ld, m.place};
}

/// f(X) with X = op(m), as an Eigen expression.
template <class T, class F>
void with_op(MatrixView<const T> m, Op op, const F& f) {
  if (op == Op::none)
    f(map(m));
  else
    f(map(m).transpose());
}

/// Tiles of nearly one size, at most `most`: two threads have as much to do.
std::int64_t tile_size(std::int64_t size, std::int64_t most) {
  const std::int64_t tiles = std::max<std::int64_t>(1, tiles_of(size, most));
  return std::max<std::int64_t>(1, (size + tiles - 1) / tiles);
}

/// C <- alpha op(A) op(B) + beta C on this thread.
template <class T>
void multiply(T alpha, MatrixView<const T> a, Op op_a, MatrixView<const T> b, Op op_b, T beta,
              MatrixView<T> c) {
  if constexpr (std::is_same_v<T, double>) {
    // Of vectors, BLAS would copy the matrix.
    if (c.rows > 1 && c.cols > 1 && a.rows > 0 && a.cols > 0 && have_one_threaded_blas() &&
        fits_blas(a) && fits_blas(b) && fits_blas(c))
      return blas_gemm(alpha, a, op_a, b, op_b, beta, c);
  }
  auto out = map(c);
  if (beta == T{0})
    out.setZero();
  else if (beta != T{1})
    out *= beta;
  with_op(a, op_a, [&](const auto& x) {
    with_op(b, op_b, [&](const auto& y) { out.noalias() += alpha * x * y; });
  });
}

/// Where a triangle is cut: near its middle, at a multiple of `least`.
std::int64_t half_of(std::int64_t n, std::int64_t least) {
  return (n / 2 + least - 1) / least * least;
}

/// X <- op(L)^-1 X or X op(L)^-1 on this thread. Halves of L leave most of the work to products.
template <class T>
void solve_triangle(Side side, Op op, MatrixView<const T> l, MatrixView<T> x) {
  const std::int64_t n = l.rows;
  const bool left = side == Side::left;
  if (n <= kLeastTriangle) {
    const auto lower = map(l);
    auto to = map(x);
    const auto solve = [&](const auto& triangle) {
      if (left)
        triangle.solveInPlace(to);
      else
        triangle.template solveInPlace<Eigen::OnTheRight>(to);
    };
    if (op == Op::none)
      solve(lower.template triangularView<Eigen::Lower>());
    else
      solve(lower.transpose().template triangularView<Eigen::Upper>());
    return;
  }
  const std::int64_t half = half_of(n, kLeastTriangle), rest = n - half;
  const auto part = [&](std::int64_t first, std::int64_t count) {
    return left ? block(x, first, count, 0, x.cols) : block(x, 0, x.rows, first, count);
  };
  const MatrixView<T> first = part(0, half), last = part(half, rest);
  const MatrixView<const T> upper = block(l, 0, half, 0, half),
                            lower = block(l, half, rest, half, rest),
                            between = block(l, half, rest, 0, half);
  const auto subtract = [&](MatrixView<const T> known, MatrixView<T> from) {
    if (left)
      multiply(T{-1}, between, op, known, Op::none, T{1}, from);
    else
      multiply(T{-1}, known, Op::none, between, op, T{1}, from);
  };
  if (left == (op == Op::none)) {
    solve_triangle(side, op, upper, first);
    subtract(first, last);
    solve_triangle(side, op, lower, last);
  } else {
    solve_triangle(side, op, lower, last);
    subtract(last, first);
    solve_triangle(side, op, upper, first);
  }
}

/// The eigenvectors of a column-major routine are the rows of a row-major matrix.
template <class T>
void transpose_in_place(MatrixView<T> a) {
  constexpr std::int64_t tile = 32;
  for (std::int64_t i = 0; i < a.rows; i += tile)
    for (std::int64_t j = i; j < a.rows; j += tile)
      for (std::int64_t r = i; r < std::min(i + tile, a.rows); ++r)
        for (std::int64_t c = std::max(j, r + 1); c < std::min(j + tile, a.rows); ++c)
          std::swap(a.row(r)[c], a.row(c)[r]);
}

#ifdef KRONITE_HAVE_LAPACK
/// LAPACK counts in int, its workspace (2 n^2) included.
constexpr std::int64_t kLapackMost = 32000;

// The lower triangle of a row-major matrix is the upper one of a column-major matrix.
template <class T>
bool lapack_cholesky(MatrixView<T> a) {
  const int n = static_cast<int>(a.rows), lda = static_cast<int>(a.ld);
  int info = 0;
  if constexpr (std::is_same_v<T, float>)
    spotrf_("U", &n, a.data, &lda, &info, 1);
  else
    dpotrf_("U", &n, a.data, &lda, &info, 1);
  return info == 0;
}

template <class T>
bool lapack_eigh(Backend& backend, MatrixView<T> a, VectorView<T> w) {
  const int n = static_cast<int>(a.rows), lda = static_cast<int>(a.ld);
  const int lwork = 1 + 6 * n + 2 * n * n, liwork = 3 + 5 * n;
  const Scratch<T> work(backend, lwork);
  const Scratch<int> iwork(backend, liwork);
  int info = 0;
  if constexpr (std::is_same_v<T, float>)
    ssyevd_("V", "U", &n, a.data, &lda, w.data, work.data(), &lwork, iwork.data(), &liwork, &info,
            1, 1);
  else
    dsyevd_("V", "U", &n, a.data, &lda, w.data, work.data(), &lwork, iwork.data(), &liwork, &info,
            1, 1);
  if (info == 0) transpose_in_place(a);
  return info == 0;
}
#endif

template <class T>
bool eigen_cholesky(MatrixView<T> a) {
  auto matrix = map(a);
  const Eigen::LLT<Eigen::Ref<RowMajor<T>, 0, Eigen::OuterStride<>>, Eigen::Lower> llt(matrix);
  return llt.info() == Eigen::Success;
}

template <class T>
bool eigen_eigh(MatrixView<T> a, VectorView<T> w) {
  const Eigen::SelfAdjointEigenSolver<RowMajor<T>> solver(map(a));
  if (solver.info() != Eigen::Success) return false;
  map(a) = solver.eigenvectors();
  std::copy_n(solver.eigenvalues().data(), w.size, w.data);
  return true;
}

template <class T>
class CpuLinalg final : public LinalgOps<T> {
 public:
  CpuLinalg(CpuBackend& backend, Factoriser factoriser)
      : backend_(backend), factoriser_(factoriser) {}

  void gemm(T alpha, MatrixView<const T> a, Op op_a, MatrixView<const T> b, Op op_b, T beta,
            MatrixView<T> c) override {
    const std::int64_t depth = op_a == Op::none ? a.cols : a.rows;
    const std::int64_t height = tile_size(c.rows, kTileRows), width = tile_size(c.cols, kTileCols);
    const std::int64_t columns = tiles_of(c.cols, width);
    const OneThreadedBlas one_threaded;
    parallel_tiles(
        backend_.threads(), tiles_of(c.rows, height) * columns, [&](std::int64_t tile, int) {
          const std::int64_t i = tile / columns * height, rows = std::min(height, c.rows - i);
          const std::int64_t j = tile % columns * width, cols = std::min(width, c.cols - j);
          multiply(
              alpha, op_a == Op::none ? block(a, i, rows, 0, depth) : block(a, 0, depth, i, rows),
              op_a, op_b == Op::none ? block(b, 0, depth, j, cols) : block(b, j, cols, 0, depth),
              op_b, beta, block(c, i, rows, j, cols));
        });
  }

  void cholesky(MatrixView<T> a) override {
    if (a.rows == 0) return;
    if (!factor(a) || !positive_diagonal(a))
      backend_.keep_failure(
          fmt::format("Cholesky: the {0} x {0} matrix is not positive definite", a.rows));
  }

  void triangular_solve(Side side, Op op, MatrixView<const T> l, MatrixView<T> b) override {
    const bool left = side == Side::left;
    const std::int64_t right_hand_sides = left ? b.cols : b.rows;
    const std::int64_t size = tile_size(right_hand_sides, kSolveTile);
    const OneThreadedBlas one_threaded;
    parallel_tiles(
        backend_.threads(), tiles_of(right_hand_sides, size), [&](std::int64_t tile, int) {
          const std::int64_t first = tile * size;
          const std::int64_t count = std::min(size, right_hand_sides - first);
          solve_triangle(
              side, op, l,
              left ? block(b, 0, b.rows, first, count) : block(b, first, count, 0, b.cols));
        });
  }

  void eigh(MatrixView<T> a, VectorView<T> w) override {
    if (a.rows == 0) return;
    if (!finite_lower(a) || !decompose(a, w))
      backend_.keep_failure(fmt::format(
          "eigen-decomposition: the iteration on the {0} x {0} matrix does not converge", a.rows));
  }

 private:
  bool factor(MatrixView<T> a) {
#ifdef KRONITE_HAVE_LAPACK
    if constexpr (std::is_same_v<T, double>) {
      if (factoriser_ == Factoriser::lapack && a.rows > kLeastFactor && have_one_threaded_blas() &&
          fits_blas(a))
        return factor_halves(a);
    }
    if (factoriser_ == Factoriser::lapack && a.ld <= std::numeric_limits<int>::max())
      return lapack_cholesky(a);
#endif
    return eigen_cholesky(a);
  }

#ifdef KRONITE_HAVE_LAPACK
  /// Factor of the upper half, the lower one less what follows from it, and its factor.
  bool factor_halves(MatrixView<double> a) {
    if (a.rows <= kLeastFactor) {
      const OneThreadedBlas one_threaded;
      return lapack_cholesky(a);
    }
    const std::int64_t half = half_of(a.rows, kLeastFactor), rest = a.rows - half;
    const MatrixView<double> upper = block(a, 0, half, 0, half),
                             between = block(a, half, rest, 0, half);
    if (!factor_halves(upper)) return false;
    triangular_solve(Side::right, Op::transpose, upper, between);
    subtract_square(between, block(a, half, rest, half, rest));
    return factor_halves(block(a, half, rest, half, rest));
  }

  /// Lower triangle of C <- C - A A'.
  void subtract_square(MatrixView<const double> a, MatrixView<double> c) {
    const std::int64_t size = tile_size(c.rows, kTileRows), count = tiles_of(c.rows, size);
    const OneThreadedBlas one_threaded;
    parallel_tiles(backend_.threads(), count * count, [&](std::int64_t tile, int) {
      const std::int64_t i = tile / count * size, j = tile % count * size;
      const std::int64_t rows = std::min(size, c.rows - i), cols = std::min(size, c.rows - j);
      if (j == i)
        blas_subtract_square(block(a, i, rows, 0, a.cols), block(c, i, rows, i, rows));
      else if (j < i)
        blas_gemm(-1, block(a, i, rows, 0, a.cols), Op::none, block(a, j, cols, 0, a.cols),
                  Op::transpose, 1, block(c, i, rows, j, cols));
    });
  }

#endif

  bool decompose(MatrixView<T> a, VectorView<T> w) {
#ifdef KRONITE_HAVE_LAPACK
    if (factoriser_ == Factoriser::lapack && a.rows <= kLapackMost &&
        a.ld <= std::numeric_limits<int>::max())
      return lapack_eigh(backend_, a, w);
#endif
    return eigen_eigh(a, w);
  }

  /// Neither OpenBLAS nor Eigen notices NaN, which ends up on the diagonal.
  static bool positive_diagonal(MatrixView<T> l) {
    for (std::int64_t i = 0; i < l.rows; ++i)
      if (!(l.row(i)[i] > T{0} && std::isfinite(l.row(i)[i]))) return false;
    return true;
  }

  /// Some LAPACKs do not return from a matrix with NaN.
  static bool finite_lower(MatrixView<T> a) {
    for (std::int64_t i = 0; i < a.rows; ++i)
      for (std::int64_t j = 0; j <= i; ++j)
        if (!std::isfinite(a.row(i)[j])) return false;
    return true;
  }

  CpuBackend& backend_;
  [[maybe_unused]] Factoriser factoriser_;
};

}  // namespace

Factoriser best_factoriser() {
#ifdef KRONITE_HAVE_LAPACK
  return Factoriser::lapack;
#else
  return Factoriser::eigen;
#endif
}

template <class T>
std::unique_ptr<LinalgOps<T>> make_cpu_linalg(CpuBackend& backend, Factoriser factoriser) {
  return std::make_unique<CpuLinalg<T>>(backend, factoriser);
}
template std::unique_ptr<LinalgOps<float>> make_cpu_linalg(CpuBackend&, Factoriser);
template std::unique_ptr<LinalgOps<double>> make_cpu_linalg(CpuBackend&, Factoriser);

}  // namespace kronite
