// Searches for mixtures against enumeration of all supports, states and formulas.
#include "kmd/design_search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "kmd/design_world.hpp"  // for World, with_states
#include "kronite/error.hpp"     // for Error

namespace kronite::kmd {
namespace {

using test::with_states;
using test::World;

struct Found {
  double distance;
  std::vector<int> key;  ///< amounts, or 1 for what is there

  friend bool operator<(const Found& a, const Found& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.key < b.key;
  }
};

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether `there` may be a set of components.
bool support_is_allowed(const World& world, const Constraints& c, const std::vector<int>& there) {
  int count = 0;
  for (std::size_t i = 0; i < there.size(); ++i) {
    const std::string& name = world.components.names[i];
    if (there[i] > 0) {
      ++count;
      if (contains(c.forbidden, name)) return false;
      if (!c.allowed.empty() && !contains(c.allowed, name)) return false;
    } else if (contains(c.required, name)) {
      return false;
    }
    for (const auto& bounds : c.bounds)
      if (bounds.component == name && bounds.lower > 0 && there[i] == 0) return false;
  }
  return count > 0 && (c.most_components == 0 || count <= c.most_components);
}

double lower_of(const World& world, const Constraints& c, std::size_t i) {
  double lower = c.least_weight;
  for (const auto& bounds : c.bounds)
    if (bounds.component == world.components.names[i]) lower = std::max(lower, bounds.lower);
  return lower;
}
double upper_of(const World& world, const Constraints& c, std::size_t i) {
  for (const auto& bounds : c.bounds)
    if (bounds.component == world.components.names[i]) return bounds.upper;
  return 1;
}
std::vector<int> states_of(const World& world, const Constraints& c, std::size_t i) {
  for (const auto& states : c.states)
    if (states.component == world.components.names[i]) return states.states;
  return {};
}

/// f(states) for every choice of a state for each component that is there.
template <class F>
void for_each_choice(const World& world, const Constraints& c, const std::vector<int>& there,
                     const F& f) {
  std::vector<int> chosen(there.size(), 0);
  const auto choose = [&](const auto& self, std::size_t i) -> void {
    if (i == there.size()) return f(chosen);
    if (!c.neutral || there[i] == 0) return self(self, i + 1);
    for (const int state : states_of(world, c, i)) {
      chosen[i] = state;
      self(self, i + 1);
    }
  };
  choose(choose, 0);
}

/// The best mixture of every support, closest first.
std::vector<Found> all_supports(const World& world, const Constraints& c) {
  const auto n = static_cast<int>(world.h.rows);
  const DesignGeometry geometry(world.h.view());
  const DesignTarget target(geometry, {world.phi.data(), std::ssize(world.phi)});
  math::QuadraticSolver solver;
  std::vector<Found> found;
  for (int set = 1; set < 1 << n; ++set) {
    std::vector<int> there(n);
    for (int i = 0; i < n; ++i) there[i] = set >> i & 1;
    if (!support_is_allowed(world, c, there)) continue;
    double best = std::numeric_limits<double>::infinity();
    bool proper = false;
    for_each_choice(world, c, there, [&](const std::vector<int>& states) {
      math::QuadraticProgramme programme;
      programme.p = {geometry.p.data(), n, n};
      programme.q = target.q();
      programme.rows.push_back({std::vector<double>(n, 1.0), 1, 1});
      if (c.neutral) programme.rows.push_back({{states.begin(), states.end()}, 0, 0});
      for (int i = 0; i < n; ++i) {
        programme.lower.push_back(there[i] ? lower_of(world, c, i) : 0);
        programme.upper.push_back(there[i] ? upper_of(world, c, i) : 0);
        if (programme.lower.back() > programme.upper.back()) return;
      }
      const auto& solution = solver.solve(programme);
      if (!solution.feasible || world.distance(solution.w) >= best) return;
      best = world.distance(solution.w);
      proper = true;
      for (int i = 0; i < n; ++i) proper = proper && (there[i] == 0 || solution.w[i] > 1e-9);
    });
    if (proper) found.push_back({best, there});
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// Every formula in lowest terms, closest first.
std::vector<Found> all_formulas(const World& world, const Constraints& c, int atoms) {
  const auto n = static_cast<std::size_t>(world.h.rows);
  std::vector<Found> found;
  std::vector<int> amounts(n, 0);
  const auto judge = [&] {
    const int total = std::accumulate(amounts.begin(), amounts.end(), 0);
    int divisor = 0;
    for (const int amount : amounts) divisor = std::gcd(divisor, amount);
    if (divisor != 1 || !support_is_allowed(world, c, amounts)) return;
    std::vector<double> w(n);
    for (std::size_t i = 0; i < n; ++i) {
      w[i] = static_cast<double>(amounts[i]) / total;
      if (amounts[i] > 0 &&
          (w[i] < lower_of(world, c, i) - 1e-9 || w[i] > upper_of(world, c, i) + 1e-9))
        return;
    }
    bool neutral = !c.neutral;
    for_each_choice(world, c, amounts, [&](const std::vector<int>& states) {
      if (std::inner_product(states.begin(), states.end(), amounts.begin(), 0) == 0) neutral = true;
    });
    if (neutral) found.push_back({world.distance(w), amounts});
  };
  const auto choose = [&](const auto& self, std::size_t i, int rest) -> void {
    if (i == n) return judge();
    for (amounts[i] = 0; amounts[i] <= rest; ++amounts[i]) self(self, i + 1, rest - amounts[i]);
    amounts[i] = 0;
  };
  choose(choose, 0, atoms);
  std::sort(found.begin(), found.end());
  return found;
}

/// The proposals are the first ones of the enumeration, in order.
void expect_first(const World& world, const Constraints& c, const DesignOptions& options,
                  const std::vector<Found>& all) {
  const Design design = world.design(c, options);

  EXPECT_TRUE(design.complete);
  const std::size_t expected = std::min(all.size(), static_cast<std::size_t>(options.top));
  ASSERT_EQ(design.proposals.size(), expected);
  EXPECT_EQ(design.proved, expected);
  for (std::size_t rank = 0; rank < expected; ++rank) {
    SCOPED_TRACE(testing::Message() << "rank " << rank);
    const Proposal& proposal = design.proposals[rank];
    // Distances of random worlds are around 0.1; both sides round in the 14th digit of a square.
    EXPECT_NEAR(proposal.distance, all[rank].distance, 1e-9);
    std::vector<int> key(world.h.rows, 0);
    std::vector<double> w(world.h.rows, 0.0);
    double charge = 0;
    for (const auto& part : proposal.parts) {
      key[part.component] = options.atoms > 0 ? part.amount : 1;
      w[part.component] = part.weight;
      charge += part.weight * part.state;
      EXPECT_GE(part.weight, lower_of(world, c, part.component) - 1e-9);
      EXPECT_LE(part.weight, upper_of(world, c, part.component) + 1e-9);
    }
    EXPECT_EQ(key, all[rank].key);
    EXPECT_NEAR(charge, 0, 1e-11);
    EXPECT_NEAR(std::accumulate(w.begin(), w.end(), 0.0), 1, 1e-11);
    EXPECT_NEAR(world.distance(w), proposal.distance, 1e-9);
    EXPECT_GE(proposal.distance, design.relaxed - 1e-9);
  }
  if (expected == static_cast<std::size_t>(options.top)) {
    EXPECT_EQ(design.lower_bound, design.proposals.back().distance);
  }
}

TEST(DesignSearch, RanksSupportsAsEnumerationDoes) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed)
    for (const int most : {0, 1, 2, 3})
      for (const double least : {0.0, 0.01, 0.2}) {
        SCOPED_TRACE(testing::Message() << "seed " << seed << ", " << most << ", " << least);
        const World world(seed, 6);
        Constraints c;
        c.most_components = most;
        c.least_weight = least;
        DesignOptions options;
        options.top = 4;
        expect_first(world, c, options, all_supports(world, c));
      }
}

TEST(DesignSearch, KeepsBoundsAndWhatIsRequired) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    const World world(seed, 6);
    Constraints c;
    c.required = {"B"};
    c.forbidden = {"E"};
    c.bounds = {{"A", 0, 0.15}, {"C", 0.2, 0.3}, {"D", 0.05, 1}};
    c.most_components = 4;
    DesignOptions options;
    expect_first(world, c, options, all_supports(world, c));
    options.atoms = 8;
    expect_first(world, c, options, all_formulas(world, c, 8));
  }
}

