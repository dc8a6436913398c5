// The Voronoi cell of one point, cut out of a large box by one plane after the other.
//
// The cell is kept as its dual: every vertex names the three planes that meet there, in
// counter-clockwise order, so faces and edges follow from the vertices alone. A vertex where more
// than three planes meet (the rule in crystals of high symmetry) is stored as several vertices in
// one place. A plane that would cut off a vertex by kTouch or less leaves it: that is what keeps
// such places consistent.
#pragma once

#include <cmath>
#include <cstddef>

#include "kernels/host_device.hpp"  // for KRONITE_HD
#include "kernels/vector3.hpp"      // for Vec3

namespace kronite {

/// Half of the box's edge in Å: a cell that is still this large is unbounded.
inline constexpr double kVoronoiBox = 1e6;
inline constexpr int kBoxPlanes = 6;

enum class Cut {
  none,         ///< the plane does not reach the cell
  made,         ///< the cell is smaller than before
  no_room,      ///< more planes or vertices than there is memory for
  inconsistent  ///< the vertices to be cut off are not one connected patch
};

/// A view of memory that the caller owns; the centre of the cell is the origin.
struct VoronoiCell {
  int plane_capacity, vertex_capacity;
  // Planes { v : normal . v = distance }, unit normals; the first six are the box.
  Vec3* normal;
  double* distance;
  int* next;  // scratch, one per plane
  // Vertices.
  double *x, *y, *z;
  double* above;  // scratch: height over the plane at work
  int* corner;    // three planes per vertex
  int planes, vertices;

