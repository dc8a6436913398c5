// Kernel ridge regression: what is tried, what is kept, and its predictions.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.hpp"            // for fail
#include "device/backend.hpp"       // for Backend
#include "kronite/regression.hpp"   // for fit_kernel_ridge
#include "learn/kernel_solver.hpp"  // for solve_exactly, solve_on_centres, kernel_values
#include "learn/rows.hpp"           // for check_parts, scaler_of, standardised
#include "math/random.hpp"          // for Random
#include "math/sampling.hpp"        // for draw_distinct

namespace kronite::learn {
namespace {

/// Streams of the seed.
enum : std::uint64_t { kCentreStream = 1, kMedianStream = 2 };

constexpr std::int64_t kMedianRows = 500;
constexpr std::int64_t kPredictedTile = 1 << 14;

using Values = std::vector<double>;

void check_all_positive(const Values& values, const char* what) {
  for (const double value : values)
    if (!(value > 0 && std::isfinite(value)))
      fail(Errc::invalid_argument, "a {} is {}, expected a number above 0", what, value);
}

void check(const KernelRidgeOptions& options, RowsView x, MatrixView<const double> values,
           const RowParts& parts) {
  check_parts(parts, x);
  check_targets(values.rows, x);
  check_all_positive(options.length_scales, "length scale");
  check_all_positive(options.ridges, "ridge");
  if (options.ridges.empty()) fail(Errc::invalid_argument, "there is no ridge to try");
  const auto n = static_cast<std::int64_t>(parts.training.size());
  if (options.centres < 0 || options.centres > n)
    fail(Errc::invalid_argument,
         "there are to be {} centres, expected 0 (all rows) to {}, the "
         "number of training rows",
         options.centres, n);
}

void check_memory(Device& device, const KernelRidgeOptions& options, std::int64_t n,
                  std::int64_t d) {
  const bool one_ridge = options.ridges.size() == 1;
  const double bytes = kernel_bytes(n, d, options.centres, one_ridge);
  const auto limit = static_cast<double>(device.memory_limit());
  if (limit == 0 || bytes <= limit - static_cast<double>(device.backend().memory_in_use())) return;
  const std::int64_t fewer = std::max<std::int64_t>(1, n / 10);
  fail(
      Errc::out_of_memory,
      "kernel ridge regression of {} rows on {} centres takes {:.0f} bytes, and the device's limit "
      "is {:.0f}; on {} centres it takes {:.0f}",
      n, options.centres == 0 ? n : options.centres, bytes, limit, fewer,
      kernel_bytes(n, d, fewer, one_ridge));
}

/// Of the distances between some rows (n x d), in the norm of the kernel.
double median_distance(KernelKind kernel, const Values& rows, std::int64_t d, std::uint64_t seed) {
  const auto n = static_cast<std::int64_t>(rows.size()) / d;
  math::Random random(seed, kMedianStream);
  const auto some = math::draw_distinct(random, n, std::min(n, kMedianRows));
  Values distances;
  for (std::size_t a = 0; a < some.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) {
      double absolute = 0, squares = 0;
      for (std::int64_t j = 0; j < d; ++j) {
        const double off = rows[static_cast<std::size_t>(some[a] * d + j)] -
                           rows[static_cast<std::size_t>(some[b] * d + j)];
        absolute += std::abs(off);
        squares += off * off;
      }
      const double distance = kernel == KernelKind::laplacian ? absolute : std::sqrt(squares);
      if (distance > 0) distances.push_back(distance);
    }
  if (distances.empty())
    fail(Errc::invalid_argument, "all training rows are the same: they have no length scale");
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
  std::nth_element(distances.begin(), middle, distances.end());
  return *middle;
}

Values length_scales(const KernelRidgeOptions& options, const Values& rows, std::int64_t d) {
  if (!options.length_scales.empty()) return options.length_scales;
  Values scales{0.25, 0.5, 1, 2, 4};
  const double median = median_distance(options.kernel, rows, d, options.seed);
  for (double& scale : scales) scale *= median;
  return scales;
}

/// The columns of ridge l of rows x (ridges t) values.
Values of_ridge(const Values& values, std::size_t ridges, std::size_t t, std::size_t l) {
  Values part;
  for (std::size_t row = 0; row < values.size(); row += ridges * t)
    for (std::size_t k = 0; k < t; ++k) part.push_back(values[row + l * t + k]);
  return part;
}

/// NaN or infinite where a value is: never the least.
double mean_squared(const Values& truth, const Values& predicted) {
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) sum += std::pow(predicted[i] - truth[i], 2);
  return sum / static_cast<double>(truth.size());
}

/// Back to the targets' own units.
RowPrediction in_units(const RowScaler& targets, const Values& standardised) {
  const std::size_t t = targets.mean.size();
  RowPrediction out{static_cast<std::int64_t>(standardised.size() / t),
                    static_cast<std::int64_t>(t), standardised};
  for (std::size_t i = 0; i < out.values.size(); ++i)
    out.values[i] = targets.mean[i % t] + targets.std[i % t] * out.values[i];
  return out;
}

}  // namespace

