// Designs among the elements: from the question to the proof.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "kronite/composition.hpp"
#include "kronite/kmd.hpp"
#include "kronite/kmd_design.hpp"

namespace kronite::bench {
namespace {

struct Question {
  const char* name;
  std::string target;
  std::vector<std::string> forbidden;
  int most, atoms;
  bool neutral;
};

const std::vector<Question>& questions() {
  static const std::vector<Question> all{
      {"CaTiO3_without_Ti", "CaTiO3", {"Ti"}, 3, 0, false},
      {"CaTiO3_without_Ti_neutral_10_atoms", "CaTiO3", {"Ti"}, 3, 10, true},
      {"LiFePO4_without_Fe_and_P_neutral_14_atoms", "LiFePO4", {"Fe", "P"}, 4, 14, true},
      {"YBa2Cu3O7_without_metals_5_elements", "YBa2Cu3O7", {"Cu", "Y", "Ba"}, 5, 0, false},
      {"YBa2Cu3O7_without_metals_neutral_26_atoms", "YBa2Cu3O7", {"Cu", "Y", "Ba"}, 5, 26, true},
  };
  return all;
}

void design(benchmark::State& state, const Question& question) {
  kmd::Settings settings;
  settings.n_grids = 10;
  const kmd::Descriptor descriptor(kmd::Components::of(ElementTable::embedded()), settings);
  const kmd::Designer designer(descriptor);
  Device device = Device::cpu();
  std::vector<double> phi(static_cast<std::size_t>(descriptor.width()));
  descriptor.transform(
      device, kmd::weights_of({Composition::parse(question.target)}, descriptor.components()),
      {phi.data(), 1, descriptor.width()});
  kmd::Constraints constraints;
  constraints.forbidden = question.forbidden;
  constraints.most_components = question.most;
  constraints.neutral = question.neutral;
  for (int z = 1; question.neutral && z <= 94; ++z)
    constraints.states.push_back({std::string(element_symbol(z)), common_oxidation_states(z)});
  kmd::DesignOptions options;
  options.atoms = question.atoms;

  kmd::Design found;
  for (auto _ : state)
    found = designer.design({phi.data(), descriptor.width()}, constraints, options);

  state.counters["nodes"] = static_cast<double>(found.nodes);
  state.counters["proved"] = static_cast<double>(found.proved);
}

[[maybe_unused]] const bool registered = [] {
  for (const Question& question : questions())
    benchmark::RegisterBenchmark(("kmd_design/" + std::string(question.name)).c_str(), design,
                                 question)
        ->Unit(benchmark::kMillisecond);
  return true;
}();

}  // namespace
}  // namespace kronite::bench