TEST(DesignSearch, ChoosesOxidationStates) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed)
    for (const int most : {2, 3, 0}) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", " << most);
      const World world(seed, 6);
      Constraints c = with_states({});
      c.most_components = most;
      DesignOptions options;
      options.top = 3;
      expect_first(world, c, options, all_supports(world, c));
    }
}

TEST(DesignSearch, RanksFormulasAsEnumerationDoes) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed)
    for (const int atoms : {1, 3, 8})
      for (const int most : {0, 2, 3}) {
        SCOPED_TRACE(testing::Message() << "seed " << seed << ", " << atoms << ", " << most);
        const World world(seed, 5);
        Constraints c;
        c.most_components = most;
        DesignOptions options;
        options.top = 7;
        options.atoms = atoms;
        expect_first(world, c, options, all_formulas(world, c, atoms));
      }
}

TEST(DesignSearch, RanksNeutralFormulasAsEnumerationDoes) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed)
    for (const double least : {0.0, 0.15}) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", " << least);
      const World world(seed, 6);
      Constraints c = with_states({});
      c.least_weight = least;
      c.most_components = 4;
      DesignOptions options;
      options.atoms = 8;
      expect_first(world, c, options, all_formulas(world, c, 8));
    }
}

TEST(DesignSearch, FindsAllWhenThereAreFewerThanAskedFor) {
  const World world(3, 4);
  Constraints c;
  DesignOptions options;
  options.atoms = 4;
  options.top = 1000;
  const auto all = all_formulas(world, c, 4);
  ASSERT_LT(all.size(), 1000U);

  const Design design = world.design(c, options);

  EXPECT_EQ(design.proposals.size(), all.size());
  EXPECT_TRUE(design.complete);
  EXPECT_TRUE(std::isinf(design.lower_bound));
}

