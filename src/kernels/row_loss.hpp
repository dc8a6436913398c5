// Loss and gradient of one row of a network's outputs: one of several classes, or continuous
// values.
#pragma once

#include <cmath>
#include <cstdint>

#include "device/ops.hpp"           // for ValueLoss
#include "kernels/host_device.hpp"  // for KRONITE_HD

namespace kronite {

/// Adds the bias to the logits z of a row, `units` of them. Returns weight * -log
/// softmax(z)_of_class, and `share` times the gradient of that. Logits are taken off the largest,
/// so that no exponential overflows.
template <class T>
KRONITE_HD inline T class_loss_row(const T* bias, T weight, std::int64_t of_class, T share,
                                   std::int64_t units, T* z, T* gradient) {
  using std::exp;
  using std::log;
  T largest = z[0] + bias[0];
  for (std::int64_t u = 0; u < units; ++u) {
    z[u] += bias[u];
    if (z[u] > largest) largest = z[u];
  }
  T sum{0};
  for (std::int64_t u = 0; u < units; ++u) {
    gradient[u] = exp(z[u] - largest);
    sum += gradient[u];
  }
  const T factor = share * weight;
  for (std::int64_t u = 0; u < units; ++u)
    gradient[u] = factor * (gradient[u] / sum - (u == of_class ? T{1} : T{0}));
  return weight * (log(sum) + (largest - z[of_class]));
}

/// What an error costs, and the slope of that.
template <class T>
struct ValueCost {
  T cost, slope;
};

template <class T>
KRONITE_HD inline ValueCost<T> value_cost(ValueLossKind kind, T knee, T error) {
  const T size = error < T{0} ? -error : error;
  const T sign = error < T{0} ? T{-1} : error > T{0} ? T{1} : error;  // NaN stays NaN
  if (kind == ValueLossKind::squared) return {error * error, T{2} * error};
  if (kind == ValueLossKind::absolute) return {size, sign};
  if (size > knee) return {knee * (size - knee / T{2}), knee * sign};
  return {error * error / T{2}, error};
}

/// Adds the bias to the values y of a row, `units` of them. Returns the mean of what their errors
/// cost, and `share` times the gradient of that.
template <class T>
KRONITE_HD inline T value_loss_row(ValueLossKind kind, T knee, const T* bias, const T* target,
                                   T share, std::int64_t units, T* y, T* gradient) {
  const T each = T{1} / static_cast<T>(units);
  T sum{0};
  for (std::int64_t u = 0; u < units; ++u) {
    y[u] += bias[u];
    const ValueCost<T> of = value_cost(kind, knee, y[u] - target[u]);
    sum += of.cost;
    gradient[u] = share * each * of.slope;
  }
  return each * sum;
}

}  // namespace kronite
