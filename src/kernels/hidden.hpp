// Arithmetic of a hidden layer in training: normalisation, ReLU and dropout, forwards and back.
#pragma once

#include <cmath>
#include <cstdint>

#include "device/ops.hpp"           // for HiddenView
#include "kernels/activation.hpp"   // for relu
#include "kernels/dropout.hpp"      // for dropout_bits, dropout_slot
#include "kernels/element.hpp"      // for element
#include "kernels/host_device.hpp"  // for KRONITE_HD

namespace kronite {

template <class T>
struct Moments {
  T mean, variance;
};

/// From sums of x and x^2, x = value - about. `about` is a value of the column, so that a large
/// mean does not cancel the variance away.
template <class T>
KRONITE_HD inline Moments<T> moments_about(T about, double sum, double squares, double rows) {
  const double shift = sum / rows;
  const double variance = squares / rows - shift * shift;
  return {static_cast<T>(static_cast<double>(about) + shift),
          static_cast<T>(variance < 0 ? 0 : variance)};
}

template <class T>
KRONITE_HD inline T inverse_deviation(T variance, T epsilon) {
  using std::sqrt;
  return T{1} / sqrt(variance + epsilon);
}

/// a = slope z + offset.
template <class T>
struct UnitAffine {
  T slope, offset;
};

/// The affine map of unit u. Without normalisation the moments are not read.
template <class T>
KRONITE_HD inline UnitAffine<T> unit_affine(const HiddenView<T>& hidden, const T* mean,
                                            const T* variance, std::int64_t u) {
  const T beta = hidden.beta.data[u];
  if (hidden.gamma.size == 0) return {T{1}, beta};
  const T slope = hidden.gamma.data[u] * inverse_deviation(variance[u], hidden.epsilon);
  return {slope, beta - slope * mean[u]};
}

/// What dropout makes of the values that it keeps.
template <class T>
T kept_scale(const HiddenView<T>& hidden) {
  return static_cast<T>(1 / (1 - hidden.dropout));
}

/// dL/da from dL/dy. A value that is not positive was dropped, or ReLU made it zero.
template <class T>
KRONITE_HD inline T activation_gradient(T y, T kept_scale, T gradient) {
  return y > T{0} ? kept_scale * gradient : T{0};
}

/// dL/dz = slope (g - offset - (z - mean) along) with g = dL/da: the chain rule through mean and
/// variance (Ioffe and Szegedy 2015). offset is mean(g), along (z - mean) is x mean(g x).
template <class T>
struct NormalisationGradient {
  T slope, offset, along;
};

template <class T>
KRONITE_HD inline NormalisationGradient<T> normalisation_gradient(T gamma, T inverse, T d_gamma,
                                                                  T d_beta, T rows) {
  return {gamma * inverse, d_beta / rows, d_gamma / rows * inverse};
}

/// y of the units of row n that take their random bits from one draw.
template <class T>
KRONITE_HD inline void activate_draw(const HiddenView<T>& hidden, std::uint32_t threshold,
                                     T kept_scale, const MatrixView<const T>& z, const T* mean,
                                     const T* variance, std::int64_t n, std::int64_t draw,
                                     const MatrixView<T>& y) {
  RandomBits bits{};
  if (threshold != 0) bits = dropout_bits(hidden.key, n, draw);
  for (int slot = 0; slot < kDropoutBlock / kDropoutDraws; ++slot) {
    const std::int64_t u = dropout_unit(draw, slot);
    if (u >= z.cols) return;
    const UnitAffine<T> affine = unit_affine(hidden, mean, variance, u);
    const T keep = dropout_slot(bits, slot) < threshold ? T{0} : kept_scale;
    element(y, n, u) = relu(affine.slope * element(z, n, u) + affine.offset) * keep;
  }
}

}  // namespace kronite
