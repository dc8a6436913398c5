// kronite templates: build a library of known crystals, and look into one.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/fail.hpp"           // for fail
#include "cli/commands.hpp"        // for add_templates
#include "cli/terminal.hpp"        // for Table, ProgressLine, print_message, tolerance
#include "io/atomic_file.hpp"      // for write_file
#include "io/csv.hpp"              // for append_csv_cell
#include "io/formula_list.hpp"     // for read_formula_list
#include "kronite/templates.hpp"   // for build_templates, TemplateLibrary
#include "materials/elements.hpp"  // for kByNumber

namespace kronite::cli {
namespace {

constexpr std::size_t kShownSkips = 5;
constexpr std::size_t kShownRows = 10;

struct Build {
  std::vector<std::string> sources;
  std::string out, exclude, report;
  BuildOptions options;
};

struct Skipped {
  std::string where, why;
};

void write_report(const std::string& path, const std::vector<Skipped>& skipped) {
  std::string text;
  for (const auto& [where, why] : skipped) text += fmt::format("{}\t{}\n", where, why);
  io::write_file(path, text);
  fmt::print("{}: every record that was left out, and why\n", path);
}

void print_skips(const std::vector<Skipped>& skipped, bool all_in_report) {
  for (std::size_t i = 0; i < std::min(skipped.size(), kShownSkips); ++i)
    print_message(fmt::format("left out: {}: {}", skipped[i].where, skipped[i].why));
  if (skipped.size() > kShownSkips)
    print_message(fmt::format("left out: {} more{}", skipped.size() - kShownSkips,
                              all_in_report ? "" : "; --report FILE lists them all"));
}

void run_build(Build& build) {
  if (!build.exclude.empty())
    for (const auto& listed : io::read_formula_list(build.exclude))
      build.options.exclude_formulas.push_back(listed.text);
  auto progress = std::make_unique<ProgressLine>("structures read");
  build.options.progress = [&](long long done, long long total) {
    return (*progress)(done, total);
  };
  std::vector<Skipped> skipped;
  const auto skip = [&](const std::string& where, const std::string& why) {
    skipped.push_back({where, why});
  };

  BuildReport report;
  try {
    report = build_templates(build.sources, build.out, build.options, skip);
  } catch (const Error&) {
    progress.reset();
    print_skips(skipped, false);
    throw;
  }
  progress.reset();
  print_skips(skipped, !build.report.empty());
  if (!build.report.empty()) write_report(build.report, skipped);

  Table table({"structures", "count"});
  const auto row = [&](const char* what, std::int64_t count) {
    table.add({what, fmt::format("{}", count)});
  };
  row("read", report.read);
  row("left out: disordered", report.disordered);
  row("left out: could not be used", report.skipped);
  row("left out: --exclude-formulas", report.excluded);
  row("left out: a better structure of the same formula", report.polymorphs);
  row("kept", report.kept);
  table.print();
  const TemplateLibrary library = TemplateLibrary::open(build.out);
  fmt::print("{}: {} templates of {} composition ratios\n", build.out, library.size(),
             library.ratios().size());
}

TemplateLibrary open_library(const std::string& path) {
  return path.empty() ? TemplateLibrary::embedded() : TemplateLibrary::open(path);
}

/// Most frequent first; names in order among equals.
void print_counts(const std::string& what, const std::map<std::string, std::int64_t>& counts) {
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

void run_info(const std::string& path) {
  const TemplateLibrary library = open_library(path);
  std::map<std::string, std::int64_t> ratios, groups, licenses, sources;
  std::vector<bool> elements(kByNumber, false);
  std::int64_t with_energy = 0;
  for (const std::string& ratio : library.ratios())
    ratios[ratio] = library.with_ratio(ratio).size();
  for (std::int64_t i = 0; i < library.size(); ++i) {
    const TemplateInfo info = library.info(i);
    ++groups[fmt::format("{}", info.space_group)];
    ++licenses[info.license.empty() ? "unknown" : std::string(info.license)];
    ++sources[source_group(info.source)];
    with_energy += !std::isnan(info.e_above_hull) || !std::isnan(info.formation_energy);
    const Composition composition = library.composition(i);
    for (const auto& part : composition.parts()) elements[part.z] = true;
  }

  fmt::print("{}: {} templates, content {}\n", library.path(), library.size(), library.hash());
  if (path.empty())
    fmt::print(
        "This is the demo set inside kronite, for trying things out; build your own library with\n"
        "kronite templates build.\n");
  fmt::print("composition ratios: {}\nspace groups: {}\nwith an energy: {}\n", ratios.size(),
             groups.size(), with_energy);
  std::string missing;
  for (int z = 1; z <= 94; ++z)
    if (!elements[z]) missing += fmt::format(" {}", element_symbol(z));
  fmt::print("elements: {}{}\n", std::count(elements.begin(), elements.end(), true),
             missing.empty() ? "" : ", without" + missing);
  print_counts("ratio", ratios);
  print_counts("space group", groups);
  print_counts("licence", licenses);
  print_counts("source", sources);
}

std::string csv_cell(std::string_view text) {
  std::string cell;
  io::append_csv_cell(cell, text);
  return cell;
}

std::string number_or_empty(double value) {
  return std::isnan(value) ? "" : fmt::format("{}", value);
}

void run_list(const std::string& path, const std::string& ratio) {
  const TemplateLibrary library = open_library(path);
  const std::vector<std::string> ratios =
      ratio.empty() ? library.ratios() : std::vector<std::string>{ratio};
  fmt::print(
      "id,formula,ratio,space_group,sites,volume_per_atom,volume_over_fit,e_above_hull,"
      "formation_energy,license,source\n");
  for (const std::string& label : ratios) {
    const TemplateRange range = library.with_ratio(label);
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      const TemplateInfo info = library.info(i);
      const Structure crystal = library.structure(i);
      const double cell = volume(crystal.lattice);
      double expected = 0;
      for (const std::uint8_t z : crystal.z) expected += library.atomic_volumes()[z];
      fmt::print("{},{},{},{},{},{:.4f},{:.3f},{},{},{},{}\n", csv_cell(info.id), info.formula,
                 label, info.space_group, info.sites, cell / static_cast<double>(info.sites),
                 cell / expected, number_or_empty(info.e_above_hull),
                 number_or_empty(info.formation_energy), csv_cell(info.license),
                 csv_cell(info.source));
    }
  }
}

void add_build(CLI::App& templates) {
  auto* command = templates.add_subcommand("build", "Make a library from files of structures");
  const auto build = std::make_shared<Build>();
  command
      ->add_option("--from", build->sources,
                   "CIF, POSCAR, extxyz, Materials Project or OPTIMADE JSON (Lines), plain or .gz, "
                   "or folders of them")
      ->required()
      ->check(CLI::ExistingPath);
  command->add_option("--out", build->out, "The library file to write (.ktl)")->required();
  command
      ->add_option("--exclude-formulas", build->exclude,
                   "Formulas to leave out: one per line, or a .csv with a formula column")
      ->check(CLI::ExistingFile);
  command->add_flag("--keep-polymorphs", build->options.keep_polymorphs,
                    "Keep every structure of a formula, not only that of lowest energy (without "
                    "energies: of the smallest cell)");
  command
      ->add_option("--symprec", build->options.symprec,
                   "Distance in Å within which atoms count as symmetric")
      ->check(tolerance)
      ->type_name("LENGTH")
      ->capture_default_str();
  command->add_option("--report", build->report,
                      "Write every record that was left out, and why, to this file");
  command->footer(
      "Examples:\n"
      "  kronite templates build --from my_cifs/ --out my.ktl\n"
      "  kronite templates build --from mp_stable.jsonl.gz more/ --exclude-formulas test.txt "
      "--out mp.ktl");
  command->callback([build] { run_build(*build); });
}

void add_reading(CLI::App& templates) {
  const auto path = std::make_shared<std::string>();
  const auto ratio = std::make_shared<std::string>();
  auto* info = templates.add_subcommand("info", "Say what is in a library");
  info->add_option("LIBRARY", *path, "A library file; without it the demo set inside kronite");
  info->footer("Examples:\n  kronite templates info\n  kronite templates info my.ktl");
  info->callback([path] { run_info(*path); });

  auto* list = templates.add_subcommand("list", "List the templates of a library as CSV");
  list->add_option("LIBRARY", *path, "A library file; without it the demo set inside kronite");
  list->add_option("--ratio", *ratio, "Only templates of this composition ratio, such as 3:1:1");
  list->footer(
      "Examples:\n  kronite templates list --ratio 3:1:1\n"
      "  kronite templates list my.ktl > my.csv");
  list->callback([path, ratio] { run_list(*path, *ratio); });
}

}  // namespace

void add_templates(CLI::App& program) {
  auto* command = program.add_subcommand(
      "templates", "Build and inspect template libraries: known crystals to substitute into");
  command->require_subcommand(1);
  add_build(*command);
  add_reading(*command);
}

}  // namespace kronite::cli
