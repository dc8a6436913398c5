// The CPU backend: Eigen and OpenMP, LAPACK where it was found.
#pragma once

#include <memory>

#include "device/backend.hpp"  // for Backend

namespace kronite {

std::unique_ptr<Backend> make_cpu_backend(const DeviceOptions& options);

}  // namespace kronite
