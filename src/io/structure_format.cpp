// Tells the format of a file by its content, else by its name.
#include <algorithm>

#include "base/ascii.hpp"           // for to_lower
#include "base/fail.hpp"            // for fail
#include "base/number.hpp"          // for to_number
#include "io/cif_blocks.hpp"        // for starts_cif_block
#include "io/input.hpp"             // for read_head, plain_name
#include "io/structure_reader.hpp"  // for the readers
#include "io/structure_table.hpp"   // for names_column

namespace kronite::io {
namespace {

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
  if (lines.size() >= 5 && are_numbers(lines[1], 1) && are_numbers(lines[2], 3) &&
      are_numbers(lines[3], 3) && are_numbers(lines[4], 3))
    return Format::poscar;
  if (lines.size() >= 2 && are_numbers(lines[0], 1) && split_words(lines[0]).size() == 1 &&
      lines[1].find("attice=") != std::string::npos)
    return Format::extxyz;
  // Behind those two, whose first line may be any text.
  const char first = split_words(*text).front().front();
  if (first == '{' || first == '[') return Format::json;
  if (names_column(*text, "cif")) return Format::csv;
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
  if (head.starts_with("PAR1"))
    return "a Parquet table: scripts/convert-structures makes JSON Lines of it";
  // 0x80, the protocol (2 to 5), then an opcode: what Python's pickle writes since 2003.
  if (head.size() > 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5)
    return "a Python pickle, which can run any program and is never read; "
           "scripts/convert-structures makes JSON Lines of it where you trust it";
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

[[noreturn]] void refuse_format(const std::string& path) {
  if (plain_name(path).ends_with(".csv"))
    fail(Errc::parse,
         "{}: a table that has no column cif, and in whose folder no structure file is called as "
         "its column material_id or id says",
         path);
  fail(Errc::parse,
       "{}: this is none of the formats kronite reads: CIF, POSCAR, extended XYZ, JSON of "
       "pymatgen, the Materials Project or OPTIMADE, and tables of CIF texts",
       path);
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
  refuse_format(path);
}

}  // namespace

bool promises_structures(const std::string& path) {
  return format_of_name(path) != Format::unknown;
}

std::string name_of_structure_file(const std::string& path) {
  std::string name = unpacked_name(path);
  const std::string small = to_lower(name);
  for (const std::string_view ending :
       {".cif", ".mcif", ".vasp", ".poscar", ".extxyz", ".xyz", ".json"})
    if (small.ends_with(ending)) {
      name.resize(name.size() - ending.size());
      return name;
    }
  return {};
}

bool read_structure_file(const std::string& path, Records& records) {
  const std::size_t before = records.found();
  const bool more = read_as(format_of(path), path, records);
  if (more && records.found() == before) fail(Errc::parse, "{}: there is no structure in it", path);
  return more;
}

}  // namespace kronite::io
