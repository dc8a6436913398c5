// A crystal made ready for comparison: primitive within a tolerance, reduced, grouped by element.
#include "materials/matcher_cell.hpp"

#include <spglib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>
#include <tuple>

#include "base/fail.hpp"          // for fail
#include "kronite/matcher.hpp"    // for MatchCell
#include "materials/lattice.hpp"  // for minus, wrap, reciprocal, fractional

namespace kronite {
namespace matcher {
namespace {

/// To the nearest equal point: each coordinate in [-0.5, 0.5].
Vector3 nearest(Vector3 x) {
  for (double& c : x) c -= std::round(c);
  return x;
}

bool within(const Vector3& x, const Vector3& tolerance) {
  return std::abs(x[0]) < tolerance[0] && std::abs(x[1]) < tolerance[1] &&
         std::abs(x[2]) < tolerance[2];
}

Vector3 plus(const Vector3& a, const Vector3& b, double times = 1) {
  return {a[0] + times * b[0], a[1] + times * b[1], a[2] + times * b[2]};
}

/// The translation k / p of a cell, p a prime: with it the lattice has p times as many points.
struct Translation {
  std::array<int, 3> k;
  int p;

  Vector3 vector() const { return {double(k[0]) / p, double(k[1]) / p, double(k[2]) / p}; }
};

std::vector<int> prime_factors(int n) {
  std::vector<int> factors;
  for (int p = 2; p <= n; ++p)
    if (n % p == 0) {
      factors.push_back(p);
      while (n % p == 0) n /= p;
    }
  return factors;
}

/// Searches one cell for translations within the tolerance.
class TranslationSearch {
 public:
  TranslationSearch(const Structure& cell, double tolerance) : cell_(cell) {
    const Vector3 length = lengths(cell.lattice);
    for (int i = 0; i < 3; ++i) tolerance_[i] = tolerance / length[i];
    for (std::size_t i = 0; i < cell.size(); ++i) sites_of_[cell.z[i]].push_back(i);
  }

  /// The cell of the denser lattice, if there is a translation; not yet reduced.
  std::optional<Structure> smaller_cell() const;

 private:
  using Orbits = std::vector<std::vector<std::size_t>>;

  std::optional<Translation> as_translation(const Vector3& vector, int p) const;
  bool add_orbits(const std::vector<std::size_t>& sites, const Translation& t,
                  Orbits& orbits) const;
  std::optional<Orbits> orbits(const Translation& t) const;
  Structure merged(const Translation& t, const Orbits& orbits) const;

  const Structure& cell_;
  Vector3 tolerance_{};  // fractional
  std::array<std::vector<std::size_t>, 256> sites_of_;
};

std::optional<Translation> TranslationSearch::as_translation(const Vector3& vector, int p) const {
  Translation t{{}, p};
  Vector3 off;
  for (int i = 0; i < 3; ++i) {
    const double steps = std::round(p * vector[i]);
    off[i] = vector[i] - steps / p;
    t.k[i] = (static_cast<int>(steps) % p + p) % p;
  }
  if (t.k == std::array<int, 3>{} || !within(off, tolerance_)) return std::nullopt;
  return t;
}

/// Sites of one element in rings of p, each step of a ring a translation; member m lies near the
/// first one moved m times. False when they do not fall into such rings, or when members of a ring
/// moved back to the first lie too far from each other.
bool TranslationSearch::add_orbits(const std::vector<std::size_t>& sites, const Translation& t,
                                   Orbits& orbits) const {
  const Vector3 step = t.vector();
  std::vector<bool> taken(sites.size(), false);
  for (std::size_t s = 0; s < sites.size(); ++s) {
    if (taken[s]) continue;
    taken[s] = true;
    std::vector<std::size_t> ring{sites[s]};
    for (int m = 1; m < t.p; ++m) {
      std::optional<std::size_t> next;
      for (std::size_t other = s + 1; other < sites.size() && !next; ++other) {
        if (taken[other]) continue;
        const Vector3 moved_back = plus(cell_.fractional[sites[other]], step, -m);
        bool near_all = true;
        for (int before = 0; before < m && near_all; ++before)
          near_all = within(
              nearest(minus(moved_back, plus(cell_.fractional[ring[before]], step, -before))),
              tolerance_);
        if (near_all) next = other;
      }
      if (!next) return false;
      taken[*next] = true;
      ring.push_back(sites[*next]);
    }
    orbits.push_back(std::move(ring));
  }
  return true;
}

std::optional<TranslationSearch::Orbits> TranslationSearch::orbits(const Translation& t) const {
  Orbits found;
  for (const auto& sites : sites_of_)
    if (!add_orbits(sites, t, found)) return std::nullopt;
  std::sort(found.begin(), found.end());  // the order of the first sites
  return found;
}

/// In the basis in which one lattice vector is replaced by the translation.
Structure TranslationSearch::merged(const Translation& t, const Orbits& orbits) const {
  int replaced = 0;
  while (t.k[replaced] == 0) ++replaced;
  int multiple = 1;  // of the translation, so that its step along `replaced` is 1 / p
  while (multiple * t.k[replaced] % t.p != 1) ++multiple;
  Vector3 step;
  for (int i = 0; i < 3; ++i) step[i] = multiple * t.k[i] % t.p;

  Structure smaller;
  smaller.lattice = cell_.lattice;
  Vector3 replacement = step;
  for (double& x : replacement) x /= t.p;
  smaller.lattice[replaced] = cartesian(cell_.lattice, replacement);
  for (const auto& ring : orbits) {
    const Vector3& first = cell_.fractional[ring[0]];
    Vector3 mean = first;
    for (std::size_t m = 1; m < ring.size(); ++m)
      mean =
          plus(mean, nearest(minus(plus(cell_.fractional[ring[m]], t.vector(), -double(m)), first)),
               1.0 / t.p);
    Vector3 x;
    for (int i = 0; i < 3; ++i)
      x[i] = i == replaced ? t.p * mean[i] : mean[i] - mean[replaced] * step[i];
    smaller.fractional.push_back({wrap(x[0]), wrap(x[1]), wrap(x[2])});
    smaller.z.push_back(cell_.z[ring[0]]);
  }
  return smaller;
}

std::optional<Structure> TranslationSearch::smaller_cell() const {
  // Whatever translation there is, it brings the first site of the rarest element to another one.
  const std::vector<std::size_t>* rarest = nullptr;
  int divisor = 0;
  for (const auto& sites : sites_of_) {
    if (sites.empty()) continue;
    divisor = std::gcd(divisor, static_cast<int>(sites.size()));
    if (!rarest || sites.size() < rarest->size()) rarest = &sites;
  }
  for (const int p : prime_factors(divisor))
    for (std::size_t s = 1; s < rarest->size(); ++s) {
      const Vector3 vector =
          minus(cell_.fractional[(*rarest)[s]], cell_.fractional[rarest->front()]);
      const auto t = as_translation(vector, p);
      if (!t) continue;
      if (const auto rings = orbits(*t)) return merged(*t, *rings);
    }
  return std::nullopt;
}

}  // namespace

Structure niggli_cell(const Structure& structure) {
  constexpr double kTolerance = 1e-5;  // times the edge of a cube of the cell's volume
  double columns[3][3];
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) columns[i][j] = structure.lattice[j][i];
  const double epsilon = kTolerance * std::cbrt(volume(structure.lattice));
  Structure reduced = structure;
  if (spg_niggli_reduce(columns, epsilon) != 0)
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) reduced.lattice[j][i] = columns[i][j];
  const Lattice inverse = reciprocal(reduced.lattice);
  for (Vector3& x : reduced.fractional) {
    x = fractional(inverse, cartesian(structure.lattice, x));
    for (double& c : x) c = wrap(c);
  }
  return reduced;
}