  KRONITE_HD Vec3 vertex(int v) const { return {x[v], y[v], z[v]}; }
};

namespace voronoi {

KRONITE_HD inline int following(int slot) { return slot == 2 ? 0 : slot + 1; }

KRONITE_HD inline void set_vertex(VoronoiCell& cell, int v, Vec3 at, int a, int b, int c) {
  cell.x[v] = at.x;
  cell.y[v] = at.y;
  cell.z[v] = at.z;
  cell.corner[3 * v] = a;
  cell.corner[3 * v + 1] = b;
  cell.corner[3 * v + 2] = c;
}

template <class T>
KRONITE_HD inline void exchange(T& a, T& b) {
  const T kept = a;
  a = b;
  b = kept;
}

KRONITE_HD inline void exchange_vertices(VoronoiCell& cell, int v, int w) {
  exchange(cell.x[v], cell.x[w]);
  exchange(cell.y[v], cell.y[w]);
  exchange(cell.z[v], cell.z[w]);
  exchange(cell.above[v], cell.above[w]);
  for (int slot = 0; slot < 3; ++slot)
    exchange(cell.corner[3 * v + slot], cell.corner[3 * w + slot]);
}

/// The vertex in [begin, end) whose planes hold b right after a; -1 when there is none.
KRONITE_HD inline int vertex_with(const VoronoiCell& cell, int begin, int end, int a, int b) {
  for (int v = begin; v < end; ++v) {
    const int* corner = cell.corner + 3 * v;
    for (int slot = 0; slot < 3; ++slot)
      if (corner[slot] == a && corner[following(slot)] == b) return v;
  }
  return -1;
}

/// Frees the planes that no vertex names any more.
KRONITE_HD inline void forget_lost_planes(VoronoiCell& cell) {
  for (int p = 0; p < cell.planes; ++p) cell.next[p] = p < kBoxPlanes ? 1 : 0;
  for (int i = 0; i < 3 * cell.vertices; ++i) cell.next[cell.corner[i]] = 1;
  int kept = 0;
  for (int p = 0; p < cell.planes; ++p) {
    if (cell.next[p] == 0) continue;
    cell.normal[kept] = cell.normal[p];
    cell.distance[kept] = cell.distance[p];
    cell.next[p] = kept++;
  }
  for (int i = 0; i < 3 * cell.vertices; ++i) cell.corner[i] = cell.next[cell.corner[i]];
  cell.planes = kept;
}

/// Puts the vertices higher than `touch` behind the others; returns the number of the others.
KRONITE_HD inline int part_vertices(VoronoiCell& cell, double touch) {
  int kept = cell.vertices;
  for (int v = 0; v < kept;) {
    if (cell.above[v] > touch)
      exchange_vertices(cell, v, --kept);
    else
      ++v;
  }
  return kept;
}

/// Links the planes around the vertices from `kept` on into the loop `next`; `first` is one of
/// them. Returns its length, 0 when it is no single loop.
KRONITE_HD inline int outline(VoronoiCell& cell, int kept, int& first) {
  for (int p = 0; p < cell.planes; ++p) cell.next[p] = -1;
  int edges = 0;
  for (int v = kept; v < cell.vertices; ++v)
    for (int slot = 0; slot < 3; ++slot) {
      const int a = cell.corner[3 * v + slot], b = cell.corner[3 * v + following(slot)];
      if (vertex_with(cell, kept, cell.vertices, b, a) >= 0) continue;
      if (cell.next[a] >= 0) return 0;
      cell.next[a] = b;
      first = a;
      ++edges;
    }
  if (edges < 3) return 0;
  int length = 0;
  for (int p = first; length == 0 || p != first; p = cell.next[p])
    if (cell.next[p] < 0 || length++ == edges) return 0;
  return length == edges ? edges : 0;
}

/// Where the edge between planes a and b meets the new plane: from the planes where they cut at a
/// good angle, else between the edge's ends, which cannot leave the edge.
KRONITE_HD inline Vec3 edge_point(const VoronoiCell& cell, int kept, int a, int b, Vec3 normal,
                                  double distance) {
  constexpr double kGoodAngle = 0.01;
  const Vec3 ab = cross(cell.normal[a], cell.normal[b]);
  const double determinant = dot(ab, normal);
  if (std::fabs(determinant) > kGoodAngle)
    return (1 / determinant) * (cell.distance[a] * cross(cell.normal[b], normal) +
                                cell.distance[b] * cross(normal, cell.normal[a]) + distance * ab);
  const int removed = vertex_with(cell, kept, cell.vertices, a, b);
  const int other = vertex_with(cell, 0, kept, b, a);
  const double height = cell.above[other];
  if (height >= 0) return cell.vertex(other);
  const double share = height / (height - cell.above[removed]);
  return cell.vertex(other) + share * (cell.vertex(removed) - cell.vertex(other));
}

}  // namespace voronoi

/// The box itself.
KRONITE_HD inline void start_cell(VoronoiCell& cell) {
  for (int p = 0; p < kBoxPlanes; ++p) {
    const double sign = p % 2 == 0 ? 1 : -1;
    cell.normal[p] = {p / 2 == 0 ? sign : 0, p / 2 == 1 ? sign : 0, p / 2 == 2 ? sign : 0};
    cell.distance[p] = kVoronoiBox;
  }
  cell.planes = kBoxPlanes;
  cell.vertices = 8;
  for (int v = 0; v < 8; ++v) {
    const int sx = v & 1, sy = v >> 1 & 1, sz = v >> 2 & 1;
    const Vec3 at = {sx ? -kVoronoiBox : kVoronoiBox, sy ? -kVoronoiBox : kVoronoiBox,
                     sz ? -kVoronoiBox : kVoronoiBox};
    const bool turned = (sx + sy + sz) % 2 != 0;  // keeps the planes counter-clockwise
    voronoi::set_vertex(cell, v, at, sx, turned ? 4 + sz : 2 + sy, turned ? 2 + sy : 4 + sz);
  }
}

/// Cuts off what lies beyond the plane { v : normal . v = distance }, |normal| = 1, distance > 0.
/// The cell is as before unless the cut was made.
KRONITE_HD inline Cut cut_cell(VoronoiCell& cell, Vec3 normal, double distance) {
  constexpr double kTouch = 1e-9, kLargestTouch = 1e-6;  // Å
  double top = 0;
  for (int v = 0; v < cell.vertices; ++v) {
    const double height =
        normal.x * cell.x[v] + normal.y * cell.y[v] + normal.z * cell.z[v] - distance;
    cell.above[v] = height;
    top = height > top ? height : top;
  }
  if (top <= kTouch) return Cut::none;
  if (cell.planes == cell.plane_capacity) voronoi::forget_lost_planes(cell);
  if (cell.planes == cell.plane_capacity) return Cut::no_room;

  int kept = 0, first = 0, edges = 0;
  for (double touch = kTouch; edges == 0; touch *= 10) {
    if (touch > kLargestTouch) return Cut::inconsistent;
    if (top <= touch) return Cut::none;
    kept = voronoi::part_vertices(cell, touch);
    edges = voronoi::outline(cell, kept, first);
  }
  if (cell.vertices + edges > cell.vertex_capacity) return Cut::no_room;

  const int plane = cell.planes++;
  cell.normal[plane] = normal;
  cell.distance[plane] = distance;
  int added = cell.vertices;
  for (int n = 0, a = first; n < edges; ++n) {
    const int b = cell.next[a];
    voronoi::set_vertex(cell, added++, voronoi::edge_point(cell, kept, a, b, normal, distance), a,
                        b, plane);
    a = b;
  }
  for (int n = 0; n < edges; ++n) {
    const int from = cell.vertices + n;
    const int* corner = cell.corner + 3 * from;
    voronoi::set_vertex(cell, kept + n, cell.vertex(from), corner[0], corner[1], corner[2]);
  }
  cell.vertices = kept + edges;
  return Cut::made;
}

/// Whether the plane halfway to `point`, `square` its squared distance, cuts the cell.
KRONITE_HD inline bool is_cut_by(const VoronoiCell& cell, Vec3 point, double square) {
  double top = 0;
  for (int v = 0; v < cell.vertices; ++v) {
    const double reach = point.x * cell.x[v] + point.y * cell.y[v] + point.z * cell.z[v];
    top = reach > top ? reach : top;
  }
  return top > 0.5 * square;
}

/// Whether nothing of the box is left.
KRONITE_HD inline bool is_bounded(const VoronoiCell& cell) {
  for (int i = 0; i < 3 * cell.vertices; ++i)
    if (cell.corner[i] < kBoxPlanes) return false;
  return true;
}

/// Distance of the farthest vertex.
KRONITE_HD inline double farthest_vertex(const VoronoiCell& cell) {
  double square = 0;
  for (int v = 0; v < cell.vertices; ++v) {
    const double here = cell.x[v] * cell.x[v] + cell.y[v] * cell.y[v] + cell.z[v] * cell.z[v];
    square = here > square ? here : square;
  }
  return std::sqrt(square);
}

/// Solid angle of a face as seen from the centre, and its area; zero for a face that was cut away.
struct VoronoiFace {
  double solid_angle, area;
};

namespace voronoi {

/// Sums over the triangles of a face, seen from the centre. The solid angle of a triangle is twice
/// the argument of D + iT (van Oosterom and Strackee, IEEE Trans. Biomed. Eng. 30 (1983) 125), so
/// that of a face is twice the argument of their product: one arctangent for all of them.
struct FaceSums {
  double volume = 0;  // six times that of the pyramid below the face
  double re = 1, im = 0;

