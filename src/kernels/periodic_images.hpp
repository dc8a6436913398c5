// The points of a crystal around one of its sites, nearest first, shell by shell.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/host_device.hpp"  // for KRONITE_HD
#include "kernels/vector3.hpp"      // for Vec3

namespace kronite {

/// A crystal as the kernels see it; `fractional` holds 3 values per site and is not owned.
struct CrystalView {
  Vec3 lattice[3];
  const double* fractional;
  std::int64_t sites;
};

KRONITE_HD inline double cell_volume(const CrystalView& crystal) {
  return std::fabs(dot(crystal.lattice[0], cross(crystal.lattice[1], crystal.lattice[2])));
}

/// Points around a centre, as a heap on their squared distance. Memory is the caller's.
struct PointHeap {
  Vec3* point;
  double* square;
  int capacity;
  int size;
};

namespace heap {

KRONITE_HD inline void sink(PointHeap& heap, int hole, Vec3 point, double square) {
  for (int child = 2 * hole + 1; child < heap.size; child = 2 * hole + 1) {
    if (child + 1 < heap.size && heap.square[child + 1] < heap.square[child]) ++child;
    if (!(heap.square[child] < square)) break;
    heap.point[hole] = heap.point[child];
    heap.square[hole] = heap.square[child];
    hole = child;
  }
  heap.point[hole] = point;
  heap.square[hole] = square;
}

KRONITE_HD inline void order(PointHeap& heap) {
  for (int i = heap.size / 2 - 1; i >= 0; --i) sink(heap, i, heap.point[i], heap.square[i]);
}

KRONITE_HD inline Vec3 pop(PointHeap& heap) {
  const Vec3 nearest = heap.point[0];
  --heap.size;
  if (heap.size > 0) sink(heap, 0, heap.point[heap.size], heap.square[heap.size]);
  return nearest;
}

}  // namespace heap

/// The images of all sites at a distance in (inner, outer] of site `centre` for which
/// matters(point, squared distance) holds, in no order. False when the heap cannot hold them; its
/// content is then of no use.
template <class Matters>
KRONITE_HD inline bool gather_shell(const CrystalView& crystal, std::int64_t centre, double inner,
                                    double outer, Matters&& matters, PointHeap& heap) {
  const Vec3 a = crystal.lattice[0], b = crystal.lattice[1], c = crystal.lattice[2];
  // The sphere seen along c is a disc, and cut by a line of the disc along b a chord: so the reach
  // in each direction follows from what the directions before it have left.
  const double cc = dot(c, c);
  const Vec3 b_flat = b - (dot(b, c) / cc) * c;
  const double bb = dot(b_flat, b_flat);
  const double reach_a = outer * norm(cross(b, c)) / cell_volume(crystal);
  const double* f0 = crystal.fractional + 3 * centre;
  heap.size = 0;
  for (std::int64_t site = 0; site < crystal.sites; ++site) {
    const double* f = crystal.fractional + 3 * site;
    const double fa = f[0] - f0[0], fb = f[1] - f0[1], fc = f[2] - f0[2];
    for (double na = std::ceil(-reach_a - fa); na <= reach_a - fa; na += 1) {
      const Vec3 at_a = (na + fa) * a;
      const Vec3 a_flat = at_a - (dot(at_a, c) / cc) * c;
      const double middle_b = -dot(at_a, b_flat) / bb;
      const double left_b = outer * outer - (dot(a_flat, a_flat) - middle_b * middle_b * bb);
      if (left_b < 0) continue;
      const double reach_b = std::sqrt(left_b / bb);
      for (double nb = std::ceil(middle_b - reach_b - fb); nb <= middle_b + reach_b - fb; nb += 1) {
        const Vec3 at_ab = at_a + (nb + fb) * b;
        const double middle_c = -dot(at_ab, c) / cc;
        const double left_c = outer * outer - (dot(at_ab, at_ab) - middle_c * middle_c * cc);
        if (left_c < 0) continue;
        const double reach_c = std::sqrt(left_c / cc);
        for (double nc = std::ceil(middle_c - reach_c - fc); nc <= middle_c + reach_c - fc;
             nc += 1) {
          const Vec3 point = at_ab + (nc + fc) * c;
          const double square = dot(point, point);
          if (square <= inner * inner || square > outer * outer || !matters(point, square))
            continue;
          if (heap.size == heap.capacity) return false;
          heap.point[heap.size] = point;
          heap.square[heap.size++] = square;
        }
      }
    }
  }
  return true;
}

}  // namespace kronite
