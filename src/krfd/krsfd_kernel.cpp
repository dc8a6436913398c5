// Kernel matrices; truncation goes through the host, it is there for comparison only.
#include "krfd/krsfd_kernel.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"       // for fail
#include "device/backend.hpp"  // for kernels

namespace kronite::krfd {
namespace {

Array<double> matrix_of_points(Device& device, const std::vector<double>& points,
                               std::int64_t dimensions) {
  return {device, points, static_cast<std::int64_t>(points.size()) / dimensions, dimensions};
}

}  // namespace

Array<double> kernel_matrix(Device& device, const TruncatedKernel& kernel,
                            const std::vector<double>& a, const std::vector<double>& b,
                            std::int64_t dimensions) {
  const Array<double> x = matrix_of_points(device, a, dimensions);
  const Array<double> y = matrix_of_points(device, b, dimensions);
  Array<double> values(device, x.view().rows, y.view().rows);
  kernels<double>(device).gram(kernel.kind, kernel.sigma, x.view(), y.view(), values.view());
  if (kernel.threshold == 0) return values;
  std::vector<double> host = values.to_host();
  for (double& value : host)
    if (value <= kernel.threshold) value = 0;
  return {device, host, values.view().rows, values.view().cols};
}

double threshold_of(Device& device, KernelKind kind, double sigma, const std::vector<double>& a,
                    std::int64_t dimensions, double zero_ratio, const char* name) {
  if (!(zero_ratio >= 0 && zero_ratio < 1))
    fail(Errc::invalid_argument, "{} is {}, and must be in [0, 1)", name, zero_ratio);
  if (zero_ratio == 0) return 0;
  std::vector<double> values = kernel_matrix(device, {kind, sigma}, a, a, dimensions).to_host();
  const auto zeros = static_cast<std::int64_t>(static_cast<double>(values.size()) * zero_ratio);
  if (zeros == 0) return 0;
  const auto last = values.begin() + (zeros - 1);
  std::nth_element(values.begin(), last, values.end());
  if (*last >= 1)
    fail(Errc::invalid_argument,
         "{} = {} leaves nothing of the Gram matrix: too many of its points are the same", name,
         zero_ratio);
  return *last;
}

}  // namespace kronite::krfd
