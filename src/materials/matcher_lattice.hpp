// Which bases of one lattice look like the basis of another: the candidate mappings between two
// cells.
#pragma once

#include <array>
#include <vector>

#include "kronite/matcher.hpp"  // for MatchOptions

namespace kronite::matcher {

using IntMatrix = std::array<std::array<int, 3>, 3>;

/// The lattice halfway between a basis and its target.
struct AverageLattice {
  /// Dot products of its vectors: xx, yy, zz, yz, xz, xy.
  std::array<double, 6> metric;
  double volume;
  Vector3 reciprocal_lengths;  ///< without 2 pi

  /// Squared length of a fractional vector.
  double square(const Vector3& x) const {
    return x[0] * x[0] * metric[0] + x[1] * x[1] * metric[1] + x[2] * x[2] * metric[2] +
           2 * (x[1] * x[2] * metric[3] + x[0] * x[2] * metric[4] + x[0] * x[1] * metric[5]);
  }
};

/// One basis of the lattice.
struct Basis {
  IntMatrix to_fractional;  ///< coordinates in it: x'[i] = sum over j of x[j] to_fractional[j][i]
  AverageLattice average;   ///< mean lengths and angles of the basis and the target
  double difference;        ///< of basis and target, 0 when they are equal
};

/// All bases of `lattice`, of either handedness, whose lengths differ from those of `target` by
/// less than the factor 1 + ltol and whose angles by less than angle_tol; the most similar first.
std::vector<Basis> similar_bases(const Lattice& lattice, const Lattice& target,
                                 const MatchOptions& options);

}  // namespace kronite::matcher
