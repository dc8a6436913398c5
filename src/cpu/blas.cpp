// OpenBLAS, told to stay on one thread.
#include "cpu/blas.hpp"

#include <cstddef>
#include <limits>
#include <mutex>

#ifdef KRONITE_HAVE_LAPACK
extern "C" {
void dgemm_(const char* op_a, const char* op_b, const int* m, const int* n, const int* k,
            const double* alpha, const double* a, const int* lda, const double* b, const int* ldb,
            const double* beta, double* c, const int* ldc, std::size_t, std::size_t);
void dsyrk_(const char* uplo, const char* op, const int* n, const int* k, const double* alpha,
            const double* a, const int* lda, const double* beta, double* c, const int* ldc,
            std::size_t, std::size_t);
// OpenBLAS only, and so perhaps absent.
__attribute__((weak)) void openblas_set_num_threads(int threads);
__attribute__((weak)) int openblas_get_num_threads();
}
#endif

namespace kronite {

#ifdef KRONITE_HAVE_LAPACK
namespace {

/// The number of threads is one for the whole process: the first user keeps it, the last one
/// gives it back.
std::mutex users_mutex;
int users = 0, threads_before = 1;

int size_of(std::int64_t n) { return static_cast<int>(n); }

}  // namespace

bool have_one_threaded_blas() { return openblas_set_num_threads && openblas_get_num_threads; }

OneThreadedBlas::OneThreadedBlas() {
  if (!have_one_threaded_blas()) return;
  const std::lock_guard lock(users_mutex);
  if (users++ > 0) return;
  threads_before = openblas_get_num_threads();
  if (threads_before != 1) openblas_set_num_threads(1);
}

OneThreadedBlas::~OneThreadedBlas() {
  if (!have_one_threaded_blas()) return;
  const std::lock_guard lock(users_mutex);
  if (--users == 0 && threads_before != 1) openblas_set_num_threads(threads_before);
}

// A row-major matrix is the transpose of a column-major one, so that the sides change places.
void blas_gemm(double alpha, MatrixView<const double> a, Op op_a, MatrixView<const double> b,
               Op op_b, double beta, MatrixView<double> c) {
  const int m = size_of(c.cols), n = size_of(c.rows),
            k = size_of(op_a == Op::none ? a.cols : a.rows);
  const int lda = size_of(a.ld), ldb = size_of(b.ld), ldc = size_of(c.ld);
  dgemm_(op_b == Op::none ? "N" : "T", op_a == Op::none ? "N" : "T", &m, &n, &k, &alpha, b.data,
         &ldb, a.data, &lda, &beta, c.data, &ldc, 1, 1);
}

void blas_subtract_square(MatrixView<const double> a, MatrixView<double> c) {
  const int n = size_of(c.rows), k = size_of(a.cols), lda = size_of(a.ld), ldc = size_of(c.ld);
  const double minus = -1, one = 1;
  dsyrk_("U", "T", &n, &k, &minus, a.data, &lda, &one, c.data, &ldc, 1, 1);
}
#else
bool have_one_threaded_blas() { return false; }
OneThreadedBlas::OneThreadedBlas() {}
OneThreadedBlas::~OneThreadedBlas() {}
void blas_gemm(double, MatrixView<const double>, Op, MatrixView<const double>, Op, double,
               MatrixView<double>) {}
void blas_subtract_square(MatrixView<const double>, MatrixView<double>) {}
#endif

bool fits_blas(MatrixView<const double> m) {
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  return m.rows <= most && m.cols <= most && m.ld <= most;
}

}  // namespace kronite
