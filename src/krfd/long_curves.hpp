// Systems, and what was measured of each at points of its own: a table of features and a long table
// whose rows name a system, a point and a value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/matrix_table.hpp"  // for MatrixTable
#include "kronite/krsfd.hpp"    // for Observations, CurvePoints

namespace kronite::krfd {

/// Names of the columns of a long table; empty: the first one, those between, the last one.
struct LongNames {
  std::string id;
  std::vector<std::string> t;
  std::string y;
};

struct LongCurves {
  io::MatrixTable x;
  std::string path;                      ///< of the long table
  std::vector<std::string> coordinates;  ///< names of the columns of t
  std::vector<std::int64_t> curve;       ///< of each observation: a row of x
  std::vector<double> t;                 ///< observations x coordinates
  std::vector<double> y;                 ///< one for each observation; empty for points alone

  std::int64_t dimensions() const { return static_cast<std::int64_t>(coordinates.size()); }
  MatrixView<const double> points_view() const {
    return {t.data(), static_cast<std::int64_t>(curve.size()), dimensions()};
  }
  CurvePoints points() const {
    return {{curve.data(), static_cast<std::int64_t>(curve.size())}, points_view()};
  }
  Observations observations() const {
    return {{curve.data(), static_cast<std::int64_t>(curve.size())},
            points_view(),
            {y.data(), static_cast<std::int64_t>(y.size())}};
  }
  /// These systems, in this order, with their observations.
  LongCurves rows(const std::vector<std::int64_t>& systems) const;
};

/// Systems of x without observations are left out, with a notice.
/// @throws Error io; parse, naming file and line, for an id that is no system of x and for a point
/// that a system has twice; invalid_argument where x has no names, or one twice.
LongCurves read_long_curves(const std::string& x, const std::string& path, const LongNames& names);
/// Points alone, for the systems of x; where no columns are named, the first ones beside the id.
LongCurves read_long_points(const io::MatrixTable& x, const std::string& path,
                            const LongNames& names, std::int64_t coordinates);

/// For each system the number of its features among the different ones: systems with the same
/// number belong into one part of a split.
std::vector<std::int64_t> equal_features(MatrixView<const double> x);

}  // namespace kronite::krfd
