// The composition descriptor of XenonPy ("classic" featurizers), as CSPML uses it: weighted mean,
// weighted sum, weighted population variance, maximum and minimum of every element feature.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "base/fail.hpp"                // for fail
#include "base/printable.hpp"           // for printable
#include "kronite/composition.hpp"      // for describe
#include "kronite/error.hpp"            // for require
#include "materials/element_table.hpp"  // for require_elements

namespace kronite {
namespace {

constexpr std::array<std::string_view, 5> kStatistics = {"ave:", "sum:", "var:", "max:", "min:"};
/// Fewer compositions take less time than waking the threads.
constexpr std::int64_t kWorthThreads = 256;

/// The definition, one pass per element over rows of `features` values. False when a sum is beyond
/// double precision.
bool describe_one(const Composition& composition, const ElementTable& table, std::size_t features,
                  double* out) {
  double* const ave = out;
  double* const sum = ave + features;
  double* const var = sum + features;
  double* const max = var + features;
  double* const min = max + features;
  std::fill(ave, max, 0.0);
  std::fill(max, min, -std::numeric_limits<double>::infinity());
  std::fill(min, min + features, std::numeric_limits<double>::infinity());
  const double total = composition.total();
  for (const ElementAmount& part : composition.parts()) {
    const double* x = table.row(part.z);
    const double weight = part.amount / total;
    for (std::size_t j = 0; j < features; ++j) {
      ave[j] += weight * x[j];
      sum[j] += part.amount * x[j];
      max[j] = std::max(max[j], x[j]);
      min[j] = std::min(min[j], x[j]);
    }
  }
  for (const ElementAmount& part : composition.parts()) {
    const double* x = table.row(part.z);
    const double weight = part.amount / total;
    for (std::size_t j = 0; j < features; ++j) {
      const double deviation = x[j] - ave[j];
      var[j] += weight * (deviation * deviation);
    }
  }
  return std::all_of(sum, max, [](double value) { return std::isfinite(value); });
}

}  // namespace

void describe(const std::vector<Composition>& compositions, const ElementTable& table,
              MatrixView<double> out) {
  const std::size_t features = table.features().size();
  const auto count = static_cast<std::int64_t>(compositions.size());
  const auto columns = static_cast<std::int64_t>(kStatistics.size() * features);
  if (out.rows != count || out.cols != columns || out.place != Place{})
    fail(Errc::invalid_argument,
         "describe: a host matrix of {} x {} values is expected for the result, not {} x {}", count,
         columns, out.rows, out.cols);
  for (const Composition& composition : compositions) {
    require(!composition.empty(), "an empty composition has no descriptor");
    require_elements(composition, table);
  }
  std::int64_t too_large = count;
#pragma omp parallel for schedule(static) reduction(min : too_large) if (count >= kWorthThreads)
  for (std::int64_t i = 0; i < count; ++i)
    if (!describe_one(compositions[i], table, features, out.row(i)))
      too_large = std::min(too_large, i);
  if (too_large < count)
    fail(Errc::invalid_argument, "the amounts of {} are too large for a descriptor",
         printable(compositions[too_large].reduced_formula()));
}

std::vector<std::string> descriptor_names(const ElementTable& table) {
  std::vector<std::string> names;
  for (const std::string_view statistic : kStatistics)
    for (const std::string& feature : table.features())
      names.push_back(std::string(statistic) + feature);
  return names;
}

}  // namespace kronite