KernelRidgeFit fit_kernel_ridge(Device& device, const KernelRidgeOptions& options, RowsView x,
                                MatrixView<const double> values, const RowParts& parts) {
  check(options, x, values, parts);
  const auto n = static_cast<std::int64_t>(parts.training.size());
  const std::int64_t d = x.cols(), t = values.cols;
  check_memory(device, options, n, d);

  KernelRidgeFit fit;
  KernelRidge& model = fit.model;
  model.kernel = options.kernel;
  model.targets = target_scaler_of(values, parts.training);
  model.inputs = options.standardise ? scaler_of(x, parts.training, options.clip, "descriptors")
                                     : RowScaler{Values(static_cast<std::size_t>(d), 0.0),
                                                 Values(static_cast<std::size_t>(d), 1.0),
                                                 {},
                                                 {}};
  const auto rows = standardised<double>(model.inputs, x, parts.training, "descriptors");
  const auto y = standardised<double>(model.targets, values, parts.training, "targets");
  const auto judged_rows = standardised<double>(model.inputs, x, parts.validation, "descriptors");
  const auto judged_y = standardised<double>(model.targets, values, parts.validation, "targets");
  const bool by_validation = !parts.validation.empty();

  model.centres = options.centres == 0 ? n : options.centres;
  math::Random random(options.seed, kCentreStream);
  for (const std::int64_t i : math::draw_distinct(random, n, model.centres))
    model.rows.insert(model.rows.end(), rows.begin() + i * d, rows.begin() + (i + 1) * d);

  const Array<double> there(device, rows, n, d);
  const Array<double> judged(device, judged_rows,
                             static_cast<std::int64_t>(parts.validation.size()), d);
  const Array<double> centres(device, options.centres == 0 ? Values() : model.rows, options.centres,
                              d);
  const MatrixView<const double> functions = options.centres == 0 ? there.view() : centres.view();
  const std::size_t ridges = options.ridges.size(), targets = static_cast<std::size_t>(t);
  const auto all = static_cast<std::int64_t>(ridges * targets);
  double least = std::numeric_limits<double>::infinity();
  Values left;
  for (const double s : length_scales(options, rows, d)) {
    const KernelProblem problem{options.kernel, s, there, t, y, options.ridges};
    const KernelSolution solution =
        options.centres == 0 ? solve_exactly(device, problem)
                             : solve_on_centres(device, problem, centres, !by_validation);
    const Values predicted = by_validation ? kernel_values(device, options.kernel, s, judged.view(),
                                                           functions, solution.coefficients, all)
                                           : solution.leave_one_out;
    for (std::size_t l = 0; l < ridges; ++l) {
      const double error =
          mean_squared(by_validation ? judged_y : y, of_ridge(predicted, ridges, targets, l));
      fit.trials.push_back({s, options.ridges[l], error});
      if (!(error < least)) continue;
      least = error;
      model.length_scale = s;
      model.ridge = options.ridges[l];
      model.coefficients = of_ridge(solution.coefficients, ridges, targets, l);
      left = of_ridge(solution.leave_one_out, ridges, targets, l);
    }
  }
  if (model.coefficients.empty())
    fail(Errc::numerical, "none of the {} fits gives finite predictions", fit.trials.size());
  if (!left.empty()) fit.leave_one_out = in_units(model.targets, left);
  return fit;
}

RowPrediction KernelRidge::predict(Device& device, RowsView x) const {
  const auto d = static_cast<std::int64_t>(inputs.mean.size());
  const auto t = static_cast<std::int64_t>(targets.mean.size());
  check_width(x, d);
  const Array<double> there(device, rows, centres, d);
  Values values;
  for (std::int64_t first = 0; first < x.rows(); first += kPredictedTile) {
    const std::int64_t count = std::min(kPredictedTile, x.rows() - first);
    const Array<double> tile(device, standardised<double>(inputs, x, first, count, "descriptors"),
                             count, d);
    const Values of_tile = kernel_values(device, kernel, length_scale, tile.view(),
                                         std::as_const(there).view(), coefficients, t);
    values.insert(values.end(), of_tile.begin(), of_tile.end());
  }
  RowPrediction out = in_units(targets, values);
  out.rows = x.rows();
  return out;
}

}  // namespace kronite::learn
