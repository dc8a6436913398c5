// Order parameters: how well the directions of N neighbours fit a motif such as the octahedron
// (Zimmermann and Jain, RSC Adv. 10 (2020) 6063; Peters, J. Chem. Phys. 131 (2009) 244103), and the
// bond-orientational ones of Steinhardt, Nelson and Ronchetti (Phys. Rev. B 28 (1983) 784).
//
// Most read: take neighbour j as the north pole and k as the prime meridian; sum how well the
// others fit the motif in polar angle theta and azimuth phi; the best choice of j and k counts.
#pragma once

#include <cmath>

#include "kernels/coordination.hpp"  // for kEqualWeights
#include "kernels/host_device.hpp"   // for KRONITE_HD
#include "kernels/vector3.hpp"       // for Vec3

namespace kronite {

/// Motifs are known up to this many neighbours.
inline constexpr int kLargestMotif = 12;
inline constexpr double kPi = 3.14159265358979323846;

/// What all motifs of a site need of its first kLargestMotif neighbours; computed once.
struct Surroundings {
  int size;
  double weight[kLargestMotif];
  double cosine[kLargestMotif][kLargestMotif];  // u_j . u_k
  double theta[kLargestMotif][kLargestMotif];   // its angle
  // Unit vector of u_k's part across u_j; zero where u_k is parallel to u_j.
  Vec3 meridian[kLargestMotif][kLargestMotif];
  bool parallel[kLargestMotif][kLargestMotif];
};

namespace motif {

KRONITE_HD inline double clamp_cosine(double c) { return c > 1 ? 1 : c < -1 ? -1 : c; }

/// exp(-(w (theta / pi - centre))^2 / 2)
KRONITE_HD inline double bell(double theta, double w, double centre) {
  const double t = w * (theta / kPi - centre);
  return std::exp(-0.5 * t * t);
}

/// cos^2(m phi / 2) from c = cos(phi), m = 2..6.
KRONITE_HD inline double cos_squared(int m, double c) {
  const double s = c * c;
  switch (m) {
    case 2:
      return s;
    case 3:
      return 0.5 * (1 + c * (4 * s - 3));
    case 4:
      return (2 * s - 1) * (2 * s - 1);
    case 5:
      return 0.5 * (1 + c * ((16 * s - 20) * s + 5));
    default:
      return s * (4 * s - 3) * (4 * s - 3);
  }
}

/// cos(phi) between neighbours k and m around j; neither may be parallel to j.
KRONITE_HD inline double cos_azimuth(const Surroundings& s, int j, int k, int m) {
  return clamp_cosine(dot(s.meridian[j][k], s.meridian[j][m]));
}

// --- what a motif expects of the polar angle ----------------------------------------------------

struct Ring {  ///< neighbours at one polar angle, in fractions of pi
  double w, angle;
  KRONITE_HD double operator()(double theta) const { return bell(theta, w, angle); }
};
struct TwoRings {  ///< at `angle` above and below the equator
  double w, angle;
  KRONITE_HD double operator()(double theta) const {
    const double t = w * (std::fabs(theta / kPi - 0.5) - angle);
    return std::exp(-0.5 * t * t);
  }
};
struct Pentagon {  ///< next corners at 0.4 pi, the others at 0.8 pi
  double w;
  KRONITE_HD double operator()(double theta) const {
    return bell(theta, w, theta <= 0.6 * kPi ? 0.4 : 0.8);
  }
};

/// Neighbours from polar angle `from` on count as south poles, with a bell of width w at pi.
struct SouthPole {
  double from = 2 * kPi;  // none
  double w = 0;
};
inline constexpr double kDegree = kPi / 180;

/// f(theta) of each pair of neighbours; theta does not depend on which of the two is the pole.
struct PairValues {
  double of[kLargestMotif][kLargestMotif];