  KRONITE_HD void add(Vec3 a, Vec3 b, Vec3 c) {
    const double la = norm(a), lb = norm(b), lc = norm(c);
    const double product = la * lb * lc;
    const double triple = std::fabs(dot(a, cross(b, c)));
    volume += triple;
    // Without extent: the argument of D + i0 with a rounded D is noise.
    if (triple <= 1e-14 * product) return;
    const double t = triple / product;
    const double d = 1 + dot(b, c) / (lb * lc) + dot(a, b) / (la * lb) + dot(a, c) / (la * lc);
    const double re_before = re;
    re = re_before * d - im * t;
    im = re_before * t + im * d;
    // Only the direction counts; factors of up to 4 from hundreds of triangles overflow.
    const double size = std::fabs(re) + std::fabs(im);
    if (size > 1e100 || size < 1e-100) {
      re /= size;
      im /= size;
    }
  }
  KRONITE_HD VoronoiFace face(double distance) const {
    return {im > 0 || re < 0 ? 2 * std::atan2(im, re) : 0, volume / (2 * distance)};
  }
};

}  // namespace voronoi

/// Of the plane p of a bounded cell. `by_plane` is scratch, one value per plane.
KRONITE_HD inline VoronoiFace face_of(const VoronoiCell& cell, int p, int* by_plane) {
  int start = -1, corners = 0;
  for (int v = 0; v < cell.vertices; ++v)
    for (int slot = 0; slot < 3; ++slot)
      if (cell.corner[3 * v + slot] == p) {
        by_plane[cell.corner[3 * v + voronoi::following(slot)]] = v;
        start = v;
        ++corners;
      }
  if (corners < 3) return {0, 0};
  // From vertex to vertex: the plane after next of one is the next plane of the other.
  const auto step = [&](int v) {
    const int* corner = cell.corner + 3 * v;
    const int slot = corner[0] == p ? 0 : corner[1] == p ? 1 : 2;
    return by_plane[corner[voronoi::following(voronoi::following(slot))]];
  };
  voronoi::FaceSums sums;
  int v = step(start);
  for (int n = 2; n < corners; ++n) {
    const int w = step(v);
    sums.add(cell.vertex(start), cell.vertex(v), cell.vertex(w));
    v = w;
  }
  return sums.face(cell.distance[p]);
}

}  // namespace kronite
