// What smoothing along both sides does to one component of curves, and the band of one value
// (Smoothing, BandView: device/ops.hpp). The CPU and CUDA forms of FunctionalOps share it.
#pragma once

#include <cmath>
#include <cstdint>

#include "device/ops.hpp"           // for Smoothing, BandView
#include "kernels/element.hpp"      // for element
#include "kernels/host_device.hpp"  // for KRONITE_HD

namespace kronite {

/// factor x column_j + beta out, where beta = 0 keeps out of it whatever it is.
KRONITE_HD inline double scaled(double factor, double x, const VectorView<const double>& column,
                                std::int64_t j, double beta, double out) {
  const double value = factor * x * (column.size == 0 ? 1.0 : column.data[j]);
  return beta == 0 ? value : value + beta * out;
}

/// 1 - a_i b_j as (1 - a_i) + a_i (1 - b_j): a sum of two numbers that are not below zero.
KRONITE_HD inline double smoothing_omega(const Smoothing& w, std::int64_t i, std::int64_t j) {
  const double s = w.s.data[i], d = w.d.data[j];
  return (w.lambda_s + s * (w.lambda_d / (d + w.lambda_d))) / (s + w.lambda_s);
}

/// Adds component ij to the sums of row i; y = 0 where `y` has no data.
KRONITE_HD inline void add_smoothing(const Smoothing& w, const double* v,
                                     const MatrixView<const double>& y, std::int64_t i,
                                     std::int64_t j, double* sums) {
  const double omega = smoothing_omega(w, i, j);
  const double value = y.data ? element(y, i, j) : 0.0;
  const double b = w.d.data[j] / (w.d.data[j] + w.lambda_d);
  const double v_omega = v[j] * omega;
  sums[kSumQ] += v[j] * v_omega;
  sums[kSumR] += v_omega * value;
  sums[kSumQuad] += omega * value * value;
  sums[kSumLog] += std::log(omega);
  sums[kSumOver] += b / omega;
  sums[kSumQ2] += v_omega * v_omega;
}

/// A sum of squares, so that rounding cannot make it negative.
KRONITE_HD inline double band_value(const BandView& band, std::int64_t i, std::int64_t j) {
  const double beta = band.beta.data[j];
  const double first = band.first.data[i] + band.along.data[i] * beta;
  const double rest = band.rest.data[i] * beta;
  const double share = band.u.data[i] * band.w.data[j] + first * first + rest * rest;
  return std::sqrt(band.variance * share + band.noise);
}

}  // namespace kronite