TEST(DesignSearch, AMixtureThatIsAllowedIsFoundAtNoDistance) {
  World world(4, 6, 0);
  std::fill(world.phi.begin(), world.phi.end(), 0.0);
  for (std::int64_t k = 0; k < world.h.cols; ++k)
    world.phi[k] = 0.4 * world.h.at(1, k) + 0.6 * world.h.at(4, k);
  DesignOptions options;
  options.atoms = 5;

  const Design design = world.design({}, options);

  EXPECT_LT(design.proposals.front().distance, 1e-13);  // of |phi| = 4: rounding
  ASSERT_EQ(design.proposals.front().parts.size(), 2U);
  EXPECT_EQ(design.proposals.front().parts[0].amount, 2);
  EXPECT_EQ(design.proposals.front().parts[1].amount, 3);
}

TEST(DesignSearch, AnUnfinishedSearchSaysWhatItKnows) {
  const World world(5, 6);
  Constraints c;
  c.most_components = 3;
  const auto all = all_formulas(world, c, 8);
  DesignOptions options;
  options.atoms = 8;
  bool unfinished = false;
  for (options.most_nodes = 1; options.most_nodes < 200; options.most_nodes *= 2) {
    SCOPED_TRACE(options.most_nodes);

    const Design design = world.design(c, options);

    EXPECT_LE(design.nodes, options.most_nodes);
    unfinished = unfinished || !design.complete;
    for (std::size_t rank = 0; rank < design.proved; ++rank)
      EXPECT_NEAR(design.proposals[rank].distance, all[rank].distance, 1e-9);
    std::set<std::vector<int>> listed;
    for (const auto& proposal : design.proposals) {
      std::vector<int> key(world.h.rows, 0);
      for (const auto& part : proposal.parts) key[part.component] = part.amount;
      listed.insert(key);
    }
    for (const Found& formula : all)
      EXPECT_TRUE(listed.contains(formula.key) || formula.distance >= design.lower_bound - 1e-9);
  }
  EXPECT_TRUE(unfinished);
}

TEST(DesignSearch, StopsWhenAsked) {
  const World world(6, 6);
  DesignOptions options;
  options.atoms = 8;
  options.progress = [](long long, long long) { return false; };

  try {
    world.design({}, options);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::cancelled);
  }
}

}  // namespace
}  // namespace kronite::kmd
