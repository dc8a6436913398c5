// Records first, then the tables made from them.
#include "csp/run_folder.hpp"

#include <fmt/chrono.h>  // for gmtime

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/fail.hpp"         // for fail
#include "base/hash.hpp"         // for content_hash
#include "csp/record.hpp"        // for to_json_lines, read_predictions
#include "csp/report.hpp"        // for Report
#include "csp/report_parts.hpp"  // for cell, text_of, inputs_json
#include "io/atomic_file.hpp"    // for AtomicFile, write_file
#include "io/csv.hpp"            // for append_csv_cell
#include "io/escape.hpp"         // for spreadsheet_safe, one_line
#include "io/folder.hpp"         // for make_folder, holds_files
#include "io/input.hpp"          // for read_file
#include "kronite/version.hpp"   // for KRONITE_VERSION

namespace kronite::csp {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kRecords = "predictions.jsonl";
constexpr const char* kManifest = "manifest.json";

Json settings_json(const RunInfo& info) {
  const ElementTable& table = info.options.table ? *info.options.table : ElementTable::embedded();
  const bool learned = !info.model_hash.empty();
  return {{"ranker", info.ranker},
          {"model_hash", learned ? Json(info.model_hash) : Json(nullptr)},
          {"cutoff", learned ? Json(info.options.cutoff.value()) : Json(nullptr)},
          {"top", info.options.top},
          {"exclude_known", info.options.exclude_known},
          {"keep_duplicates", info.options.keep_duplicates},
          {"volume", name_of(info.options.volume)},
          {"symprec", info.options.symprec},
          {"library_hash", info.library_hash},
          {"element_table_hash", table.hash()}};
}

std::string now_utc() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

/// One row of predictions.csv per candidate, or one with the note.
class CsvTable {
 public:
  explicit CsvTable(const std::string& path) : file_(path) {
    file_.write(
        "query,rank,score,p,p_std,template_id,template_formula,mapping,mapping_cost,space_group,"
        "international,volume_method,volume_factor,known,duplicates,licence,source,cif,likely,best_"
        "p,note\n");
  }
  void add(const Prediction& prediction);
  void commit() { file_.commit(); }

 private:
  void end_row(const Prediction& prediction);
  void text(std::string_view value) {
    io::append_csv_cell(row_, io::spreadsheet_safe(value));
    row_ += ',';
  }
  void number(double value) { row_ += cell(value) + ","; }

  io::AtomicFile file_;
  std::string row_;
};

void CsvTable::add(const Prediction& prediction) {
  for (const auto& c : prediction.candidates) {
    row_.clear();
    text(prediction.query);
    row_ += fmt::format("{},", c.rank);
    for (const double value : {c.score, c.p, c.p_std}) number(value);
    text(c.template_id);
    text(c.template_formula);
    text(mapping_text(c));
    number(c.mapping_cost);
    row_ += fmt::format("{},", c.space_group);
    text(c.international);
    text(name_of(c.volume));
    number(c.volume_factor);
    row_ += c.known ? "true," : "false,";
    text(duplicate_ids(c));
    text(c.license);
    text(c.source);
    text(structure_file(prediction.query, c.rank, "cif"));
    end_row(prediction);
  }
  if (!prediction.candidates.empty()) return;
  row_.clear();
  text(prediction.query);
  row_.append(17, ',');
  end_row(prediction);
}

void CsvTable::end_row(const Prediction& prediction) {
  row_ += fmt::format("{},", prediction.likely);
  number(prediction.best_p);
  io::append_csv_cell(row_, io::spreadsheet_safe(prediction.note));
  file_.write(row_ + "\n");
}

/// key="value" as extended XYZ quotes it.
std::string xyz_field(const char* key, const std::string& value) {
  std::string quoted;
  for (const char c : io::one_line(value)) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return fmt::format("{}=\"{}\"", key, quoted);
}

std::string xyz_frame(const Prediction& prediction, const Candidate& c) {
  std::string probability;
  if (!std::isnan(c.p)) probability += fmt::format(" p={}", c.p);
  if (!std::isnan(c.p_std)) probability += fmt::format(" p_std={}", c.p_std);
  return to_extxyz(
      c.structure,
      fmt::format("{} rank={}{} {} {} space_group={} {} {}", xyz_field("query", prediction.query),
                  c.rank, probability, xyz_field("template_id", c.template_id),
                  xyz_field("template_formula", c.template_formula), c.space_group,
                  xyz_field("license", c.license), xyz_field("source", c.source)));
}

}  // namespace

