// The step of Adam for one parameter.
#pragma once

#include <cmath>

#include "device/ops.hpp"           // for AdamStep
#include "kernels/host_device.hpp"  // for KRONITE_HD

namespace kronite {

/// What all parameters of a step share.
template <class T>
struct AdamFactors {
  T beta1, beta2, epsilon;
  T rest1, rest2;  ///< 1 - beta1, 1 - beta2, rounded once: in float 1 - 0.999F is off by 1e-5 of it
  T rate;          ///< learning rate / (1 - beta1^t)
  T root_factor;   ///< 1 / sqrt(1 - beta2^t)
  T kept;          ///< 1 - learning rate * weight decay
};

template <class T>
AdamFactors<T> adam_factors(const AdamStep& s) {
  const auto t = static_cast<double>(s.step);
  return {static_cast<T>(s.beta1),
          static_cast<T>(s.beta2),
          static_cast<T>(s.epsilon),
          static_cast<T>(1 - s.beta1),
          static_cast<T>(1 - s.beta2),
          static_cast<T>(s.learning_rate / (1 - std::pow(s.beta1, t))),
          static_cast<T>(1 / std::sqrt(1 - std::pow(s.beta2, t))),
          static_cast<T>(1 - s.learning_rate * s.weight_decay)};
}

template <class T>
KRONITE_HD inline void adam_update(const AdamFactors<T>& f, T gradient, T& moment1, T& moment2,
                                   T& parameter) {
  using std::sqrt;
  moment1 = f.beta1 * moment1 + f.rest1 * gradient;
  moment2 = f.beta2 * moment2 + f.rest2 * gradient * gradient;
  parameter = f.kept * parameter - f.rate * moment1 / (sqrt(moment2) * f.root_factor + f.epsilon);
}

}  // namespace kronite