  template <class F>
  KRONITE_HD PairValues(const Surroundings& s, int n, F f) {
    for (int j = 0; j < n; ++j)
      for (int k = 0; k < j; ++k) of[j][k] = of[k][j] = f(s.theta[j][k]);
  }
};

/// Best ratio of fit to count over all north poles and meridians; `fold` is the m of cos_squared().
/// Pairs of azimuth beyond `widest` are left out.
template <class Polar>
KRONITE_HD inline double best_view(const Surroundings& s, int n, Polar polar, SouthPole south,
                                   int fold, double widest = 2 * kPi) {
  const PairValues values(s, n, [=](double theta) {
    return theta >= south.from ? bell(theta, south.w, 1) : polar(theta);
  });
  double best = 0;
  for (int j = 0; j < n; ++j) {
    const double* value = values.of[j];
    double sum[kLargestMotif], count[kLargestMotif];
    double south_sum = 0, south_count = 0;
    for (int k = 0; k < n; ++k) {
      const bool counts = k != j && s.theta[j][k] < south.from;
      sum[k] = counts ? value[k] : 0;
      count[k] = counts ? 1 : 0;
      if (k == j || counts) continue;
      south_sum += value[k];
      south_count += 1;
    }
    for (int k = 0; k < n; ++k) {
      if (k == j || s.parallel[j][k]) continue;
      const bool at_pole = s.theta[j][k] >= south.from;
      sum[k] += south_sum - (at_pole ? value[k] : 0);
      count[k] += south_count - (at_pole ? 1 : 0);
      if (at_pole) continue;
      for (int m = 0; m < k; ++m) {
        if (m == j || s.parallel[j][m] || s.theta[j][m] >= south.from) continue;
        const double c = cos_azimuth(s, j, k, m);
        if (widest < kPi && !(std::acos(c) < widest)) continue;
        const double fit = cos_squared(fold, c);
        sum[k] += fit * value[m];
        sum[m] += fit * value[k];
        count[k] += 1;
        count[m] += 1;
      }
    }
    for (int k = 0; k < n; ++k)
      if (count[k] > 0 && sum[k] > best * count[k]) best = sum[k] / count[k];
  }
  return best;
}

/// Two neighbours at `angle` (in fractions of pi).
KRONITE_HD inline double bent(const Surroundings& s, double angle, double w) {
  return bell(s.theta[0][1], w, angle);
}

KRONITE_HD inline double cuboctahedron(const Surroundings& s, int n) {
  constexpr double kSouth = 160 * kDegree, kLow = 75 * kDegree, kHigh = 105 * kDegree;
  constexpr double kSouthShare = 1.8;
  const PairValues values(s, n, [=](double theta) {
    return theta >= kSouth                 ? kSouthShare * bell(theta, 28.75, 1)
           : theta > kLow && theta < kHigh ? bell(theta, 25.5, 0.5)
           : theta < kLow                  ? bell(theta, 31.25, 1 / 3.)
                                           : bell(theta, 31.25, 2 / 3.);
  });
  double best = 0;
  for (int j = 0; j < n; ++j)
    for (int k = 0; k < n; ++k) {
      if (k == j) continue;
      const double theta = s.theta[j][k];
      double sum = 0, count = 0;
      if (theta >= kSouth) {
        sum = values.of[j][k];
        count = kSouthShare;
      }
      const bool equatorial = theta > kLow && theta < kHigh && !s.parallel[j][k];
      for (int m = 0; equatorial && m < n; ++m) {
        const double other = s.theta[j][m];
        if (m == j || m == k || s.parallel[j][m] || other >= kSouth) continue;
        if (other == kLow || other == kHigh) continue;  // of neither kind
        const double c = cos_azimuth(s, j, k, m);
        const double t = 0.0556 * (std::sqrt(1 - c * c) - 0.81649658);
        const bool on_equator = other > kLow && other < kHigh;
        sum += (on_equator ? c * c : std::exp(-0.5 * t * t)) * values.of[j][m];
        count += 1;
      }
      if (count > 0 && sum > best * count) best = sum / count;
    }
  return best;
}

/// The definition takes each pair (j, k) with j before k in the order of weights, and so depends on
/// how equal weights happen to be ordered. Here the pairs of equal weights count half in both
/// orders, which is the mean over all their orders. Likewise a term changes its sign where k
/// crosses the equator: on the equator it is the mean, zero.
KRONITE_HD inline double body_centred_cubic(const Surroundings& s, int n) {
  constexpr double kSouth = 2.5261129449194057, kSouthShare = 6, kRightAngle = 1e-9;
  const double lean = std::asin(1 / 3.);
  double sum = 0;
  for (int j = 0; j < n; ++j) {
    double tilt[kLargestMotif];
    for (int m = 0; m < n; ++m) {
      const double t = (s.theta[j][m] - kPi / 2) / lean;
      tilt[m] = std::exp(0.5) * t * std::exp(-0.5 * t * t);
    }
    for (int k = 0; k < n; ++k) {
      if (k == j) continue;
      const bool tied = std::fabs(s.weight[j] - s.weight[k]) <= kEqualWeights;
      if (!tied && j > k) continue;
      double fit = 0;
      if (s.theta[j][k] >= kSouth) {
        fit = kSouthShare * bell(s.theta[j][k], 15, 1);
      } else if (!s.parallel[j][k]) {
        for (int m = 0; m < n; ++m) {
          if (m == j || m == k || s.parallel[j][m]) continue;
          const double c = cos_azimuth(s, j, k, m);
          fit += c * (4 * c * c - 3) * tilt[m];  // cos(3 phi)
        }
        const double lean_of_k = s.theta[j][k] - kPi / 2;
        fit = lean_of_k > kRightAngle ? fit : lean_of_k < -kRightAngle ? -fit : 0;
      }
      sum += tied ? 0.5 * fit : fit;
    }
  }
  return sum / (0.5 * n * (kSouthShare + (n - 2) * (n - 3)));
}

/// q_l = sqrt(4 pi / (2 l + 1) sum_m |mean_i Y_lm(u_i)|^2) by the addition theorem:
/// sqrt(sum_ij P_l(u_i . u_j)) / n. Where it should be 0 it is up to 1e-8.
struct Steinhardt {
  double q2, q4, q6;
};

KRONITE_HD inline Steinhardt steinhardt(const Surroundings& s, int n) {
  double p2 = n, p4 = n, p6 = n;  // i = j
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < i; ++j) {
      const double x = s.cosine[i][j] * s.cosine[i][j];
      p2 += 3 * x - 1;
      p4 += ((35 * x - 30) * x + 3) / 4;
      p6 += (((231 * x - 315) * x + 105) * x - 5) / 8;
    }
  const auto q = [n](double sum) { return sum > 0 ? std::sqrt(sum) / n : 0; };
  return {q(p2), q(p4), q(p6)};
}

}  // namespace motif

