// A model made of fixed numbers, for tests of what is done with a model.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "kronite/model.hpp"      // for Model
#include "kronite/templates.hpp"  // for TemplateLibrary
#include "support/random.hpp"     // for random_value

namespace kronite::test {

inline DenseLayer random_layer(std::uint64_t seed, std::int64_t inputs, std::int64_t units,
                               Activation activation) {
  // The width of the inputs is divided out, so that probabilities spread over (0, 1).
  const double scale = 4 / std::sqrt(static_cast<double>(inputs));
  DenseLayer layer{inputs, units, {}, {}, activation};
  for (std::int64_t i = 0; i < units * inputs; ++i)
    layer.weight.push_back(
        static_cast<float>(scale * random_value(seed, static_cast<std::uint64_t>(i))));
  for (std::int64_t i = 0; i < units; ++i)
    layer.bias.push_back(static_cast<float>(random_value(seed + 1, static_cast<std::uint64_t>(i))));
  return layer;
}

/// Networks 290-8-2 that have learnt nothing; descriptors standardised as the library says.
inline csp::Model random_model(int members, const TemplateLibrary& library,
                               const ElementTable& table = ElementTable::embedded()) {
  const auto inputs = static_cast<std::int64_t>(5 * table.features().size());
  csp::Model model;
  for (int m = 0; m < members; ++m) {
    const auto seed = static_cast<std::uint64_t>(10 * m);
    model.ensemble.members.push_back({{random_layer(seed, inputs, 8, Activation::relu),
                                       random_layer(seed + 2, 8, 2, Activation::none)}});
  }
  model.mean.assign(library.descriptor_mean(), library.descriptor_mean() + inputs);
  model.std.assign(library.descriptor_std(), library.descriptor_std() + inputs);
  model.element_table = table.hash();
  model.card = {{"name", "random"}};
  return model;
}

}  // namespace kronite::test
