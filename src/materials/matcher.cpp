// Lays one crystal on another in every way that the tolerances allow.
#include "kronite/matcher.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"                  // for fail
#include "cpu/parallel.hpp"               // for parallel_tiles
#include "materials/lattice.hpp"          // for wrap
#include "materials/matcher_lattice.hpp"  // for similar_bases
#include "math/assignment.hpp"            // for least_cost_assignment

namespace kronite {
namespace {

using matcher::AverageLattice;
using matcher::Basis;

/// An overlay as close as this is the best there is: rounding.
constexpr double kPerfect = 1e-5;

void check(const MatchOptions& options) {
  if (!(options.ltol >= 0 && options.ltol <= 1))  // no NaN
    fail(Errc::invalid_argument, "match: ltol is {}, expected 0 to 1", options.ltol);
  if (!(options.stol > 0 && options.stol <= 1))
    fail(Errc::invalid_argument, "match: stol is {}, expected more than 0 and at most 1",
         options.stol);
  if (!(options.angle_tol > 0 && options.angle_tol <= 45))
    fail(Errc::invalid_argument,
         "match: angle_tol is {}, expected more than 0 and at most 45 degrees", options.angle_tol);
}

/// The lattice at a volume of one unit per site.
Lattice normalised(const Structure& cell) {
  const double scale = std::cbrt(static_cast<double>(cell.size()) / volume(cell.lattice));
  Lattice lattice = cell.lattice;
  for (Vector3& row : lattice)
    for (double& x : row) x *= scale;
  return lattice;
}

/// Makes every x the least of its images' lengths; returns the squared length. Each coordinate must
/// be in [-0.5, 0.5].
double take_nearest_image(const AverageLattice& lattice, Vector3& x) {
  double least = lattice.square(x);
  if (4 * least <= lattice.shortest * lattice.shortest) return least;
  const Vector3 given = x;
  for (int i = -1; i <= 1; ++i)
    for (int j = -1; j <= 1; ++j)
      for (int k = -1; k <= 1; ++k) {
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

  std::size_t size() const { return end - begin; }
};

/// Two cells with equal lists of elements, and what has been found of their overlays.
class Overlays {
 public:
  Overlays(const MatchCell& a, const MatchCell& b, const MatchOptions& options);

  Match best();

 private:
  /// A site of a that may be the partner of a site of b.
  struct Partner {
    std::size_t site;
    Vector3 displacement;  ///< fractional, in the average lattice
    double square;
  };

  void try_basis(const Basis& basis);
  void try_translation(const AverageLattice& average, const Vector3& translation);
  bool find_partners(const AverageLattice& average, const Vector3& translation, const Group& group);
  bool assign(const Group& group);
  bool assign_nearest(const Group& group);
  bool assign_least(const Group& group);
  void measure(const AverageLattice& average);

  const Structure &a_, &b_;
  const std::size_t reference_;
  const MatchOptions& options_;
  std::vector<Group> groups_;
  Group candidates_{};  // sites of a that the reference site of b may be laid on

  Vector3 reach_{};                  // of partners, fractional
  std::vector<Vector3> sites_of_a_;  // in the basis that is tried
  std::vector<Partner> partners_;    // of all sites of b, one after another
  std::vector<std::size_t> first_partner_;
  std::vector<std::size_t> chosen_;  // per site of b, a place in partners_
  std::vector<char> taken_;          // per site of a
  double least_rms_, least_largest_, largest_of_least_rms_;
};

Overlays::Overlays(const MatchCell& a, const MatchCell& b, const MatchOptions& options)
    : a_(a.reduced()),
      b_(b.reduced()),
      reference_(b.reference()),
      options_(options),
      sites_of_a_(a_.size()),
      first_partner_(a_.size() + 1),
      chosen_(a_.size()),
      taken_(a_.size()),
      least_rms_(INFINITY),
      least_largest_(INFINITY),
      largest_of_least_rms_(INFINITY) {
  for (std::size_t begin = 0, end = 0; begin < b_.size(); begin = end) {
    while (end < b_.size() && b_.z[end] == b_.z[begin]) ++end;
    groups_.push_back({begin, end});
    if (begin <= reference_ && reference_ < end) candidates_ = groups_.back();
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
      sites_of_a_[i][k] = x[0] * basis.to_fractional[0][k] + x[1] * basis.to_fractional[1][k] +
                          x[2] * basis.to_fractional[2][k];
  }
  // When the reference sites coincide, and the average displacement d of all pairs is no more than
  // stol, partners are at most 2 stol apart.
  const double unit = std::cbrt(basis.average.volume / static_cast<double>(b_.size()));
  for (int k = 0; k < 3; ++k)
    reach_[k] = 2 * options_.stol * unit * basis.average.reciprocal_lengths[k];
  for (std::size_t i = candidates_.begin; i < candidates_.end; ++i) {
    Vector3 translation;
    for (int k = 0; k < 3; ++k) translation[k] = sites_of_a_[i][k] - b_.fractional[reference_][k];
    try_translation(basis.average, translation);
    if (least_rms_ < kPerfect) return;
  }
}

void Overlays::try_translation(const AverageLattice& average, const Vector3& translation) {
  partners_.clear();
  for (const Group& group : groups_)
    if (!find_partners(average, translation, group)) return;
  first_partner_[b_.size()] = partners_.size();
  for (const Group& group : groups_)
    if (!assign(group)) return;
  measure(average);
}

/// False when a site has none.
bool Overlays::find_partners(const AverageLattice& average, const Vector3& translation,
                             const Group& group) {
  for (std::size_t j = group.begin; j < group.end; ++j) {
    first_partner_[j] = partners_.size();
    Vector3 moved = b_.fractional[j];
    for (int k = 0; k < 3; ++k) moved[k] += translation[k];
    for (std::size_t i = group.begin; i < group.end; ++i) {
      Vector3 x;
      bool near = true;
      for (int k = 0; k < 3 && near; ++k) {
        x[k] = moved[k] - sites_of_a_[i][k];
        x[k] -= std::round(x[k]);
        near = std::abs(x[k]) < reach_[k];
      }
      if (!near) continue;
      const double square = take_nearest_image(average, x);
      partners_.push_back({i, x, square});
    }
    if (partners_.size() == first_partner_[j]) return false;
  }
  return true;
}

/// One partner for each site of b, at the least sum of squared distances; false when there are
/// none.
bool Overlays::assign(const Group& group) { return assign_nearest(group) || assign_least(group); }

/// Where all nearest sites differ they are the best.
bool Overlays::assign_nearest(const Group& group) {
  std::fill(taken_.begin() + group.begin, taken_.begin() + group.end, 0);
  for (std::size_t j = group.begin; j < group.end; ++j) {
    std::size_t nearest = first_partner_[j];
    for (std::size_t p = nearest + 1; p < first_partner_[j + 1]; ++p)
      if (partners_[p].square < partners_[nearest].square) nearest = p;
    if (taken_[partners_[nearest].site]) return false;
    taken_[partners_[nearest].site] = 1;
    chosen_[j] = nearest;
  }
  return true;
}

bool Overlays::assign_least(const Group& group) {
  const std::size_t n = group.size();
  double largest = 0;
  for (std::size_t p = first_partner_[group.begin]; p < first_partner_[group.end]; ++p)
    largest = std::max(largest, partners_[p].square);
  const double no_partner = 1 + static_cast<double>(n) * largest;  // more than any sum of partners
  std::vector<double> cost(n * n, no_partner);
  for (std::size_t row = 0; row < n; ++row)
    for (std::size_t p = first_partner_[group.begin + row];
         p < first_partner_[group.begin + row + 1]; ++p)
      cost[row * n + partners_[p].site - group.begin] = partners_[p].square;
  const std::vector<int> columns = math::least_cost_assignment(cost, static_cast<int>(n));
  for (std::size_t row = 0; row < n; ++row) {
    const std::size_t j = group.begin + row;
    std::size_t p = first_partner_[j];
    while (p < first_partner_[j + 1] &&
           partners_[p].site != group.begin + static_cast<std::size_t>(columns[row]))
      ++p;
    if (p == first_partner_[j + 1]) return false;
    chosen_[j] = p;
  }
  return true;
}

/// Distances of the chosen pairs, the average displacement taken away.
void Overlays::measure(const AverageLattice& average) {
  const auto n = static_cast<double>(b_.size());
  Vector3 mean{};
  for (const std::size_t p : chosen_)
    for (int k = 0; k < 3; ++k) mean[k] += partners_[p].displacement[k] / n;
  double sum = 0, largest = 0;
  for (const std::size_t p : chosen_) {
    Vector3 x = partners_[p].displacement;
    for (int k = 0; k < 3; ++k) x[k] -= mean[k];
    const double square = std::max(average.square(x), 0.0);
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

Match match(const MatchCell& a, const MatchCell& b, const MatchOptions& options) {
  check(options);
  if (a.reduced().z != b.reduced().z) return {};
  return Overlays(a, b, options).best();
}

Match match(const Structure& a, const Structure& b, const MatchOptions& options) {
  return match(MatchCell(a), MatchCell(b), options);
}

std::vector<Match> match_pairs(const std::vector<MatchCell>& first,
                               const std::vector<MatchCell>& second,
                               const std::vector<std::pair<std::int32_t, std::int32_t>>& pairs,
                               const MatchOptions& options, const Progress& progress) {
  check(options);
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
