// Names to indices, and every contradiction that can be named.
#include "kmd/design_space.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>

#include "base/fail.hpp"  // for fail

namespace kronite::kmd {
namespace {

/// A sum of bounds may miss 1 by so much: they are decimal numbers in binary.
constexpr double kRounding = 1e-12;

class SpaceBuilder {
 public:
  SpaceBuilder(const Components& components, const Constraints& constraints,
               const DesignOptions& options)
      : names_(components.names), given_(constraints), options_(options) {
    for (std::size_t i = 0; i < names_.size(); ++i) index_[names_[i]] = static_cast<int>(i);
  }

  DesignSpace build();

 private:
  int index(const std::string& name, const char* what) const {
    const auto found = index_.find(name);
    if (found == index_.end())
      fail(Errc::invalid_argument, "{}: there is no component '{}'", what, name);
    return found->second;
  }
  void check_numbers() const;
  void allow();
  void bound();
  void require();
  void give_states();
  void check_sums() const;
  void check_charges() const;
  std::vector<int> musts() const;
  std::string listed(const std::vector<int>& which) const;

  const std::vector<std::string>& names_;
  const Constraints& given_;
  const DesignOptions& options_;
  std::map<std::string, int> index_;
  DesignSpace space_;
};

void SpaceBuilder::check_numbers() const {
  if (given_.most_components < 0)
    fail(Errc::invalid_argument, "the most components of a mixture cannot be {}",
         given_.most_components);
  if (!(given_.least_weight >= 0 && given_.least_weight < 1))
    fail(Errc::invalid_argument, "the least weight is {}; expected 0 or more and below 1",
         given_.least_weight);
  if (options_.top < 1) fail(Errc::invalid_argument, "{} proposals asked for", options_.top);
  if (options_.atoms < 0 || options_.atoms > 10000)
    fail(Errc::invalid_argument, "a formula of at most {} atoms; expected 1 to 10000, or 0",
         options_.atoms);
  if (options_.most_nodes < 1)
    fail(Errc::invalid_argument, "a search of {} nodes", options_.most_nodes);
}

void SpaceBuilder::allow() {
  const std::size_t n = names_.size();
  space_.must.assign(n, 0);
  space_.lower.assign(n, given_.least_weight);
  space_.upper.assign(n, given_.allowed.empty() ? 1.0 : 0.0);
  space_.neutral = given_.neutral;
  for (const auto& name : given_.allowed) space_.upper[index(name, "allowed")] = 1;
  for (const auto& name : given_.required) {
    const int i = index(name, "required");
    if (!space_.may(i))
      fail(Errc::invalid_argument, "{} is required, but it is not among those allowed", name);
    space_.must[i] = 1;
  }
  for (const auto& name : given_.forbidden) {
    const int i = index(name, "forbidden");
    if (space_.must[i]) fail(Errc::invalid_argument, "{} is both required and forbidden", name);
    space_.upper[i] = 0;
  }
}

void SpaceBuilder::bound() {
  std::vector<std::uint8_t> seen(names_.size(), 0);
  for (const auto& [name, lower, upper] : given_.bounds) {
    const int i = index(name, "bounds");
    if (seen[i]++ != 0) fail(Errc::invalid_argument, "{} has bounds twice", name);
    if (!(lower >= 0 && lower <= upper && upper <= 1))
      fail(Errc::invalid_argument,
           "the bounds of {} are {} and {}; expected 0 <= lower <= upper <= 1", name, lower, upper);
    if (lower > 0 && !space_.may(i))
      fail(Errc::invalid_argument, "{} must have at least {}, but it may not be there", name,
           lower);
    if (lower > 0) space_.must[i] = 1;
    if (space_.must[i] && upper < std::max(lower, given_.least_weight))
      fail(Errc::invalid_argument, "{} is required with at least {}, but its upper bound is {}",
           name, std::max(lower, given_.least_weight), upper);
    space_.lower[i] = std::max(lower, given_.least_weight);
    space_.upper[i] = std::min(space_.upper[i], upper);
  }
}

/// Leaves out what cannot be there: its least weight is above its upper bound, or it has no state.
void SpaceBuilder::require() {
  for (int i = 0; i < space_.components(); ++i) {
    if (space_.upper[i] < space_.lower[i]) space_.upper[i] = 0;
    if (!space_.neutral || !space_.states[i].empty() || !space_.may(i)) continue;
    if (space_.must[i])
      fail(Errc::invalid_argument,
           "{} is required, but has no oxidation state, without which nothing is neutral",
           names_[i]);
    space_.upper[i] = 0;
  }
  const auto may = static_cast<int>(
      std::count_if(space_.upper.begin(), space_.upper.end(), [](double u) { return u > 0; }));
  if (may == 0) fail(Errc::invalid_argument, "no component is allowed");
  space_.most = given_.most_components > 0 ? std::min(given_.most_components, may) : may;
  const std::vector<int> must = musts();
  if (std::ssize(must) > space_.most)
    fail(Errc::invalid_argument, "{} are required, {} components, but at most {} may be there",
         listed(must), must.size(), space_.most);
  if (options_.atoms > 0 && std::ssize(must) > options_.atoms)
    fail(Errc::invalid_argument,
         "{} are required, {} components, but a formula may have {} atoms at most", listed(must),
         must.size(), options_.atoms);
}

void SpaceBuilder::give_states() {
  space_.states.resize(names_.size());
  if (!given_.neutral) {
    if (!given_.states.empty())
      fail(Errc::invalid_argument, "there are oxidation states, but neutrality is not asked for");
    return;
  }
  std::vector<std::uint8_t> seen(names_.size(), 0);
  for (const auto& [name, states] : given_.states) {
    const int i = index(name, "oxidation states");
    if (seen[i]++ != 0) fail(Errc::invalid_argument, "{} has oxidation states twice", name);
    for (const int state : states)
      if (state < -20 || state > 20)
        fail(Errc::invalid_argument, "the oxidation state {} of {} is out of range", state, name);
    space_.states[i] = states;
    std::sort(space_.states[i].begin(), space_.states[i].end());
    const auto end = std::unique(space_.states[i].begin(), space_.states[i].end());
    space_.states[i].erase(end, space_.states[i].end());
  }
}

std::vector<int> SpaceBuilder::musts() const {
  std::vector<int> which;
  for (int i = 0; i < space_.components(); ++i)
    if (space_.must[i]) which.push_back(i);
  return which;
}

std::string SpaceBuilder::listed(const std::vector<int>& which) const {
  std::string text;
  for (const int i : which) text += (text.empty() ? "" : ", ") + names_[i];
  return text;
}

void SpaceBuilder::check_sums() const {
  const std::vector<int> must = musts();
  double least = 0, most = 0;
  for (const int i : must) {
    least += space_.lower[i];
    most += space_.upper[i];
  }
  if (least > 1 + kRounding)
    fail(Errc::invalid_argument, "the lower bounds of {} add up to {}, above 1", listed(must),
         least);
  std::vector<double> others;
  for (int i = 0; i < space_.components(); ++i)
    if (space_.may(i) && !space_.must[i]) others.push_back(space_.upper[i]);
  std::sort(others.rbegin(), others.rend());
  const std::size_t room = static_cast<std::size_t>(space_.most) - must.size();
  for (std::size_t k = 0; k < std::min(room, others.size()); ++k) most += others[k];
  if (most < 1 - kRounding)
    fail(Errc::invalid_argument,
         "the upper bounds of {} components that may be there add up to {} at most, below 1",
         space_.most, most);
}

void SpaceBuilder::check_charges() const {
  if (!space_.neutral) return;
  const std::vector<int> must = musts();
  const bool full = std::ssize(must) == space_.most;
  std::vector<double> lower(names_.size(), 0.0), upper(names_.size(), 0.0), least, most;
  std::vector<int> those;
  for (int i = 0; i < space_.components(); ++i) {
    const auto& states = space_.states[i];
    least.push_back(states.empty() ? 0 : states.front());
    most.push_back(states.empty() ? 0 : states.back());
    if (!space_.may(i) || (full && !space_.must[i])) continue;
    those.push_back(i);
    if (space_.must[i]) lower[i] = space_.lower[i];
    upper[i] = space_.upper[i];
  }
  if (reachable(lower, upper, least, most)) return;
  const std::string names =
      those.size() <= 8 ? listed(those) : fmt::format("the {} components allowed", those.size());
  fail(Errc::invalid_argument,
       "no choice of oxidation states is neutral for {} within these bounds", names);
}

DesignSpace SpaceBuilder::build() {
  check_numbers();
  allow();
  bound();
  give_states();
  require();
  check_sums();
  check_charges();
  return std::move(space_);
}

/// The least sum of charge times weight; false when the weights cannot add up to 1.
bool least_total(std::span<const double> lower, std::span<const double> upper,
                 std::span<const double> charge, double sign, double& total,
                 std::vector<int>* used) {
  double rest = 1;
  total = 0;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    rest -= lower[i];
    if (!charge.empty()) total += sign * charge[i] * lower[i];
  }
  if (rest < -kRounding) return false;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < lower.size(); ++i)
    if (upper[i] > lower[i]) order.push_back(i);
  if (!charge.empty())
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return sign * charge[a] != sign * charge[b] ? sign * charge[a] < sign * charge[b] : a < b;
    });
  for (const std::size_t i : order) {
    const double part = std::min(rest, upper[i] - lower[i]);
    if (!(part > 0)) break;
    rest -= part;
    if (used) used->push_back(static_cast<int>(i));
    if (!charge.empty()) total += sign * charge[i] * part;
  }
  return rest <= kRounding;
}

}  // namespace

