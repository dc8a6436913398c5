// Options that several commands of kernel mean descriptors have.
#include "cli/kmd_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "kmd/setting_names.hpp"    // for layout_names and the like
#include "kronite/composition.hpp"  // for ElementTable

namespace kronite::cli {

void ComponentsOption::add(CLI::App& command) {
  command
      .add_option("--components", file,
                  "What mixtures are made of: CSV with a header of feature names and a row\n"
                  "\"name,value,...\" per component; default: the 94 elements inside, with 58\n"
                  "features each")
      ->type_name("FILE");
}

kmd::Components ComponentsOption::read() const {
  return file.empty() ? kmd::Components::of(ElementTable::embedded())
                      : kmd::Components::read_csv(file);
}

void SettingsOptions::add(CLI::App& command) {
  const auto one_of = [&](const char* name, std::optional<std::string>& value,
                          const std::vector<std::string>& names, const char* help) {
    command.add_option(name, value, help)
        ->check(CLI::IsMember(names).description(""))
        ->type_name(fmt::format("{}", fmt::join(names, "|")));
  };
  one_of("--layout", layout, kmd::layout_names(),
         "grid: each feature has a grid of its own; joint: the components are the grid\n"
         "[grid]");
  one_of("--kernel", kernel, kmd::kernel_names(), "Kernel function [gaussian]");
  one_of("--scaling", scaling, kmd::scaling_names(),
         "Of the features over the components; auto: min_max for grid, z_score for joint\n"
         "[auto]");
  command
      .add_option("--n-grids", n_grids,
                  "Points of each feature's grid; 0: the fewest that can be inverted well [0]")
      ->check(CLI::Range(0.0, kmd::kMostGridPoints).description(""))
      ->type_name("N");
  command
      .add_option("--sigma", sigma,
                  "Length scale in scaled units; 0: from the step of each grid [0]")
      ->check(CLI::NonNegativeNumber.description(""))
      ->type_name("S");
  command
      .add_option("--most-condition", most_condition,
                  "Largest condition number of H H' that --n-grids 0 accepts [1e5]")
      ->check(CLI::Range(1.0, kmd::kLargestCondition).description(""))
      ->type_name("C");
}

bool SettingsOptions::any() const {
  return layout || kernel || scaling || n_grids || sigma || most_condition;
}

void SettingsOptions::apply(kmd::Settings& settings) const {
  using namespace kmd;
  if (layout) settings.layout = static_cast<Layout>(index_of(layout_names(), *layout));
  if (kernel) settings.kernel = static_cast<KernelKind>(index_of(kernel_names(), *kernel));
  if (scaling) settings.scaling = static_cast<Scaling>(index_of(scaling_names(), *scaling));
  if (n_grids) settings.n_grids = *n_grids;
  if (sigma) settings.sigma = *sigma;
  if (most_condition) settings.most_condition = *most_condition;
}

void FormulaOptions::add(CLI::App& command) {
  command.add_option("FORMULA", formulas, "Formulas such as \"Ca(OH)2\" or La1.85Sr0.15CuO4");
  command
      .add_option("--file", file,
                  "List of formulas: one per line (# begins a comment), or a .csv file with a\n"
                  "column such as formula or formula_pretty; may be compressed (.gz, .xz, .zst,\n"
                  ".bz2)")
      ->type_name("FILE");
  command
      .add_option("--unknown", unknown,
                  "Formulas with elements that are no component: refuse them, skip the formula,\n"
                  "or leave out the element and renormalise the rest [refuse]")
      ->check(CLI::IsMember({"refuse", "skip", "renormalise"}).description(""))
      ->type_name("refuse|skip|renormalise");
  command.add_flag("--skip-bad", skip_bad,
                   "Report formulas that cannot be read or used, and go on");
}

}  // namespace kronite::cli
