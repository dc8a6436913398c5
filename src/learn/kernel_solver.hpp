// Solvers of kernel ridge regression: one length scale, all ridges.
#pragma once

#include <cstdint>
#include <vector>

#include "kronite/array.hpp"   // for Array
#include "kronite/device.hpp"  // for Device
#include "kronite/kernel.hpp"  // for KernelKind

namespace kronite::learn {

/// Training rows on the device, and their targets (n x t, host).
struct KernelProblem {
  KernelKind kernel;
  double length_scale;
  const Array<double>& rows;  ///< n x d
  std::int64_t targets;
  const std::vector<double>& values;
  const std::vector<double>& ridges;
};

/// For ridge l and target k, column l * t + k.
struct KernelSolution {
  std::vector<double> coefficients;   ///< functions x (ridges t)
  std::vector<double> leave_one_out;  ///< n x (ridges t), or empty
};

/// (K + ridge I)^-1 y, and leave-one-out predictions. One ridge takes a Cholesky factor, several an
/// eigendecomposition. Waits. @throws Error numerical; out_of_memory.
KernelSolution solve_exactly(Device& device, const KernelProblem& problem);

/// The least of |y - K_nm a|^2 + ridge a' K_mm a; `centres` (m x d) on the device. Waits.
/// @throws Error numerical; out_of_memory.
KernelSolution solve_on_centres(Device& device, const KernelProblem& problem,
                                const Array<double>& centres, bool leave_one_out);

/// K(rows, centres) times coefficients (centres x columns), tile by tile: rows x columns. Waits.
std::vector<double> kernel_values(Device& device, KernelKind kernel, double length_scale,
                                  MatrixView<const double> rows, MatrixView<const double> centres,
                                  const std::vector<double>& coefficients, std::int64_t columns);

/// Bytes of the device's memory that solving takes: n rows of d values, on m centres (0: exactly).
double kernel_bytes(std::int64_t n, std::int64_t d, std::int64_t m, bool one_ridge);

}  // namespace kronite::learn
