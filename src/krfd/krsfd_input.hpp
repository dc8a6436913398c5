// What callers give to regression on curves of different lengths: checked, and sorted by curve.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kronite/krsfd.hpp"  // for CurvePoints, SolverOptions
#include "kronite/view.hpp"   // for MatrixView

namespace kronite::krfd {

/// The values of a host matrix without gaps.
std::vector<double> contiguous(MatrixView<const double> m);

/// Throws unless m is on the host, has at least one column, and all its values are finite; `name`
/// begins the sentence.
void check_matrix(const std::string& name, MatrixView<const double> m);
/// Throws unless value is finite and > 0.
void check_positive(const std::string& name, double value);
void check_solver(const SolverOptions& options);
/// Throws unless new inputs have as many columns as those of the training; `what` is "x" or "t".
void check_columns(const std::string& what, std::int64_t given, std::int64_t trained);

/// Points curve by curve, those of a curve in the order in which they were given: the rows
/// [first_i, first_{i+1}) are of curve i.
struct SortedPoints {
  std::vector<std::int64_t> first;  ///< curves + 1
  std::vector<std::int64_t> curve;  ///< of each row
  std::vector<std::int64_t> place;  ///< where each row was among those given
  std::vector<double> t;            ///< rows x dimensions
  std::int64_t dimensions = 0;

  std::int64_t size() const { return static_cast<std::int64_t>(curve.size()); }
};
/// Throws where points and `curves` do not fit or a t is not finite.
SortedPoints sort_points(const CurvePoints& points, std::int64_t curves);

/// What a model learns from.
struct SortedObservations {
  SortedPoints points;
  std::vector<double> y;
};
/// As sort_points(); throws also where a curve has no observation, and gives a notice when a curve
/// has two at one point.
SortedObservations sort_observations(const Observations& observations, std::int64_t curves);

/// The same, with the checks of x and of the grid, and of how they fit each other.
SortedObservations check_irregular(MatrixView<const double> x, const Observations& observations,
                                   MatrixView<const double> grid);

/// Gives a notice when a t lies outside the range of those that were learned from (n x dimensions).
void notice_outside(const std::vector<double>& learned, MatrixView<const double> t);

}  // namespace kronite::krfd