/// Of the first min(neighbours.size, kLargestMotif) neighbours.
KRONITE_HD inline void look_around(const NeighbourList& neighbours, Surroundings& s) {
  constexpr double kParallel = 1e-12;
  s.size = neighbours.size < kLargestMotif ? neighbours.size : kLargestMotif;
  for (int j = 0; j < s.size; ++j) {
    s.weight[j] = neighbours.weight[j];
    const Vec3 north = neighbours.direction[j];
    for (int k = 0; k < s.size; ++k) {
      const Vec3 u = neighbours.direction[k];
      const double cosine = motif::clamp_cosine(dot(north, u));
      const Vec3 across = u - dot(u, north) * north;
      const double length = norm(across);
      s.cosine[j][k] = cosine;
      s.theta[j][k] = k < j ? s.theta[k][j] : std::acos(cosine);
      s.parallel[j][k] = length < kParallel;
      s.meridian[j][k] = s.parallel[j][k] ? Vec3{0, 0, 0} : (1 / length) * across;
    }
  }
}

/// Order parameters of all motifs of n neighbours (1 <= n <= kLargestMotif, n <= s.size) in the
/// fingerprint's order; returns how many. Widths and angles are pymatgen's.
KRONITE_HD inline int order_parameters(const Surroundings& s, int n, double* out) {
  using namespace motif;
  constexpr double kTetrahedral = 0.6081734479693927;  // of pi: 109.47 degrees
  const auto equator = [](double w) { return Ring{w, 0.5}; };
  const auto south = [](double degrees, double w) { return SouthPole{degrees * kDegree, w}; };
  switch (n) {
    case 1:  // single bond
      out[0] = 1;
      return 1;
    case 2:  // L-shaped, water-like, bent 120 degrees, bent 150 degrees, linear
      out[0] = bent(s, 0.5, 15.15);
      out[1] = bent(s, 0.5802777777777778, 13.95);
      out[2] = bent(s, 0.666666666667, 13.25);
      out[3] = bent(s, 0.833333333333333, 12.45);
      out[4] = bent(s, 1, 8.667);
      return 5;
    case 3:  // trigonal planar, trigonal non-coplanar, T-shaped
      out[0] = best_view(s, n, Ring{17.5, 0.66666666667}, {}, 2);
      out[1] = best_view(s, n, Ring{18.33, kTetrahedral}, {}, 3);
      out[2] = best_view(s, n, equator(15.5), {}, 2);
      return 3;
    case 4:  // square co-planar, tetrahedral, rectangular see-saw, see-saw, trigonal pyramidal
      out[0] = best_view(s, n, equator(17.7), south(135, 13.5), 2);
      out[1] = best_view(s, n, Ring{18.5, kTetrahedral}, {}, 3);
      out[2] = best_view(s, n, equator(27), south(135, 11.5), 4, 0.75 * kPi);
      out[3] = best_view(s, n, equator(15.75), south(135, 12.75), 3);
      out[4] = best_view(s, n, equator(15.5), {}, 3);
      return 5;
    case 5:  // pentagonal planar, square pyramidal, trigonal bipyramidal
      out[0] = best_view(s, n, Pentagon{19.333}, {}, 2);
      out[1] = best_view(s, n, equator(14.9), {}, 4);
      out[2] = best_view(s, n, equator(16.6), south(135, 12), 3);
      return 3;
    case 6:  // hexagonal planar, octahedral, pentagonal pyramidal
      out[0] = best_view(s, n, TwoRings{25, 0.16666667}, south(150, 7.5), 2);
      out[1] = best_view(s, n, equator(18), south(135, 15), 4);
      out[2] = best_view(s, n, equator(13.8), {}, 5);
      return 3;
    case 7:  // hexagonal pyramidal, pentagonal bipyramidal
      out[0] = best_view(s, n, equator(12.5), {}, 6);
      out[1] = best_view(s, n, equator(14.75), south(135, 12.5), 5);
      return 2;
    case 8:  // body-centred cubic, hexagonal bipyramidal
      out[0] = body_centred_cubic(s, n);
      out[1] = best_view(s, n, equator(13.6), south(135, 14.1), 6);
      return 2;
    default: {  // q2, q4, q6, and before them the cuboctahedron for 12
      int count = 0;
      if (n == 12) out[count++] = cuboctahedron(s, n);
      const Steinhardt q = steinhardt(s, n);
      out[count++] = q.q2;
      out[count++] = q.q4;
      out[count++] = q.q6;
      return count;
    }
  }
}

}  // namespace kronite
