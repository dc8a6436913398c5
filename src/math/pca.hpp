// Principal components of data that need not fit in memory: the covariance is gathered tile by tile
// on a device.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kronite/device.hpp"  // for Device
#include "kronite/view.hpp"    // for MatrixView

namespace kronite::math {

/// Puts rows first ... first + out.rows - 1 of the data into out (rows x columns, host). Asked for
/// each row several times, and must give the same values each time.
using RowSource = std::function<void(std::int64_t first, MatrixView<double> out)>;

/// Rows of data, n x d.
struct Rows {
  std::int64_t rows = 0, cols = 0;
  RowSource source;
};

struct PcaOptions {
  std::int64_t components = 2;  ///< 1 to d
  /// Columns are divided by their standard deviations (ddof 1) first; constant columns count as 0.
  bool standardise = false;
};

struct Pca {
  std::vector<double> mean;      ///< d
  std::vector<double> factor;    ///< d: what centred columns are multiplied by
  std::vector<double> axes;      ///< components x d, row-major: orthonormal, by falling variance
  std::vector<double> variance;  ///< of each component, over n - 1
  double total_variance = 0;     ///< of all d columns, as they were multiplied

  std::int64_t components() const { return static_cast<std::int64_t>(variance.size()); }
  /// Share of the variance that a component explains; 0 where there is no variance.
  double explained(std::int64_t component) const;
};

/// The sign of an axis is such that its largest coefficient in magnitude is positive, the first of
/// several that are equal to nine digits. Waits.
/// @throws Error invalid_argument for fewer than two rows or a number of components that is not
/// from 1 to d; numerical for data that are not finite.
Pca fit_pca(Device& device, const Rows& data, const PcaOptions& options = {});

/// scores = ((x - mean) factor) axes'; scores: n x components, host. Waits.
void project(Device& device, const Pca& pca, const Rows& data, MatrixView<double> scores);

}  // namespace kronite::math
