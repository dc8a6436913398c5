// A small model made by hand.
#pragma once

#include "kronite/model.hpp"  // for Model

namespace kronite::test {

/// Two networks of different depth on three inputs.
inline csp::Model small_model() {
  csp::Model model;
  const DenseLayer hidden{3, 2, {1, -2, 3, 4, 5.5F, -6}, {0.5F, -0.25F}, Activation::relu};
  const DenseLayer two{2, 2, {1, 2, 3, 4}, {0, 1}, Activation::none};
  const DenseLayer one{3, 1, {0.1F, 0.2F, 0.3F}, {-1}, Activation::none};
  model.ensemble.members = {{{hidden, two}}, {{one}}};
  model.mean = {0.1, -2, 1e300};
  model.std = {1, 5e-324, 0.3};
  model.element_table = "0123456789abcdef";
  model.tau = 0.1;
  model.card = {{"name", "small"}, {"licence", "CC0"}, {"data", "three lines\nof text: \"é\""}};
  return model;
}

}  // namespace kronite::test
