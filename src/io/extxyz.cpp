// Extended XYZ: a count, a line of key=value pairs with the lattice, then one line per atom; many
// frames per file.
#include <algorithm>
#include <cmath>

#include "base/fail.hpp"            // for fail
#include "base/number.hpp"          // for to_number
#include "io/input.hpp"             // for LineReader
#include "io/record_columns.hpp"    // for fill_from_columns
#include "io/structure_reader.hpp"  // for Records, element_of, split_words
#include "materials/lattice.hpp"    // for reciprocal, fractional

namespace kronite::io {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// key=value, key="quoted value", key={braced value}, or a bare key.
Pairs read_pairs(std::string_view line) {
  Pairs pairs;
  for (std::size_t at = 0;;) {
    at = line.find_first_not_of(" \t", at);
    if (at == std::string_view::npos) return pairs;
    const std::size_t key_end = std::min(line.find_first_of(" \t=", at), line.size());
    std::string key(line.substr(at, key_end - at));
    at = key_end;
    if (at == line.size() || line[at] != '=') {
      pairs.emplace_back(std::move(key), "");
      continue;
    }
    ++at;
    const char open = at < line.size() ? line[at] : ' ';
    const bool quoted = open == '"' || open == '\'' || open == '{';
    if (quoted) ++at;
    const char close[] = {open == '{' ? '}' : open, '\0'};
    const std::size_t end = std::min(line.find_first_of(quoted ? close : " \t", at), line.size());
    pairs.emplace_back(std::move(key), line.substr(at, end - at));
    at = std::min(end + (quoted ? 1 : 0), line.size());
  }
}

const std::string* find(const Pairs& pairs, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys)
    for (const auto& [name, value] : pairs)
      if (name == key) return &value;
  return nullptr;
}

/// Columns of the atom lines as Properties names them: name:type:width, again and again.
struct Columns {
  std::size_t species = 0, position = 1, width = 4;
  bool atomic_numbers = false;
};

Columns read_columns(const std::string* properties) {
  if (!properties) return {};
  constexpr std::size_t kMost = 1000;  // columns; no file has more
  std::vector<std::string> parts(1);
  for (const char c : *properties) {
    if (c == ':')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  Columns columns{kMost, kMost, 0, false};
  for (std::size_t i = 0; i + 2 < parts.size(); i += 3) {
    const std::string& name = parts[i];
    const auto width = to_number(parts[i + 2]);
    if (!width || *width < 1 || *width > double(kMost) || *width != std::floor(*width))
      fail(Errc::parse, "Properties: {} has no number of columns", name);
    if (name == "species" || name == "Z" || name == "numbers") {
      columns.species = columns.width;
      columns.atomic_numbers = name != "species";
    }
    if (name == "pos" && *width == 3) columns.position = columns.width;
    columns.width += static_cast<std::size_t>(*width);
    if (columns.width > kMost) fail(Errc::parse, "Properties names more than {} columns", kMost);
  }
  if (columns.species == kMost || columns.position == kMost)
    fail(Errc::parse, "Properties names no species:S:1 and pos:R:3");
  return columns;
}

Lattice read_lattice(const Pairs& pairs) {
  const std::string* text = find(pairs, {"Lattice", "lattice"});
  if (!text) fail(Errc::parse, "no Lattice=\"...\" on the second line: a molecule, not a crystal");
  const auto words = split_words(*text);
  Lattice lattice;
  for (std::size_t i = 0; i < 9; ++i) {
    const auto value = i < words.size() ? to_number(words[i]) : std::nullopt;
    if (!value || words.size() != 9) fail(Errc::parse, "Lattice must hold nine numbers");
    lattice[i / 3][i % 3] = *value;
  }
  if (const std::string* pbc = find(pairs, {"pbc"}))
    for (const std::string_view word : split_words(*pbc))
      if (word != "T" && word != "True" && word != "true" && word != "1")
        fail(Errc::parse, "pbc=\"{}\": not periodic in three directions", *pbc);
  return lattice;
}

int read_species(std::string_view word, bool is_number) {
  if (!is_number) return element_of(word);
  const auto z = to_number(word);
  return z && *z >= 1 && *z <= 118 && *z == std::floor(*z) ? static_cast<int>(*z) : 0;
}

/// Frame from its second line on; `first` is the line number of the second line.
StructureRecord read_frame(const std::string& comment, const std::vector<std::string>& atoms,
                           std::int64_t first) {
  const Pairs pairs = read_pairs(comment);
  StructureRecord record;
  record.structure.lattice = read_lattice(pairs);
  fill_from_columns(
      [&](std::string_view name) {
        const std::string* value = find(pairs, {name});
        return value ? *value : std::string();
      },
      record);
  const Columns columns = read_columns(find(pairs, {"Properties", "properties"}));
  const Lattice to_fractional = reciprocal(record.structure.lattice);
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const std::int64_t line = first + 1 + static_cast<std::int64_t>(i);
    const auto words = split_words(atoms[i]);
    if (words.size() < columns.width)
      fail(Errc::parse, "line {}: {} words, expected {}", line, words.size(), columns.width);
    const int z = read_species(words[columns.species], columns.atomic_numbers);
    if (z == 0) fail(Errc::parse, "line {}: {} is not an element", line, words[columns.species]);
    Vector3 x;
    for (std::size_t k = 0; k < 3; ++k) {
      const auto value = to_number(words[columns.position + k]);
      if (!value)
        fail(Errc::parse, "line {}: {} is not a number", line, words[columns.position + k]);
      x[k] = *value;
    }
    record.structure.z.push_back(static_cast<std::uint8_t>(z));
    record.structure.fractional.push_back(fractional(to_fractional, x));
  }
  return record;
}

}  // namespace

bool read_extxyz(const std::string& path, Records& records) {
  LineReader lines(path);
  std::string line, comment;
  while (lines.next(line)) {
    const auto words = split_words(line);
    if (words.empty()) continue;  // blank lines between or behind frames
    const auto count = words.size() == 1 ? to_number(words[0]) : std::nullopt;
    const std::string where = fmt::format("{}:{}", path, lines.line_number());
    if (!count || *count < 0 || *count != std::floor(*count)) {
      records.refuse(where, "expected the number of atoms of a frame; the rest is not read");
      return true;
    }
    const bool whole = lines.next(comment);
    const std::int64_t second = lines.line_number();
    std::vector<std::string> atoms;
    while (whole && double(atoms.size()) < *count && lines.next(line)) atoms.push_back(line);
    const bool more = records.take(where, [&] {
      if (!whole || double(atoms.size()) < *count)
        fail(Errc::parse, "the file ends in the middle of a frame of {} atoms", *count);
      return read_frame(comment, atoms, second);
    });
    if (!more) return false;
  }
  return true;
}

}  // namespace kronite::io
