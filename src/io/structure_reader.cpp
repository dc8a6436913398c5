// One file, or a folder of them with the tables that list its files.
#include "io/structure_reader.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/fail.hpp"           // for fail
#include "base/log.hpp"            // for notice
#include "io/structure_index.hpp"  // for find_index, read_index

namespace kronite {
namespace io {

namespace fs = std::filesystem;

std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  fs::path entered = folder;  // the folder that the iterator is opening, for the message
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    entered = at->path();
    std::error_code unreadable;
    if (fs::is_regular_file(entered, unreadable))
      files.push_back(entered.lexically_normal().string());
  }
  if (error)
    fail(Errc::io, "{}: cannot read this folder: {}", entered.lexically_normal().string(),
         error.message());
  std::sort(files.begin(), files.end());
  return files;
}

namespace {

/// The reason alone, where a message begins with the file's name.
std::string without_path(const std::string& message, const std::string& path) {
  const bool begins = message.rfind(path + ": ", 0) == 0;
  return begins ? message.substr(path.size() + 2) : message;
}

/// The files of a folder in order; those that a table lists are read with it and not once more.
class FolderReader {
 public:
  FolderReader(const std::string& folder, Records& records, const SkipSink& skip)
      : folder_(folder), records_(records), skip_(skip), files_(files_below(folder)) {
    for (const std::string& path : files_) find_listed_files(path);
  }

  void read() {
    for (const std::string& path : files_)
      if (listed_.count(path) == 0 && !read_file(path)) return;
    if (records_.found() == 0)
      fail(Errc::parse, "{}: no file below this folder holds a structure", folder_);
  }

 private:
  void find_listed_files(const std::string& path) {
    std::optional<StructureIndex> index;
    try {
      index = find_index(path);
    } catch (const Error&) {
      return;  // a table that cannot be read is no index; reading it says why
    }
    if (!index) return;
    for (const auto& [id, file] : index->files) listed_.insert(file);
    listed_.insert(index->duplicates.begin(), index->duplicates.end());
    indices_.emplace(path, std::move(*index));
  }

  /// A file whose name promises nothing and that holds no structure is none of ours: passed over.
  bool read_file(const std::string& path) {
    const std::size_t before = records_.found();
    try {
      const auto index = indices_.find(path);
      return index == indices_.end() ? read_structure_file(path, records_)
                                     : read_index(index->second, records_, done_);
    } catch (const Error& error) {
      const bool ours = records_.found() > before || promises_structures(path);
      if (records_.sink_failed() || (ours && !skip_)) throw;
      if (ours)
        skip_(path, without_path(error.what(), path));
      else
        notice(fmt::format("passed over {}", error.what()));
    }
    return true;
  }

  const std::string& folder_;
  Records& records_;
  const SkipSink& skip_;
  const std::vector<std::string> files_;
  std::map<std::string, StructureIndex> indices_;  // by the table's path
  std::unordered_set<std::string> listed_, done_;
};

void read_single_file(const std::string& path, Records& records) {
  std::unordered_set<std::string> done;
  if (const auto index = find_index(path))
    read_index(*index, records, done);
  else
    read_structure_file(path, records);
}

}  // namespace
}  // namespace io

void read_structures(const std::string& path, const RecordSink& sink, const SkipSink& skip,
                     const ReadOptions& options) {
  io::Records records(sink, skip, options);
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    io::FolderReader(path, records, skip).read();
  else
    io::read_single_file(path, records);
  records.warn_of_formulas();
}

}  // namespace kronite
