// Convex quadratic programmes with bounds and a few linear rows, solved exactly.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "kronite/view.hpp"  // for MatrixView

namespace kronite::math {

/// lower <= a'w <= upper; an equation where both are equal. Either may be infinite.
struct LinearRow {
  std::vector<double> a;  ///< n
  double lower = 0, upper = 0;
};

/// min 1/2 w'Pw - q'w subject to lower <= w <= upper and the rows.
struct QuadraticProgramme {
  MatrixView<const double> p;        ///< n x n, symmetric, positive definite; host
  std::vector<double> q;             ///< n
  std::vector<double> lower, upper;  ///< n; lower is finite, upper may be infinite
  std::vector<LinearRow> rows;       ///< few: each step costs their number squared
};

struct QuadraticSolution {
  bool feasible = false;
  std::vector<double> w;            ///< n; the rest is only there when it is feasible
  std::vector<double> bound_price;  ///< n: Pw - q - A'y; >= 0 at lower, <= 0 at upper, else 0
  std::vector<double> row_price;    ///< y of each row; >= 0 at lower, <= 0 at upper, else 0
  /// Largest violation of the conditions of an optimum: of a bound or row (in units of w), of a
  /// price (relative to the largest |q|).
  double kkt = 0;
  int steps = 0;  ///< changes of the active set
};

/// A dual active set (Goldfarb and Idnani, Math. Programming 27 (1983) 1) within a subset of the
/// columns, the others at their lower bounds; columns whose price says that they would help are
/// added until there is none. Solutions with few values off their bounds, many of similar kind,
/// are what it is made for: work goes with the size of the subset. Each step raises the dual
/// objective, so it ends. Keeps its memory; one object per thread.
class QuadraticSolver {
 public:
  QuadraticSolver();
  ~QuadraticSolver();
  QuadraticSolver(QuadraticSolver&&) noexcept;
  QuadraticSolver& operator=(QuadraticSolver&&) noexcept;

  /// `start`: columns to begin with, as those off their bounds in the solution of a similar
  /// programme; they decide nothing but the time. The result is valid until the next call.
  /// @throws Error invalid_argument for shapes that do not fit, a lower bound above its upper one,
  /// values that are not finite where they must be; numerical when P is not positive definite.
  const QuadraticSolution& solve(const QuadraticProgramme& programme,
                                 std::span<const int> start = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kronite::math
