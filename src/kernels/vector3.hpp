// Vectors of space for code that nvcc also builds.
#pragma once

#include <cmath>

#include "kernels/host_device.hpp"  // for KRONITE_HD

namespace kronite {

struct Vec3 {
  double x, y, z;
};

KRONITE_HD inline Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
KRONITE_HD inline Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
KRONITE_HD inline Vec3 operator*(double s, Vec3 a) { return {s * a.x, s * a.y, s * a.z}; }
KRONITE_HD inline double dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
KRONITE_HD inline double norm(Vec3 a) { return std::sqrt(dot(a, a)); }
KRONITE_HD inline Vec3 cross(Vec3 a, Vec3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

}  // namespace kronite
