// How a fit of functions is done where there are many systems, and what each way would take.
#pragma once

#include <cstdint>
#include <string>

#include "kronite/device.hpp"  // for Device
#include "kronite/krfd.hpp"    // for FitOptions, FitShape

namespace CLI {
class App;
}

namespace kronite::cli {

/// --solver, --tile, --centres, --tolerance, --max-iterations, --rank-tolerance.
struct ScaleChoice {
  std::string solver = "exact";
  krfd::ScaleOptions scale;
  double rank_tolerance = 0;

  void add(CLI::App& command);
  /// Those of this way. @throws Error invalid_argument when an option is for another one.
  krfd::FitOptions options(krfd::FitOptions fit) const;

 private:
  CLI::App* command_ = nullptr;
};

/// "52 MB", "1.30 GB".
std::string memory_text(double bytes);

/// What this process holds in memory now, in bytes; 0 where the system does not say.
double held_now();

/// A table of all ways: operations, expected time, memory of the process, which held so much
/// before. Speed: operations per second of a fit by eigenvalues, and of one by products and
/// Cholesky factors.
struct Speed {
  double eigenvalues = 1, products = 1;
};
void print_costs(Device& device, const krfd::FitShape& shape, const krfd::FitOptions& chosen,
                 const Speed& speed, double held);

/// How far the fit is from the exact one; `truncated`: components along t were to be left out.
/// Empty for an exact one; of a tiled one how it was done.
std::string distance_text(const krfd::Model& model, bool truncated);

}  // namespace kronite::cli
