// Rank and condition of a matrix.
#pragma once

#include "kronite/kmd.hpp"   // for Condition
#include "kronite/view.hpp"  // for MatrixView

namespace kronite::kmd {

/// By the singular values of H (n x width, host), not by the eigenvalues of H H', whose smallest
/// ones drown in rounding from a condition of 1e8 on. Infinite where H has not full row rank by
/// its shape.
Condition condition_of(MatrixView<const double> h);

}  // namespace kronite::kmd
