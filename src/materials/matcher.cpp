// Lays one crystal on another in every way that the tolerances allow.
#include "kronite/matcher.hpp"

#include <omp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/fail.hpp"                  // for fail
#include "base/parallel.hpp"              // for parallel_tiles
#include "materials/lattice.hpp"          // for minus
#include "materials/matcher_lattice.hpp"  // for similar_bases
#include "math/sparse_assignment.hpp"     // for SparseAssignment

namespace kronite {
namespace {

using matcher::AverageLattice;
using matcher::Basis;

/// An overlay as close as this is the best there is: rounding.
constexpr double kPerfect = 1e-5;
/// So that rounding leaves nothing out.
constexpr double kRoundingUp = 1 + 1e-9;

/// The lattice at a volume of one unit per site.
Lattice normalised(const Structure& cell) {
  const double scale = std::cbrt(static_cast<double>(cell.size()) / volume(cell.lattice));
  Lattice lattice = cell.lattice;
  for (Vector3& row : lattice)
    for (double& x : row) x *= scale;
  return lattice;
}

/// Replaces a fractional vector by the shortest of its images; returns the squared length.
double take_nearest_image(const AverageLattice& lattice, Vector3& x) {
  double least = lattice.square(x);
  // Images that are shorter lie closer to the planes of the lattice in all three directions.
  const double length = std::sqrt(std::max(least, 0.0));
  std::array<double, 3> first, last;
  for (int k = 0; k < 3; ++k) {
    const double reach = length * lattice.reciprocal_lengths[k];
    first[k] = std::ceil(-reach - x[k]);
    last[k] = std::floor(reach - x[k]);
  }
  const Vector3 given = x;
  for (double i = first[0]; i <= last[0]; ++i)
    for (double j = first[1]; j <= last[1]; ++j)
      for (double k = first[2]; k <= last[2]; ++k) {
        const Vector3 image{given[0] + i, given[1] + j, given[2] + k};
        const double square = lattice.square(image);
        if (square < least) {
          least = square;
          x = image;
        }
      }
  return least;
}

/// Sites [begin, end) of one element.
struct Group {
  std::size_t begin, end;
};

/// Two cells with equal lists of elements, and what has been found of their overlays.
class Overlays {
 public:
  Overlays(const MatchCell::Level& a, const MatchCell::Level& b, const MatchOptions& options);

  Match best();

 private:
  /// Displacements of sites that have one partner only: how many, their mean, and the sum of their
  /// squared distances from it.
  struct Anchor {
    std::size_t count = 0;
    Vector3 mean{};
    double squares = 0;
  };

  std::size_t partners_of(std::size_t j) const {
    return partners_.first[j + 1] - partners_.first[j];
  }
  void try_basis(const Basis& basis);
  void try_translation(const AverageLattice& average, const Vector3& translation);
  void mark_near(const Vector3& point, const Group& group);
  bool find_partners(const AverageLattice& average, const Vector3& translation);
  double least_spread(const AverageLattice& average);
  double least_spread(const AverageLattice& average, const Anchor& anchor);
  void measure(const AverageLattice& average);

  const Structure &a_, &b_;
  const std::size_t reference_;
  const MatchOptions& options_;
  std::vector<Group> group_of_;  // by site
  double least_rms_ = INFINITY, least_largest_ = INFINITY, largest_of_least_rms_ = INFINITY;