std::string folder_name(const std::string& query) {
  constexpr std::size_t kLongest = 120;  // file systems take 255 bytes
  if (query.size() <= kLongest) return query;
  return query.substr(0, kLongest) + "-" + content_hash(query);
}

std::string structure_file(const std::string& query, int rank, const char* extension) {
  return fmt::format("structures/{}/{}.{}", folder_name(query), rank, extension);
}

RunFolder::RunFolder(std::string path, RunInfo info, bool resume)
    : path_(std::move(path)), info_(std::move(info)) {
  io::make_folder(path_);
  const bool used = io::holds_files(path_);
  if (used && !resume)
    fail(Errc::invalid_argument,
         "{}: this folder is not empty; name a new one, or add --resume to go on with a run that "
         "was stopped",
         path_);
  if (used)
    require_same_settings();
  else
    write_manifest("running", {});
  records_.emplace(file(kRecords));

  std::int64_t whole = 0;
  read_predictions(file(kRecords), [&](Prediction&& prediction, std::int64_t end) {
    finished_.insert(std::move(prediction.query));
    whole = end;
  });
  if (whole < records_->size()) records_->truncate(whole);
}

void RunFolder::require_same_settings() const {
  const std::string path = file(kManifest);
  std::error_code unreadable;
  if (!fs::exists(path, unreadable))
    fail(Errc::invalid_argument, "{}: this folder is no run of 'kronite csp predict': it has no {}",
         path_, kManifest);
  Json before;
  try {
    before = Json::parse(io::read_file(path)).at("settings");
  } catch (const Json::exception& e) {
    fail(Errc::parse, "{}: this is no manifest of a run: {}", path, e.what());
  }
  const Json now = settings_json(info_);
  for (const auto& [name, value] : now.items()) {
    const Json other = before.value(name, Json(nullptr));
    if (other != value)
      fail(Errc::invalid_argument,
           "{}: this run was begun with {} = {}, now it is {}; resume with the same settings or "
           "name a new folder",
           path_, name, other.dump(), value.dump());
  }
}

void RunFolder::add(const Prediction& prediction) {
  if (!prediction.candidates.empty())
    io::make_folder(file("structures/" + folder_name(prediction.query)));
  for (const auto& c : prediction.candidates) {
    const std::string name = fmt::format("{}-{}", prediction.query, c.rank);
    io::write_file(file(structure_file(prediction.query, c.rank, "cif")),
                   to_cif(StandardCell{c.structure, {}, c.symmetry}, name));
    io::write_file(file(structure_file(prediction.query, c.rank, "vasp")),
                   to_poscar(c.structure,
                             fmt::format("{} candidate {} from template {} ({})", prediction.query,
                                         c.rank, c.template_formula, c.template_id)));
  }
  records_->append(to_json_lines(prediction));
  finished_.insert(prediction.query);
}

void RunFolder::finish(bool page) {
  CsvTable table(file("predictions.csv"));
  io::AtomicFile frames(file("candidates.extxyz"));
  std::optional<Report> report;
  if (page) report.emplace(file("index.html"), info_.command);
  Origins origins;
  read_predictions(file(kRecords), [&](Prediction&& prediction, std::int64_t) {
    table.add(prediction);
    for (const auto& c : prediction.candidates) {
      frames.write(xyz_frame(prediction, c));
      ++origins.licences[c.license];
      if (!c.source.empty()) origins.sources.insert(c.source);
    }
    if (report) report->add(prediction);
  });
  table.commit();
  frames.commit();
  if (report) report->commit();
  write_manifest("complete", origins);
}

void RunFolder::write_manifest(const char* state, const Origins& origins) const {
  Json manifest{{"program", "kronite csp predict"},
                {"version", KRONITE_VERSION},
                {"state", state},
                {"written", now_utc()},
                {"command", info_.command},
                {"device", info_.device},
                {"seeds", Json::array()},
                {"settings", settings_json(info_)}};
  manifest["inputs"] = inputs_json(info_.inputs);
  manifest["queries"] = finished_.size();
  manifest["candidates_by_licence"] = Json::object();
  for (const auto& [licence, count] : origins.licences)
    manifest["candidates_by_licence"][licence] = count;
  manifest["sources_to_cite"] = origins.sources;
  io::write_file(file(kManifest), text_of(manifest));
}

}  // namespace kronite::csp
