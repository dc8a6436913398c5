// From a Voronoi cell to the neighbours of a site: how much each counts, and how probable each
// coordination number is (CrystalNN; Pan et al., Inorg. Chem. 60 (2021) 1590).
#pragma once

#include <cmath>

#include "kernels/host_device.hpp"   // for KRONITE_HD
#include "kernels/vector3.hpp"       // for Vec3
#include "kernels/voronoi_cell.hpp"  // for VoronoiCell, face_of

namespace kronite {

/// Coordination numbers above this one have no place in the fingerprint.
inline constexpr int kLargestCoordination = 24;
/// Two weights that are no further apart than this are those of equivalent faces, told apart by
/// rounding only.
inline constexpr double kEqualWeights = 1e-9;

/// Neighbours by descending weight, the largest weight 1. Memory is the caller's.
struct NeighbourList {
  Vec3* direction;  ///< unit vectors
  double* weight;
  int size;
};

/// Weight = Omega^2 / A of each face of a bounded cell, over the largest; Omega is the solid angle,
/// A the area: the "porous adjustment" makes distant faces of open structures count less. The list
/// must have room for every plane of the cell.
KRONITE_HD inline void weigh_neighbours(const VoronoiCell& cell, NeighbourList& neighbours) {
  constexpr double kNoArea = 1e-14;  // Å^2
  int n = 0;
  for (int p = kBoxPlanes; p < cell.planes; ++p) {
    const VoronoiFace face = face_of(cell, p, cell.next);
    if (!(face.solid_angle > 0) || face.area < kNoArea) continue;
    const double weight = face.solid_angle * face.solid_angle / face.area;
    int at = n++;
    for (; at > 0 && neighbours.weight[at - 1] < weight; --at) {
      neighbours.weight[at] = neighbours.weight[at - 1];
      neighbours.direction[at] = neighbours.direction[at - 1];
    }
    neighbours.weight[at] = weight;
    neighbours.direction[at] = cell.normal[p];
  }
  for (int i = n - 1; i >= 0; --i) neighbours.weight[i] /= neighbours.weight[0];
  neighbours.size = n;
}

/// To three decimals, halves to the even digit: the coordination numbers jump where a weight
/// crosses an edge of this rounding.
KRONITE_HD inline double rounded_weight(double weight) { return std::rint(weight * 1000) / 1000; }

/// Share of a quarter of the unit disc between 0 and x.
KRONITE_HD inline double quarter_disc_share(double x) {
  constexpr double kQuarterDisc = 0.78539816339744830962;
  return 0.5 * (x * std::sqrt(1 - x * x) + std::asin(x)) / kQuarterDisc;
}

/// f(CN, probability) for every coordination number that is possible: the neighbours down to one of
/// the distinct weights b, with the area of the quarter disc between b and the next lower weight.
template <class F>
KRONITE_HD inline void for_each_coordination(const NeighbourList& neighbours, F&& f) {
  double share = neighbours.size > 0 ? 1 : 0;  // of the disc up to the weight at hand, the largest
  double weight = 1;
  for (int n = 1; n <= neighbours.size && weight > 0; ++n) {
    const double next = n < neighbours.size ? rounded_weight(neighbours.weight[n]) : 0;
    if (next == weight) continue;
    const double next_share = quarter_disc_share(next);
    f(n, share - next_share);
    share = next_share;
    weight = next;
  }
}

}  // namespace kronite
