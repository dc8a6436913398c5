// Activations and probabilities of scoring networks.
#pragma once

#include <cmath>

#include "kernels/host_device.hpp"  // for KRONITE_HD
#include "kronite/network.hpp"      // for Activation

namespace kronite {

/// max(x, 0), written so that NaN stays NaN.
template <class T>
KRONITE_HD inline T relu(T x) {
  return T{0} > x ? T{0} : x;
}

template <class T>
KRONITE_HD inline T activate(Activation activation, T x) {
  return activation == Activation::relu ? relu(x) : x;
}

/// 1 / (1 + exp(-z)): for large -z the exponential is infinite and the result 0, as it should be.
template <class T>
KRONITE_HD inline T sigmoid(T z) {
  using std::exp;
  return T{1} / (T{1} + exp(-z));
}

/// The second value of softmax(z0, z1).
template <class T>
KRONITE_HD inline T softmax_second(T z0, T z1) {
  return sigmoid(z1 - z0);
}

/// P(alike) of one row of logits: two (unlike, alike) or one (alike).
template <class T>
KRONITE_HD inline T alike_probability(const T* logits, int count) {
  return count == 2 ? softmax_second(logits[0], logits[1]) : sigmoid(logits[0]);
}

}  // namespace kronite
