// Whether two crystals are the same one: the same elements in the same places, whatever cell,
// origin, orientation, handedness and volume they are written with. Unlike the dissimilarity of
// fingerprints (kronite/fingerprint.hpp), it tells elements apart.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "kronite/log.hpp"        // for Progress
#include "kronite/structure.hpp"  // for Structure

namespace kronite {

/// Tolerances with the meaning, and the defaults, of pymatgen's StructureMatcher with
/// primitive_cell and scale (Ong et al., Comput. Mater. Sci. 68 (2013) 314).
struct MatchOptions {
  double ltol = 0.2;     ///< lattice vectors may differ by a factor of 1 + ltol; in (0, 1]
  double stol = 0.3;     ///< how far sites may lie apart, in units of (V/n)^(1/3); in (0, 1]
  double angle_tol = 5;  ///< angles between lattice vectors may differ by it, degrees; in (0, 45]
};

/// @throws Error invalid_argument for a tolerance outside its range.
void check_match_options(const MatchOptions& options);

/// How well two crystals lie on each other. Distances are in units of (V/n)^(1/3), the edge of the
/// cube that an atom has to itself, V and n being those of the average of both cells.
struct Match {
  /// Whether some overlay brings every site within stol of its partner: StructureMatcher.fit().
  bool same = false;
  /// Of the overlay with the least rms distance: that distance, and the largest one in it; what
  /// StructureMatcher.get_rms_dist() gives. NaN where no overlay has an rms up to stol. Numbers do
  /// not imply `same`: one site may lie beyond stol while the rms of all does not.
  double rms = std::numeric_limits<double>::quiet_NaN();
  double max_distance = std::numeric_limits<double>::quiet_NaN();
};

/// A crystal made ready once to be compared often.
class MatchCell {
 public:
  /// @throws Error invalid_argument when check_structure() refuses the structure, or its reduced
  /// cell is so long and narrow (3 x 3 x 2000 Å) that its lattice cannot be searched.
  explicit MatchCell(const Structure& structure);

  /// The Niggli cell of the primitive lattice, translations being found with a tolerance of 0.25 Å
  /// as pymatgen does; sites grouped by element, the rarest element first.
  const Structure& reduced() const { return levels_.back().cell; }

  /// A Niggli cell, and its site, one of the rarest element, by which it is laid on another
  /// crystal.
  struct Level {
    Structure cell;
    std::size_t reference = 0;
  };
  /// What is compared: cells of both crystals that have equally many sites, the smallest first, up
  /// to those that are the same. The first level is primitive within 0.1 Å, the last is reduced().
  /// There are others only where translations hold within the wider tolerance alone: then they may
  /// hold in one of two crystals that are the same and not in the other.
  const std::vector<Level>& levels() const { return levels_; }

 private:
  std::vector<Level> levels_;
};

/// Crystals of different composition, or without cells of equally many sites, are not the same. The
/// order of the two may decide in cases at the edge of a tolerance.
/// @throws Error invalid_argument for tolerances outside their ranges.
Match match(const MatchCell& a, const MatchCell& b, const MatchOptions& options = {});
Match match(const Structure& a, const Structure& b, const MatchOptions& options = {});

/// match(first[i], second[j]) of each pair (i, j), in parallel. Told the pairs done so far.
/// @throws Error invalid_argument for a pair outside the lists, and as match(); cancelled.
std::vector<Match> match_pairs(const std::vector<MatchCell>& first,
                               const std::vector<MatchCell>& second,
                               const std::vector<std::pair<std::int32_t, std::int32_t>>& pairs,
                               const MatchOptions& options = {}, const Progress& progress = {});

}  // namespace kronite
