// Preconditioned conjugate gradients for several systems at a time, which share their matrix.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "device/backend.hpp"  // for MatrixView
#include "kronite/array.hpp"   // for Array
#include "kronite/krsfd.hpp"   // for SolverOptions, SolverReport

namespace kronite::krfd {

/// One number per system, made on the host for an operation on the device.
class Factors {
 public:
  Factors(Device& device, std::int64_t systems) : device_(device), there_(device, systems, 1) {}
  VectorView<const double> operator()(const std::vector<double>& values);

 private:
  Device& device_;
  Array<double> there_;
};

/// Dot products of systems, on the host.
class Dots {
 public:
  Dots(Device& device, std::int64_t systems) : device_(device), there_(device, systems, 1) {}
  std::vector<double> operator()(MatrixView<const double> a, MatrixView<const double> b);

 private:
  Device& device_;
  Array<double> there_;
};

/// @throws Error numerical when a value is not finite.
void check_finite(const std::vector<double>& values);

/// out <- a symmetric positive definite matrix times x, for all systems; x and out differ.
using SystemProduct = std::function<void(MatrixView<const double> x, MatrixView<double> out)>;

/// x <- the solutions for b, whose systems are blocks of columns of one width (RaggedOps). b and x
/// lie without gaps. Beside them three more of their size are held. Reports the worst system;
/// iterations are those of the longest. Waits.
/// @throws Error numerical when a number is no longer finite.
SolverReport conjugate_gradients(Device& device, std::int64_t systems, const SystemProduct& matrix,
                                 const SystemProduct& preconditioner, const SolverOptions& options,
                                 MatrixView<const double> b, MatrixView<double> x);

}  // namespace kronite::krfd
