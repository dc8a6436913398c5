// kronite templates show, export: templates as files of structures.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/fail.hpp"                // for fail
#include "cli/templates.hpp"            // for TemplateFilter, open_library
#include "cli/terminal.hpp"             // for ProgressLine, die_on_interrupt
#include "io/atomic_file.hpp"           // for AtomicFile, write_file
#include "io/escape.hpp"                // for one_line
#include "io/material_id.hpp"           // for canonical_id
#include "materials/template_text.hpp"  // for template_cif and its like

namespace kronite::cli {
namespace {

namespace fs = std::filesystem;

using TextOf = std::string (*)(const TemplateLibrary&, std::int64_t);

// --- show ----------------------------------------------------------------------------------------

const char* crystal_system(int space_group) {
  struct Last {
    int space_group;
    const char* system;
  };
  constexpr Last kSystems[] = {{2, "triclinic"},    {15, "monoclinic"}, {74, "orthorhombic"},
                               {142, "tetragonal"}, {167, "trigonal"},  {194, "hexagonal"}};
  for (const Last& last : kSystems)
    if (space_group <= last.space_group) return last.system;
  return "cubic";
}

std::string energy_words(const TemplateInfo& info) {
  std::string words;
  if (!std::isnan(info.e_above_hull))
    words = fmt::format("{:.4f} eV/atom above the hull", info.e_above_hull);
  if (!std::isnan(info.formation_energy))
    words += fmt::format("{}formation energy {:.4f} eV/atom", words.empty() ? "" : ", ",
                         info.formation_energy);
  return words.empty() ? "no energy known" : words;
}

/// "6 (60 %), 12 (20 %)": coordination numbers of the sites on average, from the fingerprint.
std::string coordination_words(const Fingerprint& values) {
  constexpr double kWorthAWord = 0.05;
  std::vector<std::pair<double, int>> found;
  const auto shares = coordination_shares(values);
  for (int n = 1; n <= kCoordinationNumbers; ++n)
    if (shares[n - 1] >= kWorthAWord) found.emplace_back(shares[n - 1], n);
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string words;
  for (const auto& [share, number] : found)
    words += fmt::format("{}{} ({:.0f} %)", words.empty() ? "" : ", ", number, 100 * share);
  return words;
}

/// Comment lines, as CIF has them.
std::string words_about(const TemplateLibrary& library, std::int64_t i) {
  const TemplateInfo info = library.info(i);
  const Structure cell = library.structure(i);
  const double size = volume(cell.lattice);
  const Vector3 length = lengths(cell.lattice), angle = angles(cell.lattice);
  const StandardCell crystal = from_primitive(cell, info.space_group);
  std::string text = fmt::format("# {}: {}, ratio {}\n", io::one_line(info.id), info.formula,
                                 library.composition(i).ratio_label());
  const auto line = [&](const char* what, const std::string& words) {
    if (!words.empty()) text += fmt::format("# {:<16}{}\n", what, words);
  };
  line("space group", fmt::format("{}, {}, {}", crystal.symmetry.international, info.space_group,
                                  crystal_system(info.space_group)));
  line("primitive cell", fmt::format("{} sites, {:.3f} Å^3 ({:.3f} Å^3 per atom)", cell.size(),
                                     size, size / static_cast<double>(cell.size())));
  line("", fmt::format("a, b, c = {:.4f}, {:.4f}, {:.4f} Å; angles {:.3f}, {:.3f}, {:.3f}°",
                       length[0], length[1], length[2], angle[0], angle[1], angle[2]));
  if (library.has_fingerprints()) line("neighbours", coordination_words(library.fingerprint(i)));
  line("energy", energy_words(info));
  line("licence", std::string(info.license));
  line("source", io::one_line(info.source));
  return text;
}

struct Show {
  std::string id, path, format;

  void run() const {
    die_on_interrupt();
    const TemplateLibrary library = open_library(path);
    const std::string wanted = io::canonical_id(id);
    bool found = false;
    for (std::int64_t i = 0; i < library.size(); ++i) {
      if (io::canonical_id(library.info(i).id) != wanted) continue;
      fmt::print("{}", text(library, i));
      found = true;
    }
    if (!found)
      fail(Errc::invalid_argument,
           "{}: there is no template with the id \"{}\"; 'kronite templates list' names them all",
           library.path(), id);
  }

