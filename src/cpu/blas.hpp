// Products in double precision by a BLAS that can be told to stay on the thread that calls it. That
// is OpenBLAS, where it is what was linked; with another one, or without, there is Eigen.
#pragma once

#include "device/ops.hpp"    // for Op
#include "kronite/view.hpp"  // for MatrixView

namespace kronite {

bool have_one_threaded_blas();

/// While one of these is there, the BLAS starts no threads.
class OneThreadedBlas {
 public:
  OneThreadedBlas();
  OneThreadedBlas(const OneThreadedBlas&) = delete;
  OneThreadedBlas& operator=(const OneThreadedBlas&) = delete;
  ~OneThreadedBlas();
};

/// Whether BLAS, which counts in int, can take these sizes.
bool fits_blas(MatrixView<const double> m);

/// C <- alpha op(A) op(B) + beta C. Only where have_one_threaded_blas() and the sizes fit.
void blas_gemm(double alpha, MatrixView<const double> a, Op op_a, MatrixView<const double> b,
               Op op_b, double beta, MatrixView<double> c);

/// Lower triangle of C <- C - A A'; the strict upper one is left alone. The same holds.
void blas_subtract_square(MatrixView<const double> a, MatrixView<double> c);

}  // namespace kronite
