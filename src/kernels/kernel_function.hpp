// The kernel functions of kronite/kernel.hpp (KernelKind), split into steps that a Gram matrix
// fuses: the distance is a sum over features of step(), and the value is value(q, exp(-q)) with q =
// exponent(distance).
#pragma once

#include <cmath>
#include <type_traits>

#include "kernels/host_device.hpp"  // for KRONITE_HD
#include "kronite/kernel.hpp"       // for KernelKind

namespace kronite {

/// Distances are ||x - y||_1 for the Laplacian and ||x - y||_2^2 for the others.
template <KernelKind kind, class T>
class KernelFunction {
 public:
  KRONITE_HD explicit KernelFunction(T length_scale)
      : scale_(kind == KernelKind::gaussian    ? T{0.5} / (length_scale * length_scale)
               : kind == KernelKind::laplacian ? T{1} / length_scale
               : kind == KernelKind::matern32  ? T(1.7320508075688772) / length_scale
                                               : T(2.23606797749979) / length_scale) {}

  /// One feature's share of the distance; V is T or a vector of T.
  template <class V>
  KRONITE_HD static V step(V difference) {
    if constexpr (kind == KernelKind::laplacian)
      return difference < V{} ? -difference : difference;
    else
      return difference * difference;
  }

  /// q of k = factor(q) exp(-q).
  KRONITE_HD T exponent(T distance) const {
    using std::sqrt;
    if constexpr (kind == KernelKind::gaussian || kind == KernelKind::laplacian)
      return distance * scale_;
    else
      return sqrt(distance) * scale_;
  }

  /// k from q and e = exp(-q).
  KRONITE_HD T value(T q, T e) const {
    if constexpr (kind == KernelKind::matern32)
      return (T{1} + q) * e;
    else if constexpr (kind == KernelKind::matern52)
      return (T{1} + q + q * q / T{3}) * e;
    else
      return e;
  }

  /// f of dk / d log(length scale of a feature) = f(q, e) step(difference in it); length scale 1.
  KRONITE_HD static T slope(T q, T e) {
    if constexpr (kind == KernelKind::matern32)
      return T{3} * e;
    else if constexpr (kind == KernelKind::matern52)
      return T{5} / T{3} * (T{1} + q) * e;
    else
      return e;
  }

  KRONITE_HD T operator()(T distance) const {
    using std::exp;
    const T q = exponent(distance);
    return value(q, exp(-q));
  }

 private:
  T scale_;
};

/// Calls f(std::integral_constant<KernelKind, kind>{}): the run-time kind as a constant.
template <class F>
void with_kernel(KernelKind kind, F&& f) {
  switch (kind) {
    case KernelKind::gaussian:
      return f(std::integral_constant<KernelKind, KernelKind::gaussian>{});
    case KernelKind::laplacian:
      return f(std::integral_constant<KernelKind, KernelKind::laplacian>{});
    case KernelKind::matern32:
      return f(std::integral_constant<KernelKind, KernelKind::matern32>{});
    case KernelKind::matern52:
      return f(std::integral_constant<KernelKind, KernelKind::matern52>{});
  }
}

}  // namespace kronite
