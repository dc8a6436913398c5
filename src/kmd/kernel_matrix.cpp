// The matrix H of a descriptor.
#include "kmd/kernel_matrix.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/fail.hpp"       // for fail
#include "base/printable.hpp"  // for printable
#include "device/backend.hpp"  // for Backend
#include "kmd/condition.hpp"   // for condition_of
#include "kronite/device.hpp"  // for Device

namespace kronite::kmd {
namespace {

/// The length scale that makes one `step` what Settings::sigma says.
double length_scale(KernelKind kernel, double step) {
  return kernel == KernelKind::gaussian ? step / std::sqrt(2.0) : step;
}

std::vector<double> column(const Components& components, std::size_t feature) {
  std::vector<double> values;
  for (std::size_t i = feature; i < components.values.size(); i += components.features.size())
    values.push_back(components.values[i]);
  return values;
}

/// Least and largest value of each column of n x K values.
Ranges ranges_of(const std::vector<double>& values, std::size_t features) {
  Ranges ranges{{values.begin(), values.begin() + static_cast<std::ptrdiff_t>(features)}, {}};
  ranges.high = ranges.low;
  for (std::size_t i = 0; i < values.size(); ++i) {
    double& low = ranges.low[i % features];
    double& high = ranges.high[i % features];
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
  }
  return ranges;
}

}  // namespace

Ranges ranges_of(const Components& components) {
  return ranges_of(components.values, components.features.size());
}

void check_features(const Components& components) {
  const Ranges ranges = ranges_of(components);
  std::map<std::vector<double>, std::size_t> seen;
  for (std::size_t f = 0; f < components.features.size(); ++f) {
    if (ranges.low[f] == ranges.high[f])
      fail(Errc::invalid_argument,
           "the feature {} is {} for every component and tells none from another: leave it out",
           printable(components.features[f]), ranges.low[f]);
    const auto [before, is_new] = seen.emplace(column(components, f), f);
    if (!is_new)
      fail(Errc::invalid_argument, "the features {} and {} are equal: leave one of them out",
           printable(components.features[before->second]), printable(components.features[f]));
  }
}

std::pair<std::string, std::string> equal_components(const Components& components) {
  std::map<std::vector<double>, std::size_t> seen;
  const std::size_t features = components.features.size();
  for (std::size_t i = 0; i < components.names.size(); ++i) {
    const auto row = components.values.begin() + static_cast<std::ptrdiff_t>(i * features);
    const auto [before, is_new] =
        seen.emplace(std::vector<double>(row, row + static_cast<std::ptrdiff_t>(features)), i);
    if (!is_new) return {components.names[before->second], components.names[i]};
  }
  return {};
}

std::vector<double> scaled(const Components& components, Scaling scaling) {
  std::vector<double> values = components.values;
  if (scaling == Scaling::none) return values;
  const std::size_t features = components.features.size(), n = components.names.size();
  const Ranges ranges = ranges_of(components);
  for (std::size_t f = 0; f < features; ++f) {
    double shift = ranges.low[f], unit = ranges.high[f] - ranges.low[f];
    if (scaling == Scaling::z_score) {
      const std::vector<double> x = column(components, f);
      double sum = 0, squares = 0;
      for (const double value : x) sum += value;
      shift = sum / static_cast<double>(n);
      for (const double value : x) squares += (value - shift) * (value - shift);
      unit = std::sqrt(squares / static_cast<double>(n - 1));
    }
    for (std::size_t i = 0; i < n; ++i)
      values[i * features + f] = (values[i * features + f] - shift) / unit;
  }
  return values;
}

std::vector<double> grid_matrix(const Components& components, const Settings& settings,
                                std::int64_t n_grids) {
  const auto n = components.size();
  const auto features = static_cast<std::int64_t>(components.features.size());
  const std::vector<double> x = scaled(components, settings.scaling);
  const Ranges ranges = ranges_of(x, components.features.size());
  std::vector<double> grid(static_cast<std::size_t>(features * n_grids)), lengths;
  for (std::int64_t f = 0; f < features; ++f) {
    const double step = (ranges.high[f] - ranges.low[f]) / static_cast<double>(n_grids - 1);
    for (std::int64_t j = 0; j < n_grids; ++j)
      grid[f * n_grids + j] = ranges.low[f] + static_cast<double>(j) * step;
    grid[(f + 1) * n_grids - 1] = ranges.high[f];
    lengths.push_back(settings.sigma > 0 ? settings.sigma : length_scale(settings.kernel, step));
  }
  std::vector<double> h(static_cast<std::size_t>(n * features * n_grids));
  Device host = Device::cpu();
  host.backend().mixtures().grid_kernels(
      settings.kernel, {x.data(), n, features}, {grid.data(), features, n_grids},
      {lengths.data(), features}, {h.data(), n, features * n_grids});
  return h;
}

std::vector<double> joint_matrix(const Components& components, const Settings& settings) {
  const auto n = components.size();
  const auto features = static_cast<std::int64_t>(components.features.size());
  const std::vector<double> x = scaled(components, settings.scaling);
  std::vector<double> h(static_cast<std::size_t>(n * n));
  Device host = Device::cpu();
  const MatrixView<const double> view(x.data(), n, features);
  kernels<double>(host).gram(settings.kernel, settings.sigma, view, view, {h.data(), n, n});
  return h;
}

double joint_length_scale(const Components& components, const Settings& settings) {
  const std::vector<double> x = scaled(components, settings.scaling);
  const std::size_t n = components.names.size(), features = components.features.size();
  std::vector<double> nearest(n, std::numeric_limits<double>::infinity());
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < i; ++j) {
      double squares = 0, absolutes = 0;
      for (std::size_t f = 0; f < features; ++f) {
        const double d = x[i * features + f] - x[j * features + f];
        squares += d * d;
        absolutes += std::abs(d);
      }
      const double apart =
          settings.kernel == KernelKind::laplacian ? absolutes * absolutes : squares;
      nearest[i] = std::min(nearest[i], apart);
      nearest[j] = std::min(nearest[j], apart);
    }
  std::sort(nearest.begin(), nearest.end());
  const double median = (nearest[(n - 1) / 2] + nearest[n / 2]) / 2;
  if (!(median > 0)) {
    const auto [one, other] = equal_components(components);
    fail(Errc::invalid_argument,
         "at least half of the components are equal to another one, as {} is to {}: there is no "
         "length scale between them; give sigma, or leave the copies out",
         printable(one), printable(other));
  }
  return length_scale(settings.kernel, std::sqrt(median));
}

std::int64_t fewest_grids(const Components& components, const Settings& settings, std::int64_t from,
                          double most_condition) {
  const auto n = components.size();
  const auto features = static_cast<std::int64_t>(components.features.size());
  for (std::int64_t n_grids = from; n_grids <= kMostGrids; ++n_grids) {
    if (features * n_grids < n) continue;
    const std::vector<double> h = grid_matrix(components, settings, n_grids);
    const Condition condition = condition_of({h.data(), n, features * n_grids});
    if (condition.rank == n && condition.of_p <= most_condition) return n_grids;
  }
  return 0;
}

}  // namespace kronite::kmd
