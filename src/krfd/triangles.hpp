// Products and inverses with triangular matrices, in strips that leave most of their zeros out.
#pragma once

#include "krfd/matrices.hpp"  // for Matrix

namespace kronite::krfd {

/// L of factor X + alpha I.
Matrix shifted_factor(Device& device, MatrixView<const double> x, double factor, double alpha);

/// alpha L^-T, an upper triangle with zeros below, for the lower triangle of l, n x n. About n^3 /
/// 2 operations.
Matrix inverse_root(Device& device, double alpha, MatrixView<const double> l);

/// alpha E E' for an upper triangle with zeros below. Symmetric up to rounding, both halves
/// written; about 0.8 n^3 operations.
Matrix square_of_upper(Device& device, double alpha, MatrixView<const double> e);

/// The lower triangle of the same, with anything above it. About n^3 / 2 operations.
Matrix lower_square_of_upper(Device& device, double alpha, MatrixView<const double> e);

/// C <- C + alpha A B, of which only the lower triangle is right: what a Cholesky factor reads.
/// Square matrices; about 1.2 n^3 operations.
void add_lower_product(Device& device, double alpha, MatrixView<const double> a,
                       MatrixView<const double> b, MatrixView<double> c);

/// X <- (L L')^-1 X where that is symmetric, of which only the lower triangle is right. About 1.5
/// n^3 operations.
void solve_lower(Device& device, MatrixView<const double> l, MatrixView<double> x);

/// alpha A E for an upper triangle E with zeros below. About 1.2 n^3 operations.
Matrix times_upper(Device& device, double alpha, MatrixView<const double> a,
                   MatrixView<const double> e);

}  // namespace kronite::krfd
