// The order of top-k: best value first, equal values by index, NaN behind everything. Last of all
// an empty place, {NaN, -1}.
#pragma once

#include <cstdint>

#include "kernels/host_device.hpp"  // for KRONITE_HD

namespace kronite {

template <class T>
struct Ranked {
  T value;
  std::int32_t index;
};

/// Whether `a` comes before `b`; a strict order without ties.
template <bool largest, class T>
KRONITE_HD inline bool ranks_before(const Ranked<T>& a, const Ranked<T>& b) {
  const bool a_nan = a.value != a.value;
  const bool b_nan = b.value != b.value;
  if (a_nan != b_nan) return b_nan;
  if (!a_nan && a.value != b.value) return largest ? a.value > b.value : a.value < b.value;
  return static_cast<std::uint32_t>(a.index) < static_cast<std::uint32_t>(b.index);
}

}  // namespace kronite
