// kronite templates build, merge: making a library, and saying what is not in it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/fail.hpp"                // for fail
#include "cli/structures.hpp"           // for add_species_option, add_energy_key_options
#include "cli/templates.hpp"            // for add_templates_build
#include "cli/terminal.hpp"             // for Table, ProgressLine, print_message, tolerance
#include "io/atomic_file.hpp"           // for write_file, require_writable
#include "io/formula_list.hpp"          // for read_formula_list
#include "kronite/templates.hpp"        // for build_templates, merge_templates
#include "materials/template_text.hpp"  // for left_out_csv, left_out_json

namespace kronite::cli {
namespace {

constexpr std::size_t kShownRecords = 5;

/// Of all reasons, in the order of LeftOutReason.
constexpr std::array<const char*, kLeftOutReasons> kReasonWords = {
    "could not be read",
    "disordered",
    "licence not allowed",
    "--exclude-formulas",
    "an element without descriptors",
    "not a sound structure",
    "no space group found",
    "no fingerprint",
    "the same crystal twice",
    "a better structure of the same formula"};

std::string report_name(const std::string& path) {
  const bool known = path.ends_with(".csv") || path.ends_with(".jsonl");
  return known ? "" : "\"" + path + "\" must end in .csv or .jsonl, which says how it is written";
}

/// What was left out: gathered, shown in part, written in full.
class LeftOutReport {
 public:
  explicit LeftOutReport(std::string path) : path_(std::move(path)) {
    if (!path_.empty()) io::require_writable(path_);
  }

  LeftOutSink sink() {
    return [this](const LeftOut& left) { all_.push_back(left); };
  }

  /// The first few that someone may want to mend; that others were preferred is no fault of theirs.
  void show() const {
    std::vector<const LeftOut*> faults;
    for (const LeftOut& left : all_)
      if (left.reason != LeftOutReason::polymorph && left.reason != LeftOutReason::excluded)
        faults.push_back(&left);
    for (std::size_t i = 0; i < std::min(faults.size(), kShownRecords); ++i) {
      const LeftOut& left = *faults[i];
      const std::string id = left.id.empty() ? "" : fmt::format(" ({})", left.id);
      print_message(
          fmt::format("left out: {}{}: {}: {}", left.where, id, name_of(left.reason), left.why));
    }
    if (faults.size() > kShownRecords)
      print_message(fmt::format("left out: {} more{}", faults.size() - kShownRecords,
                                path_.empty() ? "; --report FILE lists them all" : ""));
  }

  void write() const {
    if (path_.empty()) return;
    io::write_file(path_, path_.ends_with(".csv") ? left_out_csv(all_) : left_out_json(all_));
    fmt::print("{}: every structure that was left out, and why\n", path_);
  }

 private:
  std::string path_;
  std::vector<LeftOut> all_;
};

void print_counts(const BuildReport& report) {
  Table table({"structures", "count"});
  const auto row = [&](const std::string& what, std::int64_t count) {
    table.add({what, fmt::format("{}", count)});
  };
  row("read", report.read);
  for (int reason = 0; reason < kLeftOutReasons; ++reason)
    if (report.left_out[reason] > 0)
      row(fmt::format("left out: {}", kReasonWords[reason]), report.left_out[reason]);
  row("kept", report.kept);
  table.print();
}

/// Runs `make`, which fills a library, with progress on the terminal, and says what came of it.
void make_library(const char* what, const std::string& out, const std::string& report_path,
                  const std::function<BuildReport(const Progress&, const LeftOutSink&)>& make) {
  LeftOutReport left_out(report_path);
  BuildReport report;
  try {
    ProgressLine line(what, true);
    const auto progress = [&](long long done, long long total) { return line(done, total); };
    report = make(progress, left_out.sink());
  } catch (const Error&) {
    left_out.show();
    throw;
  }
  left_out.show();
  left_out.write();
  print_counts(report);
  const TemplateLibrary library = TemplateLibrary::open(out);
  fmt::print("{}: {} templates of {} composition ratios\n", out, library.size(),
             library.ratios().size());
}

struct Build {
  std::vector<std::string> sources;
  std::string out, exclude, report;
  BuildOptions options;

