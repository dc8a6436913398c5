// Finds sites that lie close together in a periodic cell, in time proportional to their number.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "kronite/structure.hpp"  // for Lattice, Vector3

namespace kronite {

/// Sites sorted into boxes by their wrapped coordinates; a search opens only the boxes within
/// reach.
class SiteGrid {
 public:
  /// The volume of the lattice must not be 0.
  /// @throws Error invalid_argument when lattice planes lie closer than reach / 50: then the reach
  /// holds too many images of the cell to look at.
  SiteGrid(const Lattice& lattice, double reach);

  struct Hit {
    std::size_t site;  ///< in the order of insert()
    Vector3 offset;    ///< fractional, from the point to the nearest image of the site
    double distance;   ///< Å, under the reach
  };
  /// A site closer than the reach to the point, if there is one.
  std::optional<Hit> find(const Vector3& fractional) const;
  void insert(const Vector3& fractional);

  /// Length of the shortest lattice vector under the reach, if there is one: then every site is
  /// that close to its own image.
  std::optional<double> shortest_translation() const;

 private:
  std::uint64_t key(const std::array<std::int64_t, 3>& box) const;

  Lattice lattice_;
  double reach_;
  std::array<double, 3> fractional_reach_;
  std::array<std::int64_t, 3> boxes_;
  std::unordered_map<std::uint64_t, std::int64_t> first_;  // box -> site
  std::vector<std::int64_t> next_;                         // site -> site of the same box, or -1
  std::vector<Vector3> sites_;                             // wrapped
};

}  // namespace kronite
