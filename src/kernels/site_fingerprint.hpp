// The 61 values of one site, from the crystal to the order parameters, and the statistics of a
// crystal's sites (include/kronite/fingerprint.hpp says what they are).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "device/ops.hpp"                // for CrystalBatch
#include "kernels/coordination.hpp"      // for weigh_neighbours
#include "kernels/element.hpp"           // for element
#include "kernels/host_device.hpp"       // for KRONITE_HD
#include "kernels/order_parameters.hpp"  // for order_parameters
#include "kernels/periodic_images.hpp"   // for gather_shell
#include "kernels/voronoi_cell.hpp"      // for cut_cell

namespace kronite {

/// How the fingerprint of a site went; an int where it is stored.
enum class SiteStatus : int {
  good = 0,
  unbounded = 1,     ///< the cell does not close within the longest diagonal
  no_room = 2,       ///< more faces than the workspace holds
  inconsistent = 3,  ///< the cell's vertices contradict each other
  too_empty = 4,     ///< more to look at than kMostPoints before the cell closes
};

/// Sizes of the memory that one thread works in.
struct SiteCapacity {
  int points, planes, vertices;
};

/// Memory of one thread, cut out of one block of bytes.
struct SiteWorkspace {
  PointHeap points;
  VoronoiCell cell;
  NeighbourList neighbours;
  Surroundings* surroundings;

  /// A multiple of 256.
  KRONITE_HD static std::size_t bytes(SiteCapacity c) {
    const std::size_t points = static_cast<std::size_t>(c.points) * (sizeof(Vec3) + sizeof(double));
    const std::size_t planes =
        static_cast<std::size_t>(c.planes) * (2 * sizeof(Vec3) + 2 * sizeof(double) + sizeof(int));
    const std::size_t vertices =
        static_cast<std::size_t>(c.vertices) * (4 * sizeof(double) + 3 * sizeof(int));
    return (sizeof(Surroundings) + points + planes + vertices + 255) / 256 * 256;
  }

