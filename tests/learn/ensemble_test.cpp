// Checks of ensembles.
#include "kronite/ensemble.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kronite/error.hpp"

namespace kronite {
namespace {

Ensemble two_members() {
  const Network network{{{2, 3, {1, 2, 3, 4, 5, 6}, {0, 0, 1}, Activation::relu},
                         {3, 2, {1, 0, 0, 0, 1, 0}, {0, 0}, Activation::none}}};
  return {{network, network}};
}

/// What is said of an ensemble after `change`.
template <class F>
std::string complaint(const F& change) {
  Ensemble ensemble = two_members();
  change(ensemble);
  try {
    ensemble.check();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::invalid_argument);
    return e.what();
  }
  return "none";
}

TEST(Ensemble, CountsInputsAndParameters) {
  EXPECT_EQ(two_members().inputs(), 2);
  EXPECT_EQ(two_members().parameters(), 2 * (6 + 3 + 6 + 2));
  EXPECT_EQ(Ensemble{}.inputs(), 0);
}

TEST(Ensemble, SaysWhichLayerIsWrong) {
  EXPECT_EQ(complaint([](Ensemble&) {}), "none");
  EXPECT_EQ(complaint([](Ensemble& e) { e.members.clear(); }), "the ensemble has no networks");
  EXPECT_EQ(complaint([](Ensemble& e) { e.members[1].layers.clear(); }), "network 1 has no layers");
  EXPECT_EQ(complaint([](Ensemble& e) { e.members[1].layers[1].inputs = 4; }),
            "layer 1 of network 1 takes 4 inputs where 3 come");
  EXPECT_EQ(complaint([](Ensemble& e) { e.members[0].layers[0].weight.pop_back(); }),
            "layer 0 of network 0 has 5 weights and 3 biases, expected 3 x 2 and 3");
  EXPECT_EQ(complaint([](Ensemble& e) { e.members[0].layers[1].bias[1] = NAN; }),
            "layer 1 of network 0 holds a weight that is not finite");
  EXPECT_EQ(complaint([](Ensemble& e) { e.members[0].layers.pop_back(); }),
            "network 0 ends in 3 values, expected one or two logits");
}

}  // namespace
}  // namespace kronite