std::optional<Structure> smaller_cell(const Structure& cell, double tolerance) {
  const auto smaller = TranslationSearch(cell, tolerance).smaller_cell();
  if (!smaller) return std::nullopt;
  return niggli_cell(*smaller);
}

Structure primitive_within(const Structure& structure, double tolerance) {
  Structure cell = niggli_cell(structure);
  while (auto smaller = smaller_cell(cell, tolerance)) cell = std::move(*smaller);
  return cell;
}

}  // namespace matcher

namespace {

constexpr double kPrimitiveTolerance = 0.25;  // Å
/// A translation within it would be found in another disturbed copy of the crystal as well.
constexpr double kSafely = 0.1;  // Å

/// The lattice points as far away as the longest lattice vector are what a comparison looks at.
void check_shape(const Structure& cell) {
  constexpr double kMostPoints = 2e6;  // 0.1 s
  const Vector3 length = lengths(cell.lattice);
  const double longest = *std::max_element(length.begin(), length.end());
  const double points =
      4 * std::numbers::pi / 3 * longest * longest * longest / volume(cell.lattice);
  if (points > kMostPoints)
    fail(Errc::invalid_argument,
         "the reduced cell, {:.4g} x {:.4g} x {:.4g} Å, is too long and narrow to be compared",
         length[0], length[1], length[2]);
}

MatchCell::Level grouped_by_element(const Structure& cell) {
  std::array<std::size_t, 256> count{};
  for (const std::uint8_t z : cell.z) ++count[z];
  const auto by_element = [&](std::size_t i) { return std::tuple(count[cell.z[i]], cell.z[i]); };
  std::vector<std::size_t> order(cell.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::size_t first_of_rarest = *std::min_element(
      order.begin(), order.end(),
      [&](std::size_t i, std::size_t j) { return count[cell.z[i]] < count[cell.z[j]]; });
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return by_element(i) < by_element(j); });

  MatchCell::Level level{{cell.lattice, {}, {}}, 0};
  for (std::size_t place = 0; place < order.size(); ++place) {
    if (order[place] == first_of_rarest) level.reference = place;
    level.cell.fractional.push_back(cell.fractional[order[place]]);
    level.cell.z.push_back(cell.z[order[place]]);
  }
  return level;
}

}  // namespace

MatchCell::MatchCell(const Structure& structure) {
  check_structure(structure);
  std::optional<Structure> cell = matcher::primitive_within(structure, kSafely);
  for (; cell; cell = matcher::smaller_cell(*cell, kPrimitiveTolerance)) {
    check_shape(*cell);
    levels_.push_back(grouped_by_element(*cell));
  }
}

}  // namespace kronite
