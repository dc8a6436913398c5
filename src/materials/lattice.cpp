// Lattice parameters and coordinates.
#include "materials/lattice.hpp"

#include <algorithm>
#include <numbers>

#include "base/fail.hpp"  // for fail

namespace kronite {
namespace {

constexpr double kDegree = std::numbers::pi / 180;

/// cos of an angle in degrees, exactly 0 at 90 so that orthogonal cells have exact zeros.
double cosine(double degrees) { return degrees == 90 ? 0.0 : std::cos(degrees * kDegree); }

double angle_between(const Vector3& a, const Vector3& b) {
  const double c = dot(a, b) / (norm(a) * norm(b));
  return std::acos(std::clamp(c, -1.0, 1.0)) / kDegree;
}

}  // namespace

double volume(const Lattice& lattice) {
  return std::abs(dot(lattice[0], cross(lattice[1], lattice[2])));
}

Vector3 lengths(const Lattice& lattice) {
  return {norm(lattice[0]), norm(lattice[1]), norm(lattice[2])};
}

Vector3 angles(const Lattice& lattice) {
  return {angle_between(lattice[1], lattice[2]), angle_between(lattice[0], lattice[2]),
          angle_between(lattice[0], lattice[1])};
}

Lattice lattice_from_parameters(const Vector3& lengths, const Vector3& angles) {
  const auto positive = [](double x) { return std::isfinite(x) && x > 0; };
  if (!std::all_of(lengths.begin(), lengths.end(), positive) ||
      !std::all_of(angles.begin(), angles.end(), [&](double x) { return positive(x) && x < 180; }))
    fail(Errc::invalid_argument,
         "cell lengths must be positive and angles between 0 and 180 degrees; given a, b, c = {}, "
         "{}, {} and alpha, beta, gamma = {}, {}, {}",
         lengths[0], lengths[1], lengths[2], angles[0], angles[1], angles[2]);
  const double cos_alpha = cosine(angles[0]), cos_beta = cosine(angles[1]);
  const double cos_gamma = cosine(angles[2]);
  const double sin_gamma = std::sqrt(1 - cos_gamma * cos_gamma);
  const double c_x = cos_beta, c_y = (cos_alpha - cos_beta * cos_gamma) / sin_gamma;
  const double c_z_squared = 1 - c_x * c_x - c_y * c_y;
  if (!(c_z_squared > 0))
    fail(Errc::invalid_argument, "no cell has the angles {}, {}, {}: they do not close", angles[0],
         angles[1], angles[2]);
  const auto [a, b, c] = lengths;
  return {{{a, 0, 0},
           {b * cos_gamma, b * sin_gamma, 0},
           {c * c_x, c * c_y, c * std::sqrt(c_z_squared)}}};
}

Vector3 cartesian(const Lattice& lattice, const Vector3& fractional) {
  Vector3 position;
  for (int k = 0; k < 3; ++k)
    position[k] = fractional[0] * lattice[0][k] + fractional[1] * lattice[1][k] +
                  fractional[2] * lattice[2][k];
  return position;
}

Vector3 plane_spacings(const Lattice& lattice) {
  const double v = volume(lattice);
  return {v / norm(cross(lattice[1], lattice[2])), v / norm(cross(lattice[2], lattice[0])),
          v / norm(cross(lattice[0], lattice[1]))};
}

Lattice reciprocal(const Lattice& lattice) {
  Lattice rows = {cross(lattice[1], lattice[2]), cross(lattice[2], lattice[0]),
                  cross(lattice[0], lattice[1])};
  const double determinant = dot(lattice[0], rows[0]);
  for (Vector3& row : rows)
    for (double& x : row) x /= determinant;
  return rows;
}

}  // namespace kronite
