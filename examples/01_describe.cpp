// 01: what a formula says - its reduced form, its ratio label and its 290-value descriptor.
//   build/cpu/bin/example_01_describe "Ca(OH)2" La1.85Sr0.15CuO4
#include <cstdio>
#include <exception>
#include <kronite/kronite.hpp>
#include <string>
#include <vector>

int main(int argc, char** argv) try {
  std::vector<std::string> formulas(argv + 1, argv + argc);
  if (formulas.empty()) formulas = {"Ca(OH)2", "La1.85Sr0.15CuO4", "CuSO4·5H2O"};

  // The sum part of a descriptor grows with the formula, so describe reduced compositions.
  std::vector<kronite::Composition> compositions;
  for (const auto& formula : formulas)
    compositions.push_back(kronite::Composition::parse(formula).reduced());

  const auto& table = kronite::ElementTable::embedded();
  const auto names = kronite::descriptor_names(table);
  const auto rows = static_cast<std::int64_t>(compositions.size());
  const auto cols = static_cast<std::int64_t>(names.size());
  std::vector<double> values(compositions.size() * names.size());
  kronite::describe(compositions, table, {values.data(), rows, cols});

  for (std::size_t i = 0; i < compositions.size(); ++i)
    std::printf("%-18s %-16s ratio %-10s %s = %.4f\n", formulas[i].c_str(),
                compositions[i].reduced_formula().c_str(), compositions[i].ratio_label().c_str(),
                names[0].c_str(), values[i * names.size()]);
  std::printf("%zu values each\n", names.size());
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
