// Constraints that contradict each other, and what the message says.
#include "kmd/design_space.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kmd/design_world.hpp"  // for World, with_states
#include "kronite/error.hpp"     // for Error

namespace kronite::kmd {
namespace {

using test::with_states;
using test::World;

/// The message with which constraints are refused.
std::string refusal(const Constraints& c, const DesignOptions& options = {}) {
  try {
    World(1, 6).design(c, options);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::invalid_argument);
    return e.what();
  }
  return "accepted";
}

TEST(DesignSpace, SaysWhichConstraintsContradict) {
  Constraints c;
  c.required = c.forbidden = {"B"};
  EXPECT_EQ(refusal(c), "B is both required and forbidden");
  c = {};
  c.allowed = {"A"};
  c.required = {"B"};
  EXPECT_EQ(refusal(c), "B is required, but it is not among those allowed");
  c = {};
  c.forbidden = {"Q"};
  EXPECT_EQ(refusal(c), "forbidden: there is no component 'Q'");
  c = {};
  c.forbidden = {"A", "B", "C", "D", "E", "F"};
  EXPECT_EQ(refusal(c), "no component is allowed");
  c = {};
  c.forbidden = {"A"};
  c.bounds = {{"A", 0.1, 0.3}};
  EXPECT_EQ(refusal(c), "A must have at least 0.1, but it may not be there");
  c = {};
  c.bounds = {{"A", 0.6, 1}, {"B", 0.6, 1}};
  EXPECT_EQ(refusal(c), "the lower bounds of A, B add up to 1.2, above 1");
  c = {};
  c.bounds = {{"A", 0.5, 0.4}};
  EXPECT_EQ(refusal(c), "the bounds of A are 0.5 and 0.4; expected 0 <= lower <= upper <= 1");
  c = {};
  c.bounds = {{"A", 0.1, 0.2}, {"A", 0.1, 0.3}};
  EXPECT_EQ(refusal(c), "A has bounds twice");
  c = {};
  c.required = {"A"};
  c.bounds = {{"A", 0, 0.005}};
  EXPECT_EQ(refusal(c), "A is required with at least 0.01, but its upper bound is 0.005");
  c = {};
  c.required = {"A", "C", "E"};
  c.most_components = 2;
  EXPECT_EQ(refusal(c), "A, C, E are required, 3 components, but at most 2 may be there");
  c = {};
  c.allowed = {"A", "B"};
  c.bounds = {{"A", 0, 0.3}, {"B", 0, 0.3}};
  EXPECT_EQ(refusal(c),
            "the upper bounds of 2 components that may be there add up to 0.6 at most, below 1");
  c = {};
  c.least_weight = 1;
  EXPECT_EQ(refusal(c), "the least weight is 1; expected 0 or more and below 1");
  c = {};
  c.states = {{"A", {1}}};
  EXPECT_EQ(refusal(c), "there are oxidation states, but neutrality is not asked for");
  DesignOptions options;
  options.atoms = 2;
  c = {};
  c.required = {"A", "C", "E"};
  EXPECT_EQ(refusal(c, options),
            "A, C, E are required, 3 components, but a formula may have 2 atoms at most");
}

TEST(DesignSpace, SaysWhenNoOxidationStatesAreNeutral) {
  Constraints c = with_states({});
  c.allowed = {"A", "B", "D"};
  EXPECT_EQ(refusal(c), "no choice of oxidation states is neutral for A, B, D within these bounds");
  c = with_states({});
  c.required = {"A", "B"};
  c.most_components = 2;
  EXPECT_EQ(refusal(c), "no choice of oxidation states is neutral for A, B within these bounds");
  c = with_states({});
  c.states.erase(c.states.begin());
  c.required = {"A"};
  EXPECT_EQ(refusal(c),
            "A is required, but has no oxidation state, without which nothing is neutral");
}

TEST(DesignSpace, NeutralStatesAreTheFirstThereAre) {
  const std::vector<int> iron{2, 3}, oxygen{-2}, tin{-4, 2, 4};
  const std::vector<int> two{2, 3}, one{1, 2};

  EXPECT_EQ(neutral_states(two, std::vector<const std::vector<int>*>{&iron, &oxygen}),
            (std::vector<int>{3, -2}));
  EXPECT_EQ(neutral_states(one, std::vector<const std::vector<int>*>{&tin, &oxygen}),
            (std::vector<int>{4, -2}));
  EXPECT_TRUE(neutral_states(two, std::vector<const std::vector<int>*>{&tin, &oxygen}).empty());
}

}  // namespace
}  // namespace kronite::kmd
