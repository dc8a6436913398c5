// Vector arithmetic of a periodic cell, for the sources that need more than the public functions.
#pragma once

#include <cmath>

#include "kronite/structure.hpp"  // for Lattice, Vector3

namespace kronite {

inline Vector3 minus(const Vector3& a, const Vector3& b) {
  return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}

inline double dot(const Vector3& a, const Vector3& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

inline Vector3 cross(const Vector3& a, const Vector3& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

inline double norm(const Vector3& a) { return std::sqrt(dot(a, a)); }

/// Into [0, 1); -1e-17 becomes 0, not 1.
inline double wrap(double fraction) {
  const double wrapped = fraction - std::floor(fraction);
  return wrapped < 1 ? wrapped : 0;
}

/// Distances of neighbouring lattice planes (100), (010), (001) in Å.
Vector3 plane_spacings(const Lattice& lattice);

/// Rows are the reciprocal vectors without 2 pi: fractional = reciprocal * cartesian.
/// The volume must not be 0.
Lattice reciprocal(const Lattice& lattice);

/// Fractional coordinates of a Cartesian position, by reciprocal().
inline Vector3 fractional(const Lattice& reciprocal, const Vector3& cartesian) {
  return {dot(reciprocal[0], cartesian), dot(reciprocal[1], cartesian),
          dot(reciprocal[2], cartesian)};
}

}  // namespace kronite