  // Of the overlay that is tried, with memory for the next.
  Vector3 reach_{};                                // of partners, fractional
  std::array<std::vector<double>, 3> sites_of_a_;  // coordinates in the basis that is tried
  std::vector<std::int32_t> is_near_;              // per site of a, to the site of b in hand
  math::SparseCosts partners_;          // sites of a for each site of b, by squared distance
  std::vector<Vector3> displacements_;  // of each of them, fractional, in the average lattice
  math::SparseAssignment assignment_;
  std::vector<double> gaps_;  // of the sites that have several partners, from the anchor
};

Overlays::Overlays(const MatchCell::Level& a, const MatchCell::Level& b,
                   const MatchOptions& options)
    : a_(a.cell), b_(b.cell), reference_(b.reference), options_(options), is_near_(a_.size()) {
  for (auto& coordinate : sites_of_a_) coordinate.resize(a_.size());
  for (std::size_t begin = 0, end = 0; begin < b_.size(); begin = end) {
    while (end < b_.size() && b_.z[end] == b_.z[begin]) ++end;
    group_of_.resize(end, Group{begin, end});
  }
}

Match Overlays::best() {
  for (const Basis& basis : matcher::similar_bases(normalised(a_), normalised(b_), options_)) {
    try_basis(basis);
    if (least_rms_ < kPerfect) break;
  }
  Match match;
  match.same = least_largest_ <= options_.stol;
  if (least_rms_ <= options_.stol) {
    match.rms = least_rms_;
    match.max_distance = largest_of_least_rms_;
  }
  return match;
}

void Overlays::try_basis(const Basis& basis) {
  for (std::size_t i = 0; i < a_.size(); ++i) {
    const Vector3& x = a_.fractional[i];
    for (int k = 0; k < 3; ++k)
      sites_of_a_[k][i] = x[0] * basis.to_fractional[0][k] + x[1] * basis.to_fractional[1][k] +
                          x[2] * basis.to_fractional[2][k];
  }
  // Where the reference sites coincide, the average displacement is no more than stol if they are
  // to stay within it, and so other partners are at most 2 stol apart.
  const double unit = std::cbrt(basis.average.volume / static_cast<double>(b_.size()));
  for (int k = 0; k < 3; ++k)
    reach_[k] = 2 * options_.stol * unit * basis.average.reciprocal_lengths[k];
  const Group candidates = group_of_[reference_];
  for (std::size_t i = candidates.begin; i < candidates.end; ++i) {
    Vector3 translation;
    for (int k = 0; k < 3; ++k) translation[k] = sites_of_a_[k][i] - b_.fractional[reference_][k];
    try_translation(basis.average, translation);
    if (least_rms_ < kPerfect) return;
  }
}

void Overlays::try_translation(const AverageLattice& average, const Vector3& translation) {
  if (!find_partners(average, translation)) return;
  // Of interest is what has a smaller rms than all before, or may be the first to be the same.
  const bool found = least_largest_ <= options_.stol;
  const auto n = static_cast<double>(b_.size());
  const double limit = (found ? least_rms_ : options_.stol) * std::cbrt(average.volume / n);
  if (least_spread(average) > n * limit * limit * kRoundingUp) return;
  if (assignment_.solve(partners_)) measure(average);
}

/// No choice of partners has a smaller sum of squared distances from their average displacement.
double Overlays::least_spread(const AverageLattice& average) {
  Anchor anchor;
  std::size_t fewest = 0;
  for (std::size_t j = 0; j < b_.size(); ++j) {
    if (partners_of(j) < partners_of(fewest)) fewest = j;
    if (partners_of(j) > 1) continue;
    ++anchor.count;
    const Vector3& x = displacements_[partners_.first[j]];
    for (int k = 0; k < 3; ++k) anchor.mean[k] += x[k];
  }
  if (anchor.count > 0) {
    for (double& x : anchor.mean) x /= static_cast<double>(anchor.count);
    for (std::size_t j = 0; j < b_.size(); ++j)
      if (partners_of(j) == 1)
        anchor.squares += average.square(minus(displacements_[partners_.first[j]], anchor.mean));
    return least_spread(average, anchor);
  }
  // Then one site after the other of those that one site may be paired with.
  double least = INFINITY;
  for (std::size_t p = partners_.first[fewest]; p < partners_.first[fewest + 1]; ++p)
    least = std::min(least, least_spread(average, {1, displacements_[p], 0}));
  return least;
}

/// The same, some displacements being known. When the average of all lies at a distance d from that
/// of the known ones, they add count d^2 to their sum, and any other site whose nearest choice is a
/// gap g away from it adds at least (g - d)^2. The least over all d is a lower bound.
double Overlays::least_spread(const AverageLattice& average, const Anchor& anchor) {
  gaps_.clear();
  for (std::size_t j = 0; j < b_.size(); ++j) {
    if (partners_of(j) == 1) continue;
    double nearest = INFINITY;
    for (std::size_t p = partners_.first[j]; p < partners_.first[j + 1]; ++p)
      nearest = std::min(nearest, average.square(minus(displacements_[p], anchor.mean)));
    gaps_.push_back(std::sqrt(std::max(nearest, 0.0)));
  }
  // Where the derivative vanishes, d is the sum of the g > d over count + their number. With fewer
  // and fewer g, d grows up to that point.
  double d = 0, squares = 0;
  // Not until their number stays: rounding may put a g that equals d on either side in turn.
  for (std::size_t active = gaps_.size() + 1, before = active + 1; active < before;) {
    before = std::exchange(active, 0);
    double sum = 0, sum_of_squares = 0;
    for (const double g : gaps_) {
      if (g <= d) continue;
      ++active;
      sum += g;
      sum_of_squares += g * g;
    }
    d = sum / static_cast<double>(anchor.count + active);
    squares = sum_of_squares - d * sum;
  }
  return anchor.squares + squares;
}

/// Marks the sites of a near the point: those of the group within reach_ in all coordinates.
void Overlays::mark_near(const Vector3& point, const Group& group) {
  const auto [x, y, z] = point;
  const auto [reach_x, reach_y, reach_z] = reach_;
  const double *ax = sites_of_a_[0].data(), *ay = sites_of_a_[1].data(),
               *az = sites_of_a_[2].data();
  std::int32_t* near = is_near_.data();
#pragma omp simd
  for (std::size_t i = group.begin; i < group.end; ++i) {
    const double dx = x - ax[i], dy = y - ay[i], dz = z - az[i];
    near[i] = (std::abs(dx - std::nearbyint(dx)) < reach_x) &
              (std::abs(dy - std::nearbyint(dy)) < reach_y) &
              (std::abs(dz - std::nearbyint(dz)) < reach_z);
  }
}

/// False when a site has none.
bool Overlays::find_partners(const AverageLattice& average, const Vector3& translation) {
  partners_.clear();
  displacements_.clear();
  for (std::size_t j = 0; j < b_.size(); ++j) {
    const Group& group = group_of_[j];
    Vector3 moved = b_.fractional[j];
    for (int k = 0; k < 3; ++k) moved[k] += translation[k];
    mark_near(moved, group);
    for (std::size_t i = group.begin; i < group.end; ++i) {
      if (!is_near_[i]) continue;
      Vector3 x;
      for (int k = 0; k < 3; ++k) {
        x[k] = moved[k] - sites_of_a_[k][i];
        x[k] -= std::nearbyint(x[k]);
      }
      partners_.column.push_back(i);
      partners_.cost.push_back(take_nearest_image(average, x));
      displacements_.push_back(x);
    }
    if (partners_.column.size() == partners_.first.back()) return false;
    partners_.first.push_back(partners_.column.size());
  }
  return true;
}

/// Distances of the chosen pairs, the average displacement taken away.
void Overlays::measure(const AverageLattice& average) {
  const auto n = static_cast<double>(b_.size());
  Vector3 mean{};
  for (const std::size_t p : assignment_.entries())
    for (int k = 0; k < 3; ++k) mean[k] += displacements_[p][k] / n;
  double sum = 0, largest = 0;
  for (const std::size_t p : assignment_.entries()) {
    const double square = std::max(average.square(minus(displacements_[p], mean)), 0.0);
    sum += square;
    largest = std::max(largest, square);
  }
  const double unit = std::cbrt(average.volume / n);
  const double rms = std::sqrt(sum / n) / unit;
  largest = std::sqrt(largest) / unit;
  least_largest_ = std::min(least_largest_, largest);
  if (rms < least_rms_) {
    least_rms_ = rms;
    largest_of_least_rms_ = largest;
  }
}

}  // namespace

void check_match_options(const MatchOptions& options) {
  if (!(options.ltol > 0 && options.ltol <= 1))  // no NaN
    fail(Errc::invalid_argument, "match: ltol is {}, expected more than 0 and at most 1",
         options.ltol);
  if (!(options.stol > 0 && options.stol <= 1))
    fail(Errc::invalid_argument, "match: stol is {}, expected more than 0 and at most 1",
         options.stol);
  if (!(options.angle_tol > 0 && options.angle_tol <= 45))
    fail(Errc::invalid_argument,
         "match: angle_tol is {}, expected more than 0 and at most 45 degrees", options.angle_tol);
}

Match match(const MatchCell& a, const MatchCell& b, const MatchOptions& options) {
  check_match_options(options);
  Match best;
  for (auto i = a.levels().rbegin(); i != a.levels().rend() && !best.same; ++i)
    for (auto j = b.levels().rbegin(); j != b.levels().rend() && !best.same; ++j) {
      if (i->cell.z != j->cell.z) continue;
      const Match found = Overlays(*i, *j, options).best();
      if (found.same || std::isnan(best.rms)) best = found;
    }
  return best;
}

Match match(const Structure& a, const Structure& b, const MatchOptions& options) {
  return match(MatchCell(a), MatchCell(b), options);
}

std::vector<Match> match_pairs(const std::vector<MatchCell>& first,
                               const std::vector<MatchCell>& second,
                               const std::vector<std::pair<std::int32_t, std::int32_t>>& pairs,
                               const MatchOptions& options, const Progress& progress) {
  check_match_options(options);
  const auto cell = [](const std::vector<MatchCell>& cells, std::int32_t i) -> const MatchCell& {
    if (i < 0 || static_cast<std::size_t>(i) >= cells.size())
      fail(Errc::invalid_argument, "match: there is no crystal {} in a list of {}", i,
           cells.size());
    return cells[static_cast<std::size_t>(i)];
  };
  constexpr std::int64_t kBatch = 4096;  // between two calls of progress: about half a second
  constexpr std::int64_t kTile = 16;
  const auto count = static_cast<std::int64_t>(pairs.size());
  std::vector<Match> matches(pairs.size());
  for (std::int64_t begin = 0; begin < count; begin += kBatch) {
    if (progress && !progress(begin, count)) fail(Errc::cancelled, "match: stopped");
    const std::int64_t end = std::min(begin + kBatch, count);
    parallel_tiles(
        omp_get_max_threads(), tiles_of(end - begin, kTile), [&](std::int64_t tile, int) {
          const std::int64_t from = begin + tile * kTile;
          for (std::int64_t p = from; p < std::min(from + kTile, end); ++p)
            matches[p] = match(cell(first, pairs[p].first), cell(second, pairs[p].second), options);
        });
  }
  if (progress) progress(count, count);
  return matches;
}

}  // namespace kronite