DesignSpace design_space(const Components& components, const Constraints& constraints,
                         const DesignOptions& options) {
  return SpaceBuilder(components, constraints, options).build();
}

bool reachable(std::span<const double> lower, std::span<const double> upper,
               std::span<const double> least_charge, std::span<const double> most_charge,
               std::vector<int>* used) {
  double total = 0;
  if (!least_total(lower, upper, least_charge, 1, total, used)) return false;
  if (least_charge.empty()) return true;
  if (total > kRounding) return false;
  least_total(lower, upper, most_charge, -1, total, used);
  return total <= kRounding;
}

std::vector<int> neutral_states(std::span<const int> amounts,
                                std::span<const std::vector<int>* const> states) {
  const std::size_t n = amounts.size();
  // What the components from i on can still add, at least and at most.
  std::vector<int> least(n + 1, 0), most(n + 1, 0);
  for (std::size_t i = n; i-- > 0;) {
    if (states[i]->empty()) return {};
    least[i] = least[i + 1] + amounts[i] * states[i]->front();
    most[i] = most[i + 1] + amounts[i] * states[i]->back();
  }
  std::vector<int> chosen(n);
  const auto choose = [&](const auto& self, std::size_t i, int charge) -> bool {
    if (charge + least[i] > 0 || charge + most[i] < 0) return false;
    if (i == n) return true;
    for (const int state : *states[i]) {
      chosen[i] = state;
      if (self(self, i + 1, charge + amounts[i] * state)) return true;
    }
    return false;
  };
  if (!choose(choose, 0, 0)) chosen.clear();
  return chosen;
}

}  // namespace kronite::kmd
