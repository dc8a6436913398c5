// Dense linear algebra on the CPU: products and triangular solves by Eigen in fixed tiles,
// factorisations by LAPACK where it was found.
#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "base/fail.hpp"        // for fmt::format
#include "base/parallel.hpp"    // for parallel_tiles
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
constexpr std::int64_t kTileRows = 256;
constexpr std::int64_t kTileCols = 512;
constexpr std::int64_t kSolveTile = 128;

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

template <class T>
void gemm_tile(T alpha, MatrixView<const T> a, Op op_a, MatrixView<const T> b, Op op_b, T beta,
               MatrixView<T> c) {
  auto out = map(c);
  if (beta == T{0})
    out.setZero();
  else if (beta != T{1})
    out *= beta;
  with_op(a, op_a, [&](const auto& x) {
    with_op(b, op_b, [&](const auto& y) { out.noalias() += alpha * x * y; });
  });
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
    parallel_tiles(
        backend_.threads(), tiles_of(c.rows, height) * columns, [&](std::int64_t tile, int) {
          const std::int64_t i = tile / columns * height, rows = std::min(height, c.rows - i);
          const std::int64_t j = tile % columns * width, cols = std::min(width, c.cols - j);
          gemm_tile(
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
    const auto lower = map(l);
    const std::int64_t right_hand_sides = side == Side::left ? b.cols : b.rows;
    parallel_tiles(backend_.threads(), tiles_of(right_hand_sides, kSolveTile),
                   [&](std::int64_t tile, int) {
                     const std::int64_t first = tile * kSolveTile;
                     const std::int64_t count = std::min(kSolveTile, right_hand_sides - first);
                     auto x = map(side == Side::left ? block(b, 0, b.rows, first, count)
                                                     : block(b, first, count, 0, b.cols));
                     const auto solve = [&](const auto& triangle) {
                       if (side == Side::left)
                         triangle.solveInPlace(x);
                       else
                         triangle.template solveInPlace<Eigen::OnTheRight>(x);
                     };
                     if (op == Op::none)
                       solve(lower.template triangularView<Eigen::Lower>());
                     else
                       solve(lower.transpose().template triangularView<Eigen::Upper>());
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
    if (factoriser_ == Factoriser::lapack && a.ld <= std::numeric_limits<int>::max())
      return lapack_cholesky(a);
#endif
    return eigen_cholesky(a);
  }

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
