// Hyper-parameters as a row of logarithms, and where searches for them start.
#pragma once

#include <cstdint>
#include <vector>

#include "kronite/krfd.hpp"  // for Hyperparameters

namespace kronite::krfd {

/// Lambdas of g, t and m, then the length scales of g, t and m.
std::vector<double> logarithms_of(const Hyperparameters& hyper);
/// `hyper` with these numbers in place of its own.
Hyperparameters with_logarithms(Hyperparameters hyper, const std::vector<double>& logarithms);

/// Median distance of some of the rows that differ, 1 where they are all equal.
double typical_distance(MatrixView<const double> x);

/// One length scale for all columns, or as many of columns that share it among them.
void set_length(Kernel& kernel, double length, std::int64_t columns);

/// What starts are drawn around.
struct DataScales {
  double of_x = 1, of_t = 1;  ///< typical distances
  std::int64_t features = 1, coordinates = 1;
};
/// Length scales around the distances of the data, lambdas over four powers of ten.
Hyperparameters drawn_start(Hyperparameters kinds, const DataScales& scales, std::uint64_t seed,
                            std::uint64_t number);

}  // namespace kronite::krfd
