// The nearest materials in the space of descriptors: exact nearest neighbours by Euclidean
// distance.
#pragma once

#include <cstdint>
#include <vector>

#include "kronite/device.hpp"  // for Device
#include "kronite/kmd.hpp"     // for Descriptor, Weights
#include "kronite/log.hpp"     // for Progress
#include "kronite/view.hpp"    // for MatrixView

namespace kronite::kmd {

struct SearchOptions {
  std::int64_t top = 10;  ///< neighbours of a query, at most; >= 1
  /// queries and library are the same rows: a row is no neighbour of itself.
  bool self = false;
  /// Told the pairs so far, and of how many.
  Progress progress;
};

struct Neighbours {
  std::int64_t k = 0;               ///< of each query: as many as asked for, or as there are
  std::vector<std::int32_t> index;  ///< queries x k: rows of the library, nearest first
  std::vector<double> distance;     ///< queries x k: |x - y|
  std::int64_t in_double = 0;       ///< queries that single precision could not decide
  std::int64_t scanned = 0;         ///< of these, those compared with every row one by one
};

/// The `top` nearest rows of the library for each query, equal distances by index. queries: nq x d,
/// library: nl x d, host, any width. Candidates come from matrix products in single precision on
/// the device, tile by tile within its memory limit; distances are those of the differences in
/// double precision. The result is that of comparing all pairs so: bounds of the rounding errors
/// decide how many candidates are looked at, and whether a query has to be done again in double.
/// @throws Error invalid_argument for shapes that do not fit and values that are not finite;
/// cancelled.
Neighbours nearest(Device& device, MatrixView<const double> queries,
                   MatrixView<const double> library, const SearchOptions& options = {});
/// The same of several devices, which share the queries. Progress is told by their threads, one at
/// a time.
Neighbours nearest(std::vector<Device>& devices, MatrixView<const double> queries,
                   MatrixView<const double> library, const SearchOptions& options = {});

/// Mixtures in as many coordinates as there are components, fewer than a descriptor has values:
/// rows x n, whose distances are those of the descriptors within rounding (w -> Uw with
/// HH' = U'U). A search among mixtures takes so much less work.
/// @throws Error unavailable when H has not full row rank; invalid_argument when the components do
/// not fit.
std::vector<double> distance_coordinates(const Descriptor& descriptor, const Weights& weights);

}  // namespace kronite::kmd
