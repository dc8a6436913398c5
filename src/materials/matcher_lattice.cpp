// Lattice points by length, then triples of them by angle.
#include "materials/matcher_lattice.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "materials/lattice.hpp"  // for dot, norm, reciprocal

namespace kronite::matcher {
namespace {

constexpr double kDegree = std::numbers::pi / 180;

/// A point of the lattice.
struct Point {
  std::array<int, 3> n;
  Vector3 vector;
  double length;
};

/// Those that may take the place of each vector of the target.
using Candidates = std::array<std::vector<Point>, 3>;

Candidates find_candidates(const Lattice& lattice, const Vector3& wanted, double ltol) {
  Candidates found;
  const double reach = *std::max_element(wanted.begin(), wanted.end()) * (1 + ltol);
  const Lattice inverse = reciprocal(lattice);
  std::array<int, 3> most;
  for (int i = 0; i < 3; ++i) most[i] = static_cast<int>(reach * norm(inverse[i]));
  for (int i = -most[0]; i <= most[0]; ++i)
    for (int j = -most[1]; j <= most[1]; ++j)
      for (int k = -most[2]; k <= most[2]; ++k) {
        const Vector3 vector = cartesian(lattice, {double(i), double(j), double(k)});
        const double square = dot(vector, vector);
        if (square >= reach * reach || square == 0) continue;
        const double length = std::sqrt(square);
        for (int c = 0; c < 3; ++c)
          if (length < wanted[c] * (1 + ltol) && length * (1 + ltol) > wanted[c])
            found[c].push_back({{i, j, k}, vector, length});
      }
  return found;
}

/// Open range of the cosine of an angle that lies within a tolerance of another.
struct CosineRange {
  double least, most;

  CosineRange(double degrees, double tolerance)
      : least(std::cos(std::min(degrees + tolerance, 180.0) * kDegree)),
        most(std::cos(std::max(degrees - tolerance, 0.0) * kDegree)) {}

  bool holds(const Point& u, const Point& v) const {
    const double product = dot(u.vector, v.vector), scale = u.length * v.length;
    return product > least * scale && product < most * scale;
  }
};

std::array<int, 3> cross(const std::array<int, 3>& a, const std::array<int, 3>& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

double angle(const Point& u, const Point& v) {
  return std::acos(std::clamp(dot(u.vector, v.vector) / (u.length * v.length), -1.0, 1.0)) /
         kDegree;
}

Vector3 mean_of(const Vector3& a, const Vector3& b) {
  return {(a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2};
}

/// Nothing when the mean angles close no cell.
std::optional<AverageLattice> average(const Vector3& length, const Vector3& degrees) {
  const double ca = std::cos(degrees[0] * kDegree), cb = std::cos(degrees[1] * kDegree),
               cc = std::cos(degrees[2] * kDegree);
  const double squared = 1 - ca * ca - cb * cb - cc * cc + 2 * ca * cb * cc;
  if (!(squared > 0)) return std::nullopt;
  const auto [a, b, c] = length;
  const double root = std::sqrt(squared);
  return AverageLattice{{a * a, b * b, c * c, b * c * ca, a * c * cb, a * b * cc},
                        a * b * c * root,
                        {std::sqrt(1 - ca * ca) / (a * root), std::sqrt(1 - cb * cb) / (b * root),
                         std::sqrt(1 - cc * cc) / (c * root)}};
}

}  // namespace

std::vector<Basis> similar_bases(const Lattice& lattice, const Lattice& target,
                                 const MatchOptions& options) {
  const Vector3 wanted = lengths(target), degrees = angles(target);
  const Candidates candidates = find_candidates(lattice, wanted, options.ltol);
  const CosineRange alpha(degrees[0], options.angle_tol), beta(degrees[1], options.angle_tol),
      gamma(degrees[2], options.angle_tol);
  std::vector<Basis> bases;
  for (const Point& a : candidates[0])
    for (const Point& b : candidates[1]) {
      if (!gamma.holds(a, b)) continue;
      const auto ab = cross(a.n, b.n);
      for (const Point& c : candidates[2]) {
        const int determinant = ab[0] * c.n[0] + ab[1] * c.n[1] + ab[2] * c.n[2];
        if (std::abs(determinant) != 1 || !alpha.holds(b, c) || !beta.holds(a, c)) continue;
        const Vector3 length{a.length, b.length, c.length};
        const Vector3 degree{angle(b, c), angle(a, c), angle(a, b)};
        const auto mean = average(mean_of(length, wanted), mean_of(degree, degrees));
        if (!mean) continue;
        double difference = 0;
        for (int k = 0; k < 3; ++k)
          difference += std::abs(std::log(length[k] / wanted[k])) +
                        std::abs(degree[k] - degrees[k]) * kDegree;
        // The inverse of the integer matrix with the rows a, b, c.
        const auto bc = cross(b.n, c.n), ca = cross(c.n, a.n);
        Basis basis{{}, *mean, difference};
        for (int j = 0; j < 3; ++j)
          basis.to_fractional[j] = {determinant * bc[j], determinant * ca[j], determinant * ab[j]};
        bases.push_back(basis);
      }
    }
  std::stable_sort(bases.begin(), bases.end(), [](const Basis& first, const Basis& second) {
    return first.difference < second.difference;
  });
  return bases;
}

}  // namespace kronite::matcher
