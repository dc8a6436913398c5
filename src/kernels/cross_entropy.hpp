// Loss and gradient of one row of two logits.
#pragma once

#include <cmath>

#include "kernels/activation.hpp"   // for softmax_second
#include "kernels/host_device.hpp"  // for KRONITE_HD

namespace kronite {

/// -log softmax(z)_class = log(1 + exp(-margin)), margin = z_class - z_other; finite for any finite
/// logits.
template <class T>
KRONITE_HD inline T cross_entropy_loss(T z0, T z1, bool alike) {
  using std::abs;
  using std::exp;
  using std::log1p;
  const T margin = alike ? z1 - z0 : z0 - z1;
  return (margin < T{0} ? -margin : T{0}) + log1p(exp(-abs(margin)));
}

/// d loss / d z1; d loss / d z0 is minus that.
template <class T>
KRONITE_HD inline T cross_entropy_slope(T z0, T z1, bool alike) {
  return softmax_second(z0, z1) - (alike ? T{1} : T{0});
}

/// Adds the bias to the logits z of a row. Returns its loss, and `share` times the gradient of
/// that.
template <class T>
KRONITE_HD inline T cross_entropy_row(const T* bias, bool alike, T share, T* z, T* gradient) {
  for (int k = 0; k < 2; ++k) z[k] += bias[k];
  const T slope = share * cross_entropy_slope(z[0], z[1], alike);
  gradient[0] = -slope;
  gradient[1] = slope;
  return cross_entropy_loss(z[0], z[1], alike);
}

}  // namespace kronite
