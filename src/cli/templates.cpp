// kronite templates: the command, and what its parts share.
#include "cli/templates.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/fail.hpp"           // for fail
#include "base/number.hpp"         // for to_number
#include "cli/commands.hpp"        // for add_templates
#include "materials/elements.hpp"  // for kElements

namespace kronite::cli {
namespace {

std::vector<int> element_numbers(const std::vector<std::string>& symbols) {
  std::vector<int> numbers;
  for (const std::string& symbol : symbols) {
    numbers.push_back(element_number(symbol));
    if (numbers.back() == 0)
      fail(Errc::invalid_argument, "--elements: \"{}\" is no element", symbol);
  }
  return numbers;
}

/// The label that libraries use for a ratio in any order: 3:1:1 for 1:1:3 and 2:2:6.
std::string ratio_of(const std::string& text) {
  std::vector<ElementAmount> parts;  // of any elements: a label does not name them
  std::string label;
  for (std::size_t at = 0; at <= text.size() && parts.size() < kElements;) {
    const std::size_t stop = std::min(text.find(':', at), text.size());
    const auto amount = to_number(std::string_view(text).substr(at, stop - at));
    if (!amount || !(*amount > 0)) break;
    parts.push_back({static_cast<int>(parts.size()) + 1, *amount});
    if (stop == text.size()) label = Composition(parts).ratio_label();
    at = stop + 1;
  }
  if (label.empty())
    fail(Errc::invalid_argument, "--ratio: \"{}\" is no composition ratio such as 3:1:1", text);
  return label;
}

}  // namespace

TemplateLibrary open_library(const std::string& path) {
  return path.empty() ? TemplateLibrary::embedded() : TemplateLibrary::open(path);
}

void add_library_argument(CLI::App& command, std::string& path) {
  command.add_option("LIBRARY", path, "A library file; without it the demo set inside kronite");
}

void TemplateFilter::add_options(CLI::App& command) {
  command.add_option("--ratio", ratio, "Only templates of this composition ratio, such as 3:1:1");
  command.add_option("--formula", formula, "Only templates of this formula, however it is written");
  command
      .add_option("--elements", elements, "Only templates that hold all of these: Sr,Ti or more")
      ->delimiter(',');
  command.add_option("--space-group", space_group, "Only templates of this space group, 1 to 230")
      ->check(CLI::Range(1, 230));
}

std::vector<std::int64_t> TemplateFilter::matches(const TemplateLibrary& library) const {
  const std::vector<int> wanted = element_numbers(elements);
  const Composition composition = formula.empty() ? Composition() : Composition::parse(formula);
  const std::string reduced = formula.empty() ? "" : composition.reduced_formula();
  const std::string label = !ratio.empty()     ? ratio_of(ratio)
                            : !formula.empty() ? composition.ratio_label()
                                               : "";
  const TemplateRange range =
      label.empty() ? TemplateRange{0, library.size()} : library.with_ratio(label);
  std::vector<std::int64_t> found;
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    const TemplateInfo info = library.info(i);
    if (!reduced.empty() && info.formula != reduced) continue;
    if (space_group != 0 && info.space_group != space_group) continue;
    if (!wanted.empty()) {
      const Composition held = library.composition(i);
      const auto holds = [&](int z) { return held.amount(z) > 0; };
      if (!std::all_of(wanted.begin(), wanted.end(), holds)) continue;
    }
    found.push_back(i);
  }
  return found;
}

void add_templates(CLI::App& program) {
  auto* command = program.add_subcommand(
      "templates", "Build and inspect template libraries: known crystals to substitute into");
  command->require_subcommand(1);
  command->footer("Example:  kronite templates list --ratio 3:1:1");
  add_templates_build(*command);
  add_templates_read(*command);
  add_templates_export(*command);
  add_templates_sample(*command);
}

}  // namespace kronite::cli
