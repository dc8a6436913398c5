// Mixtures through the Cholesky factor of HH'.
#include <cstddef>
#include <vector>

#include "base/fail.hpp"          // for fail
#include "kmd/design_target.hpp"  // for DesignGeometry
#include "kronite/kmd_search.hpp"

namespace kronite::kmd {

std::vector<double> distance_coordinates(const Descriptor& descriptor, const Weights& weights) {
  const DesignGeometry geometry(descriptor);
  if (weights.components != geometry.n)
    fail(Errc::invalid_argument, "mixtures of {} components do not fit descriptors of {}",
         weights.components, geometry.n);
  weights.check();
  const auto n = static_cast<std::size_t>(geometry.n);
  std::vector<double> rows(static_cast<std::size_t>(weights.rows()) * n, 0.0);
  for (std::int64_t i = 0; i < weights.rows(); ++i) {
    double* row = rows.data() + static_cast<std::size_t>(i) * n;
    for (std::int64_t e = weights.first[i]; e < weights.first[i + 1]; ++e) {
      const auto component = static_cast<std::size_t>(weights.component[e]);
      for (std::size_t k = 0; k <= component; ++k)
        row[k] += geometry.factor[k * n + component] * weights.weight[e];
    }
  }
  return rows;
}

}  // namespace kronite::kmd