 private:
  std::string text(const TemplateLibrary& library, std::int64_t i) const {
    if (format == "poscar") return template_poscar(library, i);
    if (format == "extxyz") return template_extxyz(library, i);
    if (format == "json") return template_json(library, i);
    return (format.empty() ? words_about(library, i) : "") + template_cif(library, i);
  }
};

// --- export --------------------------------------------------------------------------------------

/// File names out of ids: safe for every file system, and each once.
class FileNames {
 public:
  std::string make(std::string_view id, const char* ending) {
    constexpr std::size_t kLongest = 120;
    std::string name(id.substr(0, kLongest));
    for (char& c : name) {
      const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                         (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
      if (!plain) c = '_';
    }
    if (name.empty() || name.front() == '.') name.insert(0, "_");
    std::string unique = name;
    for (int serial = 2; !used_.insert(unique).second; ++serial)
      unique = fmt::format("{}-{}", name, serial);
    return unique + ending;
  }

 private:
  std::unordered_set<std::string> used_;
};

struct Export {
  std::string path, out, format;
  TemplateFilter filter;

  void run() const {
    const TemplateLibrary library = open_library(path);
    const std::vector<std::int64_t> chosen = filter.matches(library);
    if (chosen.empty())
      fail(Errc::invalid_argument, "{}: no template is like that, so nothing was written",
           library.path());
    if (format == "cif")
      write_folder(library, chosen);
    else
      write_one_file(library, chosen, format == "extxyz" ? template_extxyz : template_json);
    fmt::print("{}: {} templates\n", out, chosen.size());
  }

 private:
  static void go_on(ProgressLine& line, std::size_t done, std::size_t total) {
    if (!line(static_cast<long long>(done), static_cast<long long>(total)))
      fail(Errc::cancelled, "stopped");
  }

  void write_one_file(const TemplateLibrary& library, const std::vector<std::int64_t>& chosen,
                      TextOf text) const {
    ProgressLine line("templates written");
    io::AtomicFile file(out);
    for (std::size_t k = 0; k < chosen.size(); ++k) {
      go_on(line, k, chosen.size());
      file.write(text(library, chosen[k]));
    }
    file.commit();
  }

  void write_folder(const TemplateLibrary& library, const std::vector<std::int64_t>& chosen) const {
    std::error_code error;
    fs::create_directories(out, error);
    if (error) fail(Errc::io, "{}: cannot make this folder: {}", out, error.message());
    if (!fs::is_directory(out, error) || !fs::is_empty(out, error))
      fail(Errc::invalid_argument, "{}: this is not an empty folder; name a new one", out);
    ProgressLine line("templates written");
    FileNames names;
    for (std::size_t k = 0; k < chosen.size(); ++k) {
      go_on(line, k, chosen.size());
      const std::string name = names.make(library.info(chosen[k]).id, ".cif");
      io::write_file((fs::path(out) / name).string(), template_cif(library, chosen[k]));
    }
  }
};

void add_show(CLI::App& templates) {
  const auto show = std::make_shared<Show>();
  auto* command =
      templates.add_subcommand("show", "Describe one template in words and print its structure");
  command->add_option("ID", show->id, "As 'kronite templates list' writes it")->required();
  add_library_argument(*command, show->path);
  command
      ->add_option("--format", show->format,
                   "Print the structure alone: cif (conventional cell), poscar, extxyz or json "
                   "(primitive cell)")
      ->check(CLI::IsMember({"cif", "poscar", "extxyz", "json"}));
  command->footer(
      "Examples:\n  kronite templates show 5910149\n"
      "  kronite templates show mp-149 mp.ktl --format poscar > POSCAR");
  command->callback([show] { show->run(); });
}

void add_export(CLI::App& templates) {
  const auto job = std::make_shared<Export>();
  auto* command = templates.add_subcommand(
      "export", "Write templates as files that 'kronite templates build' reads back");
  add_library_argument(*command, job->path);
  command->add_option("--out", job->out, "A new folder for cif; a file for extxyz and jsonl")
      ->required();
  command
      ->add_option("--format", job->format, "cif: one file each; extxyz, jsonl: one file with all")
      ->check(CLI::IsMember({"cif", "extxyz", "jsonl"}))
      ->default_str("cif");
  job->format = "cif";
  job->filter.add_options(*command);
  command->footer(
      "Examples:\n  kronite templates export --ratio 3:1:1 --out perovskites\n"
      "  kronite templates export my.ktl --format jsonl --out my.jsonl");
  command->callback([job] { job->run(); });
}

}  // namespace

void add_templates_export(CLI::App& templates) {
  add_show(templates);
  add_export(templates);
}

}  // namespace kronite::cli
