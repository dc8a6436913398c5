// kronite templates info, list: what is in a library, as numbers and as a table.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/templates.hpp"       // for TemplateFilter, open_library
#include "cli/terminal.hpp"        // for Table, die_on_interrupt
#include "io/csv.hpp"              // for append_csv_cell
#include "materials/elements.hpp"  // for kByNumber

namespace kronite::cli {
namespace {

constexpr std::size_t kShownRows = 10;

using Counts = std::map<std::string, std::int64_t>;

/// Most frequent first; names in order among equals.
void print_counts(const std::string& what, const Counts& counts) {
  std::vector<std::pair<std::string, std::int64_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  Table table({what, "templates"});
  for (std::size_t i = 0; i < std::min(sorted.size(), kShownRows); ++i)
    table.add({sorted[i].first, fmt::format("{}", sorted[i].second)});
  fmt::print("\n");
  table.print();
  if (sorted.size() > kShownRows) fmt::print("and {} more\n", sorted.size() - kShownRows);
}

/// The part of a source before the details: "COD 9009083; Crystal Structures 1 (1963) 239" is COD.
std::string source_group(std::string_view source) {
  if (source.empty()) return "not stated";
  return std::string(source.substr(0, source.find_first_of(" ;:,")));
}

/// What `info` counts.
struct Summary {
  explicit Summary(const TemplateLibrary& library) {
    for (const std::string& ratio : library.ratios())
      ratios[ratio] = library.with_ratio(ratio).size();
    for (std::int64_t i = 0; i < library.size(); ++i) {
      const TemplateInfo info = library.info(i);
      ++groups[fmt::format("{}", info.space_group)];
      ++licenses[info.license.empty() ? "unknown" : std::string(info.license)];
      ++sources[source_group(info.source)];
      with_energy += !std::isnan(info.e_above_hull) || !std::isnan(info.formation_energy);
      sites += info.sites;
      const Composition composition = library.composition(i);
      for (const auto& part : composition.parts()) elements[part.z] = true;
    }
  }

  std::string missing_elements() const {
    std::string symbols;
    for (int z = 1; z <= 94; ++z)
      if (!elements[z]) symbols += fmt::format(" {}", element_symbol(z));
    return symbols;
  }

  Counts ratios, groups, licenses, sources;
  std::vector<bool> elements = std::vector<bool>(kByNumber, false);
  std::int64_t with_energy = 0, sites = 0;
};

void run_info(const std::string& path) {
  die_on_interrupt();
  const TemplateLibrary library = open_library(path);
  const Summary summary(library);
  fmt::print("{}: {} templates, content {}\n", library.path(), library.size(), library.hash());
  if (path.empty())
    fmt::print(
        "This is the demo set inside kronite, for trying things out; build your own library with\n"
        "kronite templates build.\n");
  fmt::print("composition ratios: {}\nspace groups: {}\nsites: {}\nwith an energy: {}\n",
             summary.ratios.size(), summary.groups.size(), summary.sites, summary.with_energy);
  fmt::print("fingerprints: {}\n",
             library.has_fingerprints() ? "yes" : "no; 'kronite templates merge' adds them");
  const std::string missing = summary.missing_elements();
  fmt::print("elements: {}{}\n", std::count(summary.elements.begin(), summary.elements.end(), true),
             missing.empty() ? "" : ", without" + missing);
  print_counts("ratio", summary.ratios);
  print_counts("space group", summary.groups);
  print_counts("licence", summary.licenses);
  print_counts("source", summary.sources);
}

std::string csv_cell(std::string_view text) {
  std::string cell;
  io::append_csv_cell(cell, text);
  return cell;
}

std::string number_or_empty(double value) {
  return std::isnan(value) ? "" : fmt::format("{}", value);
}

std::string csv_row(const TemplateLibrary& library, std::int64_t i) {
  const TemplateInfo info = library.info(i);
  const Structure crystal = library.structure(i);
  const double cell = volume(crystal.lattice);
  double expected = 0;
  for (const std::uint8_t z : crystal.z) expected += library.atomic_volumes()[z];
  return fmt::format("{},{},{},{},{},{:.4f},{:.3f},{},{},{},{}\n", csv_cell(info.id), info.formula,
                     library.composition(i).ratio_label(), info.space_group, info.sites,
                     cell / static_cast<double>(info.sites), cell / expected,
                     number_or_empty(info.e_above_hull), number_or_empty(info.formation_energy),
                     csv_cell(info.license), csv_cell(info.source));
}

struct List {
  std::string path;
  TemplateFilter filter;

  void run() const {
    die_on_interrupt();
    const TemplateLibrary library = open_library(path);
    fmt::print(
        "id,formula,ratio,space_group,sites,volume_per_atom,volume_over_fit,e_above_hull,"
        "formation_energy,license,source\n");
    for (const std::int64_t i : filter.matches(library)) fmt::print("{}", csv_row(library, i));
  }
};

}  // namespace

void add_templates_read(CLI::App& templates) {
  const auto path = std::make_shared<std::string>();
  auto* info = templates.add_subcommand("info", "Say what is in a library");
  add_library_argument(*info, *path);
  info->footer("Examples:\n  kronite templates info\n  kronite templates info my.ktl");
  info->callback([path] { run_info(*path); });

  const auto list = std::make_shared<List>();
  auto* command = templates.add_subcommand("list", "List the templates of a library as CSV");
  add_library_argument(*command, list->path);
  list->filter.add_options(*command);
  command->footer(
      "Examples:\n  kronite templates list --ratio 3:1:1\n"
      "  kronite templates list my.ktl --elements Sr,O --space-group 221 > my.csv");
  command->callback([list] { list->run(); });
}

}  // namespace kronite::cli
