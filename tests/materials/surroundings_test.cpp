// The kernels for sites against their definitions in plain loops: the Voronoi cell from all triples
// of planes, coordination numbers from the distinct weights, order parameters pole by pole.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cases/sites_cases.hpp"
#include "kernels/site_fingerprint.hpp"
#include "support/site_workspace.hpp"

namespace kronite {
namespace {

using test::order_parameters_of;
using test::orthogonal;
using test::random_value;
using test::view_of;
using test::Workspace;

// --- Voronoi cells and coordination numbers
// -------------------------------------------------------

Vec3 cartesian(const Structure& s, const Vector3& f) {
  Vec3 at{0, 0, 0};
  for (int k = 0; k < 3; ++k)
    at = at + f[k] * Vec3{s.lattice[k][0], s.lattice[k][1], s.lattice[k][2]};
  return at;
}

/// All points within 7 Å of a site, from more images of the cell than that takes.
std::vector<Vec3> points_around(const Structure& s, std::size_t centre, int images) {
  std::vector<Vec3> points;
  for (const Vector3& site : s.fractional)
    for (int a = -images; a <= images; ++a)
      for (int b = -images; b <= images; ++b)
        for (int c = -images; c <= images; ++c) {
          const Vec3 point = cartesian(
              s, {site[0] + a - s.fractional[centre][0], site[1] + b - s.fractional[centre][1],
                  site[2] + c - s.fractional[centre][2]});
          const double distance = norm(point);
          if (distance > 1e-6 && distance <= 7 + 1e-8) points.push_back(point);
        }
  return points;
}

/// Points where three of the planes halfway to `points` meet and that no plane cuts off.
std::vector<Vec3> vertices_of_cell(const std::vector<Vec3>& points) {
  const auto inside = [&](Vec3 v) {
    return std::all_of(points.begin(), points.end(),
                       [&](Vec3 p) { return dot(v, p) <= 0.5 * dot(p, p) + 1e-8; });
  };
  std::vector<Vec3> vertices;
  for (std::size_t i = 0; i < points.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      for (std::size_t k = 0; k < j; ++k) {
        const Vec3 p = points[i], q = points[j], r = points[k];
        const double determinant = dot(p, cross(q, r));
        if (std::abs(determinant) < 1e-6) continue;
        const Vec3 v = (0.5 / determinant) * (dot(p, p) * cross(q, r) + dot(q, q) * cross(r, p) +
                                              dot(r, r) * cross(p, q));
        const bool known = std::any_of(vertices.begin(), vertices.end(),
                                       [&](Vec3 other) { return norm(other - v) < 1e-6; });
        if (!known && inside(v)) vertices.push_back(v);
      }
  return vertices;
}

/// Of the triangle 0, a, b, c: the solid angle by the angles of the spherical triangle.
double solid_angle(Vec3 a, Vec3 b, Vec3 c) {
  const auto corner = [](Vec3 at, Vec3 from, Vec3 to) {
    const Vec3 m = cross(at, from), n = cross(at, to);
    return std::atan2(norm(cross(m, n)), dot(m, n));
  };
  return corner(a, b, c) + corner(b, c, a) + corner(c, a, b) - kPi;
}

struct Face {
  Vec3 point;
  VoronoiFace of;
};

/// Faces of more than 1e-6 Å^2.
std::vector<Face> faces_by_definition(const std::vector<Vec3>& points) {
  const std::vector<Vec3> vertices = vertices_of_cell(points);
  std::vector<Face> faces;
  for (const Vec3 p : points) {
    std::vector<Vec3> corners;
    for (const Vec3 v : vertices)
      if (std::abs(dot(v, p) - 0.5 * dot(p, p)) < 1e-6) corners.push_back(v);
    if (corners.size() < 3) continue;
    Vec3 middle{0, 0, 0};
    for (const Vec3 v : corners) middle = middle + (1 / double(corners.size())) * v;
    const Vec3 x = corners[0] - middle, y = (1 / norm(p)) * cross(p, x);
    std::sort(corners.begin(), corners.end(), [&](Vec3 v, Vec3 w) {
      const auto angle = [&](Vec3 u) { return std::atan2(dot(u - middle, y), dot(u - middle, x)); };
      return angle(v) < angle(w);
    });
    VoronoiFace face{0, 0};
    for (std::size_t n = 0; n < corners.size(); ++n) {
      const Vec3 v = corners[n], w = corners[(n + 1) % corners.size()];
      face.area += norm(cross(v - middle, w - middle)) / 2;
      face.solid_angle += solid_angle(middle, v, w);
    }
    if (face.area > 1e-6) faces.push_back({p, face});
  }
  return faces;
}

/// Of coordination numbers, from the weights Omega^2 / A.
std::map<int, double> probabilities_by_definition(const std::vector<Face>& faces) {
  std::vector<double> weights;
  for (const Face& f : faces) weights.push_back(f.of.solid_angle * f.of.solid_angle / f.of.area);
  const double largest = *std::max_element(weights.begin(), weights.end());
  std::map<double, int, std::greater<>> neighbours;  // by distinct weight
  for (const double w : weights)
    if (const double rounded = std::nearbyint(1000 * w / largest) / 1000; rounded > 0)
      ++neighbours[rounded];
  const auto area = [](double x) { return 0.5 * (x * std::sqrt(1 - x * x) + std::asin(x)); };
  std::map<int, double> probabilities;
  int number = 0;
  for (auto at = neighbours.begin(); at != neighbours.end(); ++at) {
    number += at->second;
    const auto next = std::next(at);
    probabilities[number] =
        (area(at->first) - (next == neighbours.end() ? 0 : area(next->first))) / (kPi / 4);
  }
  return probabilities;
}

/// Atoms in a cell at random, none closer than 1.5 Å to another.
Structure random_crystal(std::uint64_t seed) {
  Structure s{lattice_from_parameters({5.1, 5.9, 6.3}, {75 + double(seed), 99, 112}), {}, {}};
  std::uint64_t n = 0;
  const auto coordinate = [&] { return 0.5 + 0.5 * random_value(seed, n++); };
  while (s.size() < 6) {
    s.fractional.push_back({coordinate(), coordinate(), coordinate()});
    s.z.push_back(14);
    const auto points = points_around(s, s.size() - 1, 2);
    if (std::all_of(points.begin(), points.end(), [](Vec3 p) { return norm(p) > 1.5; })) continue;
    s.fractional.pop_back();
    s.z.pop_back();
  }
  return s;
}

std::vector<test::SitesCase> crystals() {
  const double h = 1.805;
  Structure skewed = test::perovskite();
  for (int k = 0; k < 3; ++k) {
    skewed.lattice[1][k] += 2 * skewed.lattice[0][k];
    skewed.lattice[2][k] -= skewed.lattice[0][k] + skewed.lattice[1][k];
  }
  for (Vector3& x : skewed.fractional) {  // the same atoms: x' B' = x B
    x[1] += x[2];
    x[0] -= 2 * x[1] - x[2];
  }
  return {
      {"close packing", {{{{0, h, h}, {h, 0, h}, {h, h, 0}}}, {{0, 0, 0}}, {29}}},
      {"body-centred", {orthogonal(2.87, 2.87, 2.87), {{0, 0, 0}, {0.5, 0.5, 0.5}}, {26, 26}}},
      {"diamond", {{{{0, h, h}, {h, 0, h}, {h, h, 0}}}, {{0, 0, 0}, {0.25, 0.25, 0.25}}, {6, 6}}},
      {"tetragonal", {orthogonal(3.1, 3.1, 4.7), {{0, 0, 0}, {0.5, 0.5, 0.37}}, {50, 8}}},
      {"rocksalt", test::halite()},
      {"perovskite in a skewed cell", skewed},
      {"no symmetry", test::triclinic()},
      {"random", random_crystal(3)},
      {"random", random_crystal(8)}};
}

/// The kernel's face towards `point`; of several that touch in one plane, their sum.
VoronoiFace face_towards(const VoronoiCell& cell, Vec3 point) {
  VoronoiFace sum{0, 0};
  for (int p = kBoxPlanes; p < cell.planes; ++p)
    if (norm(cell.distance[p] * cell.normal[p] - 0.5 * point) < 1e-9) {
      const VoronoiFace face = face_of(cell, p, cell.next);
      sum = {sum.solid_angle + face.solid_angle, sum.area + face.area};
    }
  return sum;
}

TEST(VoronoiCell, HasTheFacesOfItsDefinition) {
  for (const auto& [name, structure] : crystals())
    for (std::size_t site = 0; site < structure.size(); ++site) {
      SCOPED_TRACE(name + ", site " + std::to_string(site));
      const auto faces = faces_by_definition(points_around(structure, site, 8));
      Workspace w;

      ASSERT_EQ(site::find_cell(view_of(structure), static_cast<std::int64_t>(site), w.work),
                SiteStatus::good);

      ASSERT_GE(faces.size(), 4U);
      double all = 0;
      for (const Face& face : faces) {
        const VoronoiFace actual = face_towards(w.work.cell, face.point);
        // Vertices of the definition are good to some 1e-9 Å where planes meet at small angles.
        EXPECT_NEAR(actual.solid_angle, face.of.solid_angle, 1e-7);
        EXPECT_NEAR(actual.area, face.of.area, 1e-7);
        all += actual.solid_angle;
      }
      EXPECT_NEAR(all, 4 * kPi, 1e-5);  // no other faces, but those too small to be listed
    }
}

TEST(CoordinationNumbers, HaveTheProbabilitiesOfTheirDefinition) {
  for (const auto& [name, structure] : crystals())
    for (std::size_t site = 0; site < structure.size(); ++site) {
      SCOPED_TRACE(name + ", site " + std::to_string(site));
      const auto expected =
          probabilities_by_definition(faces_by_definition(points_around(structure, site, 8)));
      Workspace w;
      ASSERT_EQ(site::find_cell(view_of(structure), static_cast<std::int64_t>(site), w.work),
                SiteStatus::good);

      weigh_neighbours(w.work.cell, w.work.neighbours);
      std::map<int, double> actual;
      for_each_coordination(w.work.neighbours, [&](int n, double p) { actual[n] += p; });

      ASSERT_EQ(actual.size(), expected.size());
      for (const auto& [n, p] : expected) {
        ASSERT_EQ(actual.count(n), 1U) << n;
        EXPECT_NEAR(actual[n], p, 1e-14) << n;  // functions of the same rounded weights
      }
    }
}

// --- order parameters
// -----------------------------------------------------------------------------

double bell(double angle, double w, double centre) {
  return std::exp(-0.5 * std::pow(w * (angle / kPi - centre), 2));
}

double angle_of(Vec3 a, Vec3 b) {
  return std::acos(std::clamp(dot(a, b) / (norm(a) * norm(b)), -1., 1.));
}

Vec3 across(Vec3 pole, Vec3 u) { return u - dot(pole, u) * pole; }

/// A motif that is seen from a north pole along a meridian: `polar` of each polar angle under
/// `south`, cos^2(fold * azimuth), a bell of width w_south at pi for angles from `south` on.
struct View {
  std::function<double(double)> polar;
  double fold;
  double south = 10, w_south = 0;
  double widest = 10;
};

double best_view(const std::vector<Vec3>& u, const View& view) {
  double best = 0;
  for (std::size_t j = 0; j < u.size(); ++j)
    for (std::size_t k = 0; k < u.size(); ++k) {
      if (k == j) continue;
      double q = 0, n = 0;
      const double theta_k = angle_of(u[j], u[k]);
      if (theta_k < view.south) q += view.polar(theta_k), n += 1;
      const Vec3 p_k = across(u[j], u[k]);
      for (std::size_t m = 0; m < u.size() && norm(p_k) >= 1e-12; ++m) {
        if (m == j || m == k) continue;
        const double theta_m = angle_of(u[j], u[m]);
        if (theta_m >= view.south) q += bell(theta_m, view.w_south, 1), n += 1;
        const Vec3 p_m = across(u[j], u[m]);
        if (norm(p_m) < 1e-12 || theta_m >= view.south || theta_k >= view.south) continue;
        const double phi = angle_of(p_k, p_m);
        if (phi >= view.widest) continue;
        q += view.polar(theta_m) * std::pow(std::cos(view.fold * phi), 2), n += 1;
      }
      if (n > 0) best = std::max(best, q / n);
    }
  return best;
}

double cuboctahedron(const std::vector<Vec3>& u) {
  const double low = 75 * kPi / 180, high = 105 * kPi / 180, south = 160 * kPi / 180;
  double best = 0;
  for (std::size_t j = 0; j < u.size(); ++j)
    for (std::size_t k = 0; k < u.size(); ++k) {
      if (k == j) continue;
      double q = 0, n = 0;
      const double theta_k = angle_of(u[j], u[k]);
      if (theta_k >= south) q += 1.8 * bell(theta_k, 28.75, 1), n += 1.8;
      const Vec3 p_k = across(u[j], u[k]);
      for (std::size_t m = 0; m < u.size() && norm(p_k) >= 1e-12; ++m) {
        const Vec3 p_m = across(u[j], u[m]);
        const double theta_m = angle_of(u[j], u[m]);
        if (m == j || m == k || norm(p_m) < 1e-12 || theta_m >= south) continue;
        if (theta_k <= low || theta_k >= high) continue;
        const double phi = angle_of(p_k, p_m);
        if (theta_m > low && theta_m < high) {
          q += std::pow(std::cos(phi), 2) * bell(theta_m, 25.5, 0.5), n += 1;
        } else {
          const double fit = 0.0556 * (std::cos(phi - kPi / 2) - 0.81649658);
          q += std::exp(-0.5 * fit * fit) * bell(theta_m, 31.25, theta_m < low ? 1 / 3. : 2 / 3.);
          n += 1;
        }
      }
      if (n > 0) best = std::max(best, q / n);
    }
  return best;
}

/// Neighbours by descending weight, all different.
double body_centred(const std::vector<Vec3>& u) {
  const double south = 2.5261129449194057;
  double q = 0;
  for (std::size_t j = 0; j < u.size(); ++j)
    for (std::size_t k = j + 1; k < u.size(); ++k) {
      const double theta_k = angle_of(u[j], u[k]);
      if (theta_k >= south) {
        q += 6 * bell(theta_k, 15, 1);
        continue;
      }
      const Vec3 p_k = across(u[j], u[k]);
      for (std::size_t m = 0; m < u.size(); ++m) {
        const Vec3 p_m = across(u[j], u[m]);
        if (m == j || m == k || norm(p_m) < 1e-12) continue;
        const double t = (angle_of(u[j], u[m]) - kPi / 2) / std::asin(1 / 3.);
        q += (theta_k > kPi / 2 ? 1 : -1) * std::cos(3 * angle_of(p_k, p_m)) * std::exp(0.5) * t *
             std::exp(-0.5 * t * t);
      }
    }
  const auto n = static_cast<double>(u.size());
  return q / (0.5 * n * (6 + (n - 2) * (n - 3)));
}

/// By the addition theorem: P_l over all pairs, i = j included.
double steinhardt(const std::vector<Vec3>& u, unsigned l) {
  double sum = 0;
  for (const Vec3 a : u)
    for (const Vec3 b : u) sum += std::legendre(l, std::clamp(dot(a, b), -1., 1.));
  return std::sqrt(std::max(sum, 0.)) / static_cast<double>(u.size());
}

std::vector<double> order_parameters_by_definition(const std::vector<Vec3>& u) {
  const auto ring = [](double w, double centre) {
    return [=](double theta) { return bell(theta, w, centre); };
  };
  const auto equator = [&](double w) { return ring(w, 0.5); };
  const double tetrahedral = 0.6081734479693927, d135 = 135 * kPi / 180, d150 = 150 * kPi / 180;
  std::vector<View> views;
  switch (u.size()) {
    case 2: {
      std::vector<double> values;
      const double bends[][2] = {{0.5, 15.15},
                                 {0.5802777777777778, 13.95},
                                 {0.666666666667, 13.25},
                                 {0.833333333333333, 12.45},
                                 {1, 8.667}};
      for (const auto& [angle, w] : bends) values.push_back(bell(angle_of(u[0], u[1]), w, angle));
      return values;
    }
    case 3:
      views = {{ring(17.5, 0.66666666667), 1}, {ring(18.33, tetrahedral), 1.5}, {equator(15.5), 1}};
      break;
    case 4:
      views = {{equator(17.7), 1, d135, 13.5},
               {ring(18.5, tetrahedral), 1.5},
               {equator(27), 2, d135, 11.5, 0.75 * kPi},
               {equator(15.75), 1.5, d135, 12.75},
               {equator(15.5), 1.5}};
      break;
    case 5:
      views = {{[](double t) { return bell(t, 19.333, t <= 0.6 * kPi ? 0.4 : 0.8); }, 1},
               {equator(14.9), 2},
               {equator(16.6), 1.5, d135, 12}};
      break;
    case 6:
      views = {{[](double t) {
                  return std::exp(-0.5 * std::pow(25 * (std::abs(t / kPi - 0.5) - 0.16666667), 2));
                },
                1, d150, 7.5},
               {equator(18), 2, d135, 15},
               {equator(13.8), 2.5}};
      break;
    case 7:
      views = {{equator(12.5), 3}, {equator(14.75), 2.5, d135, 12.5}};
      break;
    case 8:
      return {body_centred(u), best_view(u, {equator(13.6), 3, d135, 14.1})};
    default: {
      std::vector<double> values;
      if (u.size() == 12) values.push_back(cuboctahedron(u));
      for (const unsigned l : {2U, 4U, 6U}) values.push_back(steinhardt(u, l));
      return values;
    }
  }
  std::vector<double> values;
  for (const View& view : views) values.push_back(best_view(u, view));
  return values;
}

/// The first n corners of a cuboctahedron, and then of a cube and an octahedron, each moved by
/// `noise` at most in x, y and z.
std::vector<Vec3> corners(std::size_t n, std::size_t skip, double noise, std::uint64_t seed) {
  const double s = std::sqrt(0.5), t = std::sqrt(1 / 3.);
  std::vector<Vec3> all;
  for (const double a : {1, -1})
    for (const double b : {1, -1}) {
      all.push_back({a * s, b * s, 0});
      all.push_back({a * s, 0, b * s});
      all.push_back({0, a * s, b * s});
    }
  for (const double a : {1, -1})
    for (const double b : {1, -1})
      for (const double c : {1, -1}) all.push_back({a * t, b * t, c * t});
  for (const double a : {1, -1}) {
    all.push_back({a, 0, 0});
    all.push_back({0, a, 0});
    all.push_back({0, 0, a});
  }
  std::vector<Vec3> chosen(all.begin() + skip, all.begin() + skip + n);
  std::uint64_t i = 0;
  for (Vec3& u : chosen) {
    const double x = random_value(seed, i++), y = random_value(seed, i++);
    u = u + noise * Vec3{x, y, random_value(seed, i++)};
    u = (1 / norm(u)) * u;
  }
  return chosen;
}

void expect_definition(const std::vector<Vec3>& u) {
  const auto actual = order_parameters_of(u, true), expected = order_parameters_by_definition(u);
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    // A square root of a sum that may cancel to 1e-15.
    const bool is_steinhardt = u.size() > 8 && i + 3 >= expected.size();
    EXPECT_NEAR(actual[i], expected[i], is_steinhardt ? 1e-7 : 1e-12) << i;
  }
}

TEST(OrderParameters, AreThoseOfTheirDefinition) {
  for (std::size_t n = 2; n <= 12; ++n)
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      SCOPED_TRACE(std::to_string(n) + " neighbours, " + std::to_string(seed));
      // From nearly regular to random, from each of the three bodies.
      const std::size_t skip = std::min<std::size_t>(n > 8 ? 0 : 6 * (seed % 4), 26 - n);
      expect_definition(corners(n, skip, 0.02 + 0.05 * static_cast<double>(seed), 100 * n + seed));
    }
}

TEST(OrderParameters, OfNeighboursExactlyOppositeAreThoseOfTheirDefinition) {
  // Not 8 of a cuboctahedron: some stand on the equator of others, where the sign of the
  // body-centred one is a rounding error's in the definition.
  for (std::size_t n = 2; n <= 12; ++n)
    for (const std::size_t skip : {std::size_t{0}, std::size_t{12}, 26 - n}) {
      if ((n == 8 && skip != 12) || (n > 8 && skip == 12)) continue;
      SCOPED_TRACE(std::to_string(n) + " neighbours, " + std::to_string(skip));
      expect_definition(corners(n, skip, 0, 0));
    }
}

}  // namespace
}  // namespace kronite
