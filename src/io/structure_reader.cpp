// Tells the format of a file by its content and walks folders.
#include "io/structure_reader.hpp"

#include <algorithm>
#include <filesystem>

#include "base/fail.hpp"      // for fail
#include "base/log.hpp"       // for notice
#include "io/cif_blocks.hpp"  // for starts_cif_block
#include "io/input.hpp"       // for LineReader

namespace kronite {
namespace io {
namespace {

namespace fs = std::filesystem;

enum class Format { unknown, cif, poscar, extxyz, json, csv };

/// The first lines of a file, blank ones too; long lines are cut.
std::vector<std::string> first_lines(const std::string& path) {
  constexpr std::size_t kMostLines = 400, kMostBytes = 1 << 16;
  std::vector<std::string> lines;
  std::size_t bytes = 0;
  LineReader reader(path);
  for (std::string line; lines.size() < kMostLines && bytes < kMostBytes && reader.next(line);) {
    bytes += line.size() + 1;
    lines.push_back(line.substr(0, kMostBytes));
  }
  return lines;
}

bool are_numbers(const std::string& line, std::size_t least) {
  const auto words = split_words(line);
  return words.size() >= least &&
         std::all_of(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(least),
                     [](std::string_view word) { return to_number(word).has_value(); });
}

Format format_of_content(const std::vector<std::string>& lines) {
  const auto text = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return !split_words(line).empty();
  });
  if (text == lines.end()) return Format::unknown;
  const char first = split_words(*text).front().front();
  if (first == '{' || first == '[') return Format::json;
  if (lines.size() >= 5 && are_numbers(lines[1], 1) && are_numbers(lines[2], 3) &&
      are_numbers(lines[3], 3) && are_numbers(lines[4], 3))
    return Format::poscar;
  if (lines.size() >= 2 && are_numbers(lines[0], 1) && split_words(lines[0]).size() == 1 &&
      lines[1].find("attice=") != std::string::npos)
    return Format::extxyz;
  if ((',' + *text + ',').find(",cif,") != std::string::npos) return Format::csv;
  if (std::any_of(lines.begin(), lines.end(),
                  [](const std::string& line) { return starts_cif_block(line); }))
    return Format::cif;
  return Format::unknown;
}

/// What a name promises, for files whose content says nothing.
Format format_of_name(const std::string& path) {
  fs::path name = fs::path(path).filename();
  if (name.extension() == ".gz") name = name.stem();
  const std::string extension = name.extension().string(), stem = name.string();
  if (extension == ".cif" || extension == ".mcif") return Format::cif;
  if (extension == ".json" || extension == ".jsonl" || extension == ".ndjson") return Format::json;
  if (extension == ".xyz" || extension == ".extxyz") return Format::extxyz;
  if (extension == ".vasp" || extension == ".poscar" || stem.rfind("POSCAR", 0) == 0 ||
      stem.rfind("CONTCAR", 0) == 0)
    return Format::poscar;
  return Format::unknown;
}

/// Compressed in a way that zlib does not know, or not text at all: why it cannot be read.
std::string why_unreadable(const std::vector<std::string>& lines) {
  if (lines.empty()) return "the file is empty";
  const std::string& head = lines.front();
  const auto starts = [&](std::string_view magic) { return head.rfind(magic, 0) == 0; };
  if (starts("\xFD"
             "7zXZ") ||
      starts("\x28\xB5\x2F\xFD") || starts("BZh") || starts("PK\x03\x04"))
    return "compressed with another program than gzip: unpack it first";
  for (const std::string& line : lines)
    if (line.find('\0') != std::string::npos) return "a binary file";
  return {};
}

/// By content, else by name. @throws Error parse for files that cannot hold text.
Format format_of(const std::string& path) {
  const std::vector<std::string> lines = first_lines(path);
  const std::string why = why_unreadable(lines);
  if (!why.empty()) fail(Errc::parse, "{}: {}", path, why);
  const Format by_content = format_of_content(lines);
  return by_content != Format::unknown ? by_content : format_of_name(path);
}

bool read_as(Format format, const std::string& path, Records& records) {
  switch (format) {
    case Format::cif:
      return read_cif(path, records);
    case Format::poscar:
      return read_poscar(path, records);
    case Format::extxyz:
      return read_extxyz(path, records);
    case Format::json:
      return read_structure_json(path, records);
    case Format::csv:
      return read_structure_csv(path, records);
    case Format::unknown:
      break;
  }
  fail(
      Errc::parse,
      "{}: this is none of the formats kronite reads: CIF, POSCAR, extended XYZ, JSON of pymatgen, "
      "the Materials Project or OPTIMADE",
      path);
}

bool read_records(const std::string& path, Records& records) {
  const bool more = read_as(format_of(path), path, records);
  if (more && records.found() == 0) fail(Errc::parse, "{}: there is no structure in it", path);
  return more;
}

std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    std::error_code unreadable;
    if (fs::is_regular_file(at->path(), unreadable)) files.push_back(at->path().string());
  }
  if (error) fail(Errc::io, "{}: cannot read this folder: {}", folder, error.message());
  std::sort(files.begin(), files.end());
  return files;
}

/// The reason alone, where a message begins with the file's name.
std::string without_path(const std::string& message, const std::string& path) {
  const bool begins = message.rfind(path + ": ", 0) == 0;
  return begins ? message.substr(path.size() + 2) : message;
}

/// A file whose name promises nothing and that holds no structure is none of ours: passed over.
void read_folder(const std::string& folder, const RecordSink& sink, const SkipSink& skip) {
  std::size_t found = 0;
  for (const std::string& path : files_below(folder)) {
    Records records(sink, skip);
    bool more = true;
    try {
      more = read_records(path, records);
    } catch (const Error& error) {
      const bool ours = records.found() > 0 || format_of_name(path) != Format::unknown;
      if (records.sink_failed() || (ours && !skip)) throw;
      if (ours)
        skip(path, without_path(error.what(), path));
      else
        notice(fmt::format("passed over {}", error.what()));
    }
    found += records.found();
    if (!more) return;
  }
  if (found == 0) fail(Errc::parse, "{}: no file below this folder holds a structure", folder);
}

}  // namespace
}  // namespace io

void read_structures(const std::string& path, const RecordSink& sink, const SkipSink& skip) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    io::read_folder(path, sink, skip);
  } else {
    io::Records records(sink, skip);
    io::read_records(path, records);
  }
}

}  // namespace kronite
