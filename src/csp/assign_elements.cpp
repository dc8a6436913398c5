// Groups of equal amount, one optimal assignment in each.
#include "csp/assign_elements.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"                // for fail
#include "materials/element_table.hpp"  // for require_elements
#include "math/assignment.hpp"          // for least_cost_assignment

namespace kronite::csp {
namespace {

/// Fractions of the same amount may differ by rounding.
constexpr double kSameFraction = 1e-9;

/// Elements with their atomic fractions by descending fraction, and where each run of equal ones
/// ends; a run is in order of atomic number.
struct Groups {
  std::vector<ElementAmount> parts;
  std::vector<std::size_t> ends;
};

Groups equal_amounts(const Composition& composition) {
  Groups groups{composition.parts(), {}};
  auto& parts = groups.parts;
  for (auto& part : parts) part.amount /= composition.total();
  std::sort(parts.begin(), parts.end(),
            [](const auto& a, const auto& b) { return a.amount > b.amount; });
  for (std::size_t begin = 0, end = 0; begin < parts.size(); begin = end) {
    while (end < parts.size() && parts[begin].amount - parts[end].amount <= kSameFraction) ++end;
    std::sort(parts.begin() + static_cast<std::ptrdiff_t>(begin),
              parts.begin() + static_cast<std::ptrdiff_t>(end),
              [](const auto& a, const auto& b) { return a.z < b.z; });
    groups.ends.push_back(end);
  }
  return groups;
}

bool same_fractions(const Groups& a, const Groups& b) {
  return std::equal(a.parts.begin(), a.parts.end(), b.parts.begin(), b.parts.end(),
                    [](const auto& x, const auto& y) {
                      return std::abs(x.amount - y.amount) <= 2 * kSameFraction;
                    }) &&
         a.ends == b.ends;
}

}  // namespace

Assignment assign_elements(const Composition& query, const Composition& candidate,
                           const ElementDissimilarity& dissimilarity) {
  const auto to = equal_amounts(query), from = equal_amounts(candidate);
  if (!same_fractions(to, from))
    fail(Errc::invalid_argument, "{} and {} differ in their composition ratio",
         query.reduced_formula(), candidate.reduced_formula());

  Assignment assignment;
  std::size_t begin = 0;
  for (const std::size_t end : from.ends) {
    const std::size_t n = end - begin;
    std::vector<double> cost;
    for (std::size_t i = begin; i < end; ++i)
      for (std::size_t j = begin; j < end; ++j)
        cost.push_back(dissimilarity(from.parts[i].z, to.parts[j].z));
    const auto columns = math::least_cost_assignment(cost, static_cast<int>(n));
    for (std::size_t i = 0; i < n; ++i) {
      const auto j = static_cast<std::size_t>(columns[i]);
      assignment.mapping.emplace_back(from.parts[begin + i].z, to.parts[begin + j].z);
      assignment.cost += cost[i * n + j];
    }
    begin = end;
  }
  return assignment;
}

Assignment assign_elements(const Composition& query, const Composition& candidate,
                           const ElementTable& table) {
  require_elements(query, table);
  require_elements(candidate, table);
  return assign_elements(query, candidate, ElementDissimilarity(table));
}

}  // namespace kronite::csp
