// Tells the format of a file by its content and walks folders.
#include "io/structure_reader.hpp"

#include <algorithm>
#include <filesystem>

#include "base/fail.hpp"      // for fail
#include "base/log.hpp"       // for notice
#include "io/cif_blocks.hpp"  // for starts_cif_block
#include "io/input.hpp"       // for read_head, plain_name

namespace kronite {
namespace io {
namespace {

namespace fs = std::filesystem;

enum class Format { unknown, cif, poscar, extxyz, json, csv };

/// The first lines of a text, blank ones too; the last may be cut.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t stop = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, stop - at));
    at = stop + 1;
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
  const std::string name = plain_name(path);
  const auto ends = [&](std::initializer_list<const char*> endings) {
    return std::any_of(endings.begin(), endings.end(),
                       [&](const char* ending) { return name.ends_with(ending); });
  };
  if (ends({".cif", ".mcif"})) return Format::cif;
  if (ends({".json", ".jsonl", ".ndjson"})) return Format::json;
  if (ends({".xyz", ".extxyz"})) return Format::extxyz;
  if (ends({".vasp", ".poscar"}) || name.starts_with("poscar") || name.starts_with("contcar"))
    return Format::poscar;
  return Format::unknown;
}

/// Why a file cannot be text; empty when it may be.
std::string why_not_text(const std::string& head) {
  if (head.empty()) return "the file is empty";
  if (head.starts_with("PK\x03\x04")) return "a zip archive: unpack it first";
  if (head.starts_with("PAR1")) return "a Parquet table: convert it to JSON Lines first";
  // 0x80, the protocol (2 to 5), then an opcode: what Python's pickle writes since 2003.
  if (head.size() > 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5)
    return "a Python pickle, which can run any program and is never read: convert it to JSON Lines "
           "first";
  if (head.find('\0') != std::string::npos) return "a binary file";
  return {};
}

/// By content, else by name. @throws Error parse for files that cannot hold text.
Format format_of(const std::string& path) {
  constexpr std::size_t kHead = 1 << 16;
  const std::string head = read_head(path, kHead);
  const std::string why = why_not_text(head);
  if (!why.empty()) fail(Errc::parse, "{}: {}", path, why);
  const Format by_content = format_of_content(lines_of(head));
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
