// Kernel matrices on a device, with the truncation of the published KRSFD.
#pragma once

#include <cstdint>
#include <vector>

#include "kronite/array.hpp"   // for Array
#include "kronite/device.hpp"  // for Device
#include "kronite/kernel.hpp"  // for KernelKind

namespace kronite::krfd {

/// A kernel function of points with a given number of coordinates; values up to the threshold are
/// zero.
struct TruncatedKernel {
  KernelKind kind = KernelKind::gaussian;
  double sigma = 1;
  double threshold = 0;
};

/// k(a_i, b_j) on the device. a: rows x dimensions, b: columns x dimensions, host, without gaps.
Array<double> kernel_matrix(Device& device, const TruncatedKernel& kernel,
                            const std::vector<double>& a, const std::vector<double>& b,
                            std::int64_t dimensions);

/// The value up to which `zero_ratio` of all values of the Gram matrix of a lie; 0 without any.
/// `name` is that of the ratio, for the error when nothing would be left.
double threshold_of(Device& device, KernelKind kind, double sigma, const std::vector<double>& a,
                    std::int64_t dimensions, double zero_ratio, const char* name);

}  // namespace kronite::krfd
