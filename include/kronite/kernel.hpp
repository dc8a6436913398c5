// Kernel functions by name: what KMD and KRFD put between two points.
#pragma once

namespace kronite {

/// r = ||x - y||_2 except for the Laplacian, which takes r = ||x - y||_1; s is the length scale.
enum class KernelKind : int {
  gaussian = 0,   ///< exp(-r^2 / (2 s^2))
  laplacian = 1,  ///< exp(-r / s), r in the 1-norm
  matern32 = 2,   ///< (1 + q) exp(-q), q = sqrt(3) r / s
  matern52 = 3,   ///< (1 + q + q^2 / 3) exp(-q), q = sqrt(5) r / s
};

}  // namespace kronite
