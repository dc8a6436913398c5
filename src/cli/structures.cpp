// Reading crystals from whatever a user names.
#include "cli/structures.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "base/fail.hpp"          // for fail
#include "io/escape.hpp"          // for one_line
#include "io/material_id.hpp"     // for canonical_id
#include "kronite/templates.hpp"  // for TemplateLibrary

namespace kronite::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownIds = 5;

bool is_library(const std::string& path) { return path.ends_with(".ktl"); }

StructureRecord record_of(const TemplateLibrary& library, std::int64_t i) {
  const TemplateInfo info = library.info(i);
  StructureRecord record;
  record.structure = library.structure(i);
  record.id = info.id;
  record.where = fmt::format("{}, {}", library.path(), info.id);
  record.declared_formula = info.formula;
  record.license = info.license;
  record.source = info.source;
  record.e_above_hull = info.e_above_hull;
  record.formation_energy = info.formation_energy;
  return record;
}

/// "FILE:ID" in its two parts; the id is empty when the whole reference is a file.
std::pair<std::string, std::string> file_and_id(const std::string& reference) {
  std::error_code error;
  if (fs::exists(reference, error)) return {reference, ""};
  for (std::size_t at = reference.rfind(':'); at != std::string::npos && at > 0;
       at = reference.rfind(':', at - 1))
    if (fs::is_regular_file(reference.substr(0, at), error))
      return {reference.substr(0, at), reference.substr(at + 1)};
  return {reference, ""};  // read_structures() says that it is not there
}

/// Only the template that is asked for becomes a structure.
StructureRecord read_template(const std::string& path, const std::string& id) {
  const auto library = TemplateLibrary::open(path);
  const std::string wanted = io::canonical_id(id);
  for (std::int64_t i = 0; i < library.size(); ++i)
    if (io::canonical_id(library.info(i).id) == wanted) return record_of(library, i);
  fail(Errc::invalid_argument, "{} holds no template of the id \"{}\"; name one as {}:ID", path, id,
       path);
}

/// After `count` crystals of a file.
void tell(const Progress& progress, std::size_t count, const std::string& file) {
  if (progress && !progress(static_cast<long long>(count), 0))
    fail(Errc::cancelled, "stopped while reading {}", file);
}

/// Ids that a file offers, for a message.
std::string some_ids(const std::vector<std::string>& ids, std::size_t count) {
  std::string text;
  for (const std::string& id : ids) text += (text.empty() ? "" : ", ") + io::one_line(id);
  return count > ids.size() ? text + ", ..." : text;
}

}  // namespace

void add_species_option(CLI::App& command, ReadOptions& reading) {
  command
      .add_option("--species", reading.species,
                  "Elements of POSCAR files that name none (VASP 4), in the order of the counts")
      ->delimiter(',')
      ->type_name("SYMBOL,...");
}

std::vector<CLI::Option*> add_match_options(CLI::App& command, MatchOptions& matching) {
  CLI::Option* ltol =
      command
          .add_option("--ltol", matching.ltol,
                      "Lengths of the reduced cells may differ by the factor 1 + X, X in (0, 1]")
          ->type_name("X")
          ->capture_default_str();
  CLI::Option* stol =
      command
          .add_option("--stol", matching.stol, "Sites may lie apart by X (V/n)^(1/3), X in (0, 1]")
          ->type_name("X")
          ->capture_default_str();
  CLI::Option* angle_tol =
      command
          .add_option("--angle-tol", matching.angle_tol,
                      "Angles of the reduced cells may differ by it, in degrees, up to 45")
          ->type_name("DEGREES")
          ->capture_default_str();
  return {ltol, stol, angle_tol};
}

void add_energy_key_options(CLI::App& command, ReadOptions& reading) {
  command
      .add_option("--hull-energy-key", reading.e_above_hull_key,
                  "Where OPTIMADE entries keep the energy above the hull in eV/atom, such as\n"
                  "_odbx_thermodynamics.hull_distance; without it, where known databases do")
      ->type_name("KEY");
  command
      .add_option("--formation-energy-key", reading.formation_energy_key,
                  "The same for the formation energy")
      ->type_name("KEY");
}

bool for_each_structure(const std::string& path, const RecordSink& sink, const SkipSink& skip,
                        const ReadOptions& reading) {
  bool more = true;
  if (is_library(path)) {
    const auto library = TemplateLibrary::open(path);
    for (std::int64_t i = 0; more && i < library.size(); ++i) more = sink(record_of(library, i));
    return more;
  }
  read_structures(
      path,
      [&](StructureRecord&& record) {
        if (record.id.empty()) record.id = fs::path(record.where).filename().string();
        return more = sink(std::move(record));
      },
      skip, reading);
  return more;
}

StructureRecord read_one_structure(const std::string& reference, const ReadOptions& reading,
                                   const Progress& progress) {
  const auto [file, id] = file_and_id(reference);
  if (is_library(file)) return read_template(file, id);
  std::optional<StructureRecord> found;
  std::vector<std::string> ids;
  std::string first_bad;
  std::size_t count = 0;
  for_each_structure(
      file,
      [&, &from = file, wanted = io::canonical_id(id)](StructureRecord&& record) {
        tell(progress, ++count, from);
        if (ids.size() < kShownIds) ids.push_back(record.id);
        if (wanted.empty() ? count == 1 : io::canonical_id(record.id) == wanted)
          found = std::move(record);
        return wanted.empty() || !found;
      },
      [&](const std::string& where, const std::string& why) {
        if (first_bad.empty()) first_bad = where + ": " + why;
      },
      reading);
  if (count == 0)
    fail(Errc::parse, "{}", first_bad.empty() ? file + ": holds no structure" : first_bad);
  if (id.empty() && count > 1)
    fail(Errc::invalid_argument, "{} holds {} structures; say which one, such as {}:{} (ids: {})",
         file, count, file, ids.front(), some_ids(ids, count));
  if (!found)
    fail(Errc::invalid_argument, "{} holds no structure of the id {} (ids: {}){}", file, id,
         some_ids(ids, count),
         first_bad.empty() ? "" : "; what could not be read begins with " + first_bad);
  return std::move(*found);
}

std::vector<StructureRecord> read_structure_list(const std::string& reference,
                                                 const ReadOptions& reading,
                                                 const Progress& progress) {
  if (!file_and_id(reference).second.empty())
    return {read_one_structure(reference, reading, progress)};
  std::vector<StructureRecord> records;
  for_each_structure(
      reference,
      [&](StructureRecord&& record) {
        records.push_back(std::move(record));
        tell(progress, records.size(), reference);
        return true;
      },
      {}, reading);
  if (records.empty()) fail(Errc::parse, "{}: holds no structure", reference);
  return records;
}

}  // namespace kronite::cli