  void run() {
    if (!exclude.empty())
      for (const auto& listed : io::read_formula_list(exclude))
        options.exclude_formulas.push_back(listed.text);
    make_library("structures read", out, report,
                 [&](const Progress& progress, const LeftOutSink& sink) {
                   options.progress = progress;
                   return build_templates(sources, out, options, sink);
                 });
  }
};

struct Merge {
  std::vector<std::string> libraries;
  std::string out, report;
  MergeOptions options;

  void run() {
    make_library("templates read", out, report,
                 [&](const Progress& progress, const LeftOutSink& sink) {
                   options.progress = progress;
                   return merge_templates(libraries, out, options, sink);
                 });
  }
};

void add_common_options(CLI::App& command, std::string& out, std::string& report,
                        bool& keep_polymorphs) {
  command.add_option("--out", out, "The library file to write (.ktl)")->required();
  command.add_flag("--keep-polymorphs", keep_polymorphs,
                   "Keep every structure of a formula, not only that of lowest energy (without "
                   "energies: of the smallest cell)");
  command
      .add_option("--report", report,
                  "Write every structure that was left out, and why, to this file: .csv or .jsonl")
      ->check(report_name)
      ->type_name("FILE");
}

void add_build(CLI::App& templates) {
  auto* command = templates.add_subcommand("build", "Make a library from files of structures");
  const auto build = std::make_shared<Build>();
  command
      ->add_option("--from", build->sources,
                   "CIF, POSCAR, extxyz, Materials Project or OPTIMADE JSON (Lines), plain or "
                   "compressed, or folders of them")
      ->required()
      ->check(CLI::ExistingPath);
  add_common_options(*command, build->out, build->report, build->options.keep_polymorphs);
  command
      ->add_option("--exclude-formulas", build->exclude,
                   "Formulas to leave out: one per line, or a .csv with a formula column")
      ->check(CLI::ExistingFile);
  command
      ->add_option("--allow-license", build->options.licenses,
                   "Only structures of these licences, such as BY-C,CC0,PD,unknown; without it "
                   "all but non-commercial ones (BY-NC)")
      ->delimiter(',')
      ->type_name("LICENCE,...");
  command
      ->add_option("--symprec", build->options.symprec,
                   "Distance in Å within which atoms count as symmetric")
      ->check(tolerance)
      ->type_name("LENGTH")
      ->capture_default_str();
  add_species_option(*command, build->options.reading);
  add_energy_key_options(*command, build->options.reading);
  command->footer(
      "A build that was interrupted goes on where it was when the same command is run again: what\n"
      "is done is kept in OUT.journal until the library is written. Other sources or options "
      "start\n"
      "afresh.\n\n"
      "Examples:\n"
      "  kronite templates build --from my_cifs/ --out my.ktl\n"
      "  kronite templates build --from mp_stable.jsonl.gz more/ --exclude-formulas test.txt "
      "--out mp.ktl\n"
      "  kronite templates build --from mp.jsonl.gz --allow-license BY-C,CC0,PD --report left.csv "
      "--out mp.ktl");
  command->callback([build] { build->run(); });
}

void add_merge(CLI::App& templates) {
  auto* command = templates.add_subcommand("merge", "Make one library of several");
  const auto merge = std::make_shared<Merge>();
  command->add_option("LIBRARIES", merge->libraries, "Library files")
      ->required()
      ->check(CLI::ExistingFile);
  add_common_options(*command, merge->out, merge->report, merge->options.keep_polymorphs);
  command->footer(
      "The rules of 'kronite templates build' decide which structures stay; fingerprints that a\n"
      "library lacks are computed.\n\n"
      "Example:\n  kronite templates merge mp.ktl mine.ktl --out all.ktl");
  command->callback([merge] { merge->run(); });
}

}  // namespace

void add_templates_build(CLI::App& templates) {
  add_build(templates);
  add_merge(templates);
}

}  // namespace kronite::cli
