// Element access for code that nvcc also builds: the views' own members are host functions.
#pragma once

#include <cstdint>

#include "kernels/host_device.hpp"  // for KRONITE_HD
#include "kronite/view.hpp"         // for MatrixView

namespace kronite {

template <class T>
KRONITE_HD inline T& element(const MatrixView<T>& m, std::int64_t i, std::int64_t j) {
  return m.data[i * m.ld + j];
}

}  // namespace kronite