  /// `memory` is aligned for doubles.
  KRONITE_HD SiteWorkspace(SiteCapacity c, std::byte* memory) {
    const auto take_vectors = [&](int n) {
      auto* taken = reinterpret_cast<Vec3*>(memory);
      memory += static_cast<std::size_t>(n) * sizeof(Vec3);
      return taken;
    };
    const auto take_doubles = [&](int n) {
      auto* taken = reinterpret_cast<double*>(memory);
      memory += static_cast<std::size_t>(n) * sizeof(double);
      return taken;
    };
    surroundings = reinterpret_cast<Surroundings*>(memory);
    memory += sizeof(Surroundings);
    points = {take_vectors(c.points), take_doubles(c.points), c.points, 0};
    cell.plane_capacity = c.planes;
    cell.vertex_capacity = c.vertices;
    cell.normal = take_vectors(c.planes);
    cell.distance = take_doubles(c.planes);
    neighbours = {take_vectors(c.planes), take_doubles(c.planes), 0};
    cell.x = take_doubles(c.vertices);
    cell.y = take_doubles(c.vertices);
    cell.z = take_doubles(c.vertices);
    cell.above = take_doubles(c.vertices);
    cell.corner = reinterpret_cast<int*>(memory);
    cell.next = cell.corner + 3 * c.vertices;
    cell.planes = cell.vertices = 0;
  }
};

namespace site {

/// Distances in Å.
inline constexpr double kFirstCutoff = 7;
/// How much farther than the cutoff a point may be.
inline constexpr double kCutoffTolerance = 1e-8;
/// Points that the first shell should hold: enough for most cells.
inline constexpr double kFirstShellPoints = 40;

/// In a slab with hundreds of Å of vacuum, a cell closes far away, and until then the points of the
/// slab grow in number as the square of the cutoff or faster.
inline constexpr double kMostPoints = 2e6;

/// The cutoff at which a periodic crystal must close every cell: the longest diagonal.
KRONITE_HD inline double largest_cutoff(const CrystalView& crystal) {
  const Vec3 a = crystal.lattice[0], b = crystal.lattice[1], c = crystal.lattice[2];
  const double diagonals[4] = {norm(a + b + c), norm(b + c - a), norm(a - b + c), norm(a + b - c)};
  double longest = 0;
  for (const double d : diagonals) longest = d > longest ? d : longest;
  return longest + 0.01;
}

/// About how many points lie within a distance: images of the cell that planes of the lattice let
/// in.
KRONITE_HD inline double points_within(const CrystalView& crystal, double distance) {
  const double volume = cell_volume(crystal);
  double points = static_cast<double>(crystal.sites);
  for (int k = 0; k < 3; ++k) {
    const double spacing =
        volume / norm(cross(crystal.lattice[(k + 1) % 3], crystal.lattice[(k + 2) % 3]));
    const double images = 2 * distance / spacing;
    points *= images > 1 ? images : 1;
  }
  return points;
}

/// Cuts the cell by the points gathered, nearest first, until none can reach it. False when that
/// failed, with the reason in `status`.
KRONITE_HD inline bool cut_by_heap(SiteWorkspace& work, SiteStatus& status) {
  heap::order(work.points);
  double reach = farthest_vertex(work.cell);
  while (work.points.size > 0) {
    const double length = std::sqrt(work.points.square[0]);
    if (length > 2 * reach) break;
    const Vec3 point = heap::pop(work.points);
    switch (cut_cell(work.cell, (1 / length) * point, length / 2)) {
      case Cut::none:
        break;
      case Cut::made:
        reach = farthest_vertex(work.cell);
        break;
      case Cut::no_room:
        status = SiteStatus::no_room;
        return false;
      case Cut::inconsistent:
        status = SiteStatus::inconsistent;
        return false;
    }
  }
  return true;
}

/// The Voronoi cell among the points no farther than a cutoff, 7 Å; where it does not close, the
/// cutoff is doubled, up to the longest diagonal of the crystal's cell. Points beyond the cutoff
/// are left out even where they would cut: so the definition.
KRONITE_HD inline SiteStatus find_cell(const CrystalView& crystal, std::int64_t centre,
                                       SiteWorkspace& work) {
  const double largest = largest_cutoff(crystal);
  const double density = static_cast<double>(crystal.sites) / cell_volume(crystal);
  const double first_shell = std::cbrt(0.75 / kPi * kFirstShellPoints / density);
  double cutoff = kFirstCutoff, inner = 0, width = first_shell;
  const auto matters = [&](Vec3 point, double square) {
    return inner == 0 || is_cut_by(work.cell, point, square);
  };
  SiteStatus status = SiteStatus::good;
  start_cell(work.cell);
  for (;;) {
    const double end = cutoff + kCutoffTolerance;
    if (points_within(crystal, cutoff) > kMostPoints) return SiteStatus::too_empty;
    while (inner < end && inner < 2 * farthest_vertex(work.cell)) {
      const double outer = inner + width < end ? inner + width : end;
      if (!gather_shell(crystal, centre, inner, outer, matters, work.points)) {
        width = 0.5 * (outer - inner);
        if (width < kCutoffTolerance) return SiteStatus::no_room;
        continue;
      }
      if (!cut_by_heap(work, status)) return status;
      // The next shell has about as many points again.
      width = 0.3 * outer;
      inner = outer;
    }
    if (is_bounded(work.cell)) return SiteStatus::good;
    if (cutoff >= largest) return SiteStatus::unbounded;
    cutoff = 2 * cutoff < largest + 0.001 ? 2 * cutoff : largest + 0.001;
  }
}

}  // namespace site

/// Values (61) of site `centre`. Where the status is not good, the values are NaN.
KRONITE_HD inline SiteStatus site_fingerprint(const CrystalView& crystal, std::int64_t centre,
                                              SiteWorkspace& work, double* values) {
  // Where the values of each coordination number begin; each begins with its probability.
  constexpr int kFirst[kLargestCoordination] = {0,  2,  8,  12, 18, 22, 26, 29, 32, 36, 40, 44,
                                                49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60};
  constexpr int kValues = 61;
  const SiteStatus status = site::find_cell(crystal, centre, work);
  for (int f = 0; f < kValues; ++f) values[f] = status == SiteStatus::good ? 0 : NAN;
  if (status != SiteStatus::good) return status;
  weigh_neighbours(work.cell, work.neighbours);
  look_around(work.neighbours, *work.surroundings);
  for_each_coordination(work.neighbours, [&](int n, double probability) {
    if (n > kLargestCoordination || probability == 0) return;
    double* of_number = values + kFirst[n - 1];
    of_number[0] = probability;
    if (n > kLargestMotif) return;
    const int motifs = order_parameters(*work.surroundings, n, of_number + 1);
    for (int i = 1; i <= motifs; ++i) of_number[i] *= probability;
  });
  return status;
}

/// Crystal number i of a batch.
KRONITE_HD inline CrystalView crystal_of(const CrystalBatch& batch, std::int64_t i) {
  const double* l = batch.lattice.data + 9 * i;
  const std::int64_t first = batch.first_site.data[i];
  return {{{l[0], l[1], l[2]}, {l[3], l[4], l[5]}, {l[6], l[7], l[8]}},
          batch.fractional.data + 3 * first,
          batch.first_site.data[i + 1] - first};
}

/// fingerprint of site `site` of a batch.
KRONITE_HD inline SiteStatus site_fingerprint(const CrystalBatch& batch, std::int64_t site,
                                              SiteWorkspace& work, double* values) {
  // The last crystal that begins at the site or before it.
  std::int64_t low = 0, high = batch.first_site.size - 1;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (batch.first_site.data[middle] <= site ? low : high) = middle;
  }
  return site_fingerprint(crystal_of(batch, low), site - batch.first_site.data[low], work, values);
}

/// Mean, standard deviation, minimum and maximum of column f over the rows [begin, end), row n
/// counted count[n] times; NaN where one of them is.
KRONITE_HD inline void column_statistics(const MatrixView<const double>& values,
                                         const double* count, std::int64_t begin, std::int64_t end,
                                         std::int64_t f, double* out) {
  double total = 0, sum = 0;
  double least = begin < end ? element(values, begin, f) : NAN, most = least;
  for (std::int64_t n = begin; n < end; ++n) {
    const double value = element(values, n, f);
    total += count[n];
    sum += count[n] * value;
    least = value < least || value != value ? value : least;
    most = value > most || value != value ? value : most;
  }
  const double mean = sum / total;
  double squares = 0;
  for (std::int64_t n = begin; n < end; ++n) {
    const double off = element(values, n, f) - mean;
    squares += count[n] * off * off;
  }
  out[0] = mean;
  // Of equal values the mean is a rounding error off.
  out[1] = least == most ? 0 : std::sqrt(squares / total);
  out[2] = least;
  out[3] = most;
}

}  // namespace kronite
