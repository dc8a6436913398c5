// Finding the folder that an index describes, and reading it row by row.
#include "io/structure_index.hpp"

#include <algorithm>
#include <filesystem>

#include "base/fail.hpp"           // for fail
#include "base/log.hpp"            // for notice
#include "base/printable.hpp"      // for printable
#include "io/input.hpp"            // for plain_name
#include "io/material_id.hpp"      // for canonical_id
#include "io/record_columns.hpp"   // for fill_from_columns, id_from_columns
#include "io/structure_table.hpp"  // for StructureTable

namespace kronite::io {
namespace {

namespace fs = std::filesystem;

using Ids = std::unordered_set<std::string>;

/// Canonical ids of all rows; none for a table that is no index.
Ids listed_ids(const std::string& path) {
  Ids ids;
  StructureTable table(path);
  const bool has_ids = table.has_column("material_id") || table.has_column("id");
  if (!has_ids || table.has_column("cif") || !table.next_row()) return ids;
  do {
    const std::string id = id_from_columns(table.columns());
    if (!id.empty()) ids.insert(canonical_id(id));
  } while (table.next_row());
  return ids;
}

std::vector<std::string> sorted_entries(const fs::path& folder, fs::file_type type) {
  std::vector<std::string> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    std::error_code unreadable;
    if (at->status(unreadable).type() == type)
      entries.push_back(at->path().lexically_normal().string());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

/// The folder of the table, then the folders in it.
std::vector<std::string> candidate_folders(const std::string& table) {
  fs::path own = fs::path(table).parent_path();
  if (own.empty()) own = ".";
  std::vector<std::string> folders = sorted_entries(own, fs::file_type::directory);
  folders.insert(folders.begin(), own.string());
  return folders;
}

/// The one structure of a file. @throws Error when there is none, a bad one, or several.
StructureRecord read_single(const std::string& path, const ReadOptions& options) {
  std::optional<StructureRecord> single;
  std::size_t count = 0;
  const RecordSink sink = [&](StructureRecord&& record) {
    if (++count == 1) single = std::move(record);
    return true;
  };
  const SkipSink none;  // the first bad record is thrown
  Records records(sink, none, options);
  read_structure_file(path, records);
  if (count != 1) fail(Errc::parse, "{}: {} structures, where the index expects one", path, count);
  return std::move(*single);
}

}  // namespace

std::optional<StructureIndex> find_index(const std::string& path) {
  if (!plain_name(path).ends_with(".csv")) return std::nullopt;
  const Ids ids = listed_ids(path);
  if (ids.empty()) return std::nullopt;
  StructureIndex index;
  index.path = path;
  std::vector<std::string> all;
  for (const std::string& folder : candidate_folders(path)) {
    std::unordered_map<std::string, std::string> files;
    for (const std::string& file : sorted_entries(folder, fs::file_type::regular)) {
      const std::string id = canonical_id(name_of_structure_file(file));
      if (id.empty() || ids.count(id) == 0) continue;
      all.push_back(file);
      files.try_emplace(id, file);
    }
    if (files.size() > index.files.size()) {
      index.files = std::move(files);
      index.folder = folder;
    }
  }
  if (index.files.empty()) return std::nullopt;
  Ids used;
  for (const auto& [id, file] : index.files) used.insert(file);
  for (std::string& file : all)
    if (used.count(file) == 0) index.duplicates.push_back(std::move(file));
  return index;
}

bool read_index(const StructureIndex& index, Records& records,
                std::unordered_set<std::string>& done) {
  if (!index.duplicates.empty())
    notice(fmt::format("{}: {} more files with ids of this table are passed over, such as {}",
                       index.path, index.duplicates.size(), index.duplicates.front()));
  StructureTable table(index.path);
  while (table.next_row()) {
    const bool more = records.take(table.where(), [&] {
      table.check_row();
      const std::string id = id_from_columns(table.columns());
      if (id.empty()) fail(Errc::parse, "the row has no id");
      const auto file = index.files.find(canonical_id(id));
      if (file == index.files.end())
        fail(Errc::parse, "there is no structure file called {} in {}", printable(id),
             index.folder);
      if (!done.insert(file->second).second)
        fail(Errc::parse, "{} was read already: another row names it", file->second);
      StructureRecord record = read_single(file->second, records.options());
      fill_from_columns(table.columns(), record);
      return record;
    });
    if (!more) return false;
  }
  return true;
}

}  // namespace kronite::io
