// Structures as JSON: pymatgen's dictionaries, Materials Project summaries, OPTIMADE entries;
// alone, in lists, pages, tables and mappings, one per file or one per line.
#include <simdjson.h>
#include <algorithm>
#include <cstring>

#include "base/fail.hpp"            // for fail
#include "io/input.hpp"             // for LineReader, read_file
#include "io/json_text.hpp"         // for null_for_nan, syntax_error
#include "io/structure_reader.hpp"  // for Records, majority_element
#include "io/structure_record.hpp"  // for read_summary, read_optimade, ...

namespace kronite::io {
namespace {

constexpr int kDeepest = 4;  // containers within containers: {"data": [{"id": structure}]}

class JsonReader {
 public:
  JsonReader(const std::string& path, Records& records) : path_(path), records_(records) {}

  bool read() {
    LineReader lines(path_);
    std::string line;
    bool first = true;
    while (lines.next(line)) {
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      std::string why;
      const auto document = parse(line, why);
      if (!document && first && !names_lines()) return read_whole();
      first = false;
      const std::string where = fmt::format("{}:{}", path_, lines.line_number());
      if (!document)
        records_.refuse(where, "not one JSON value on this line: " + why);
      else if (!take(*document, where, "", 0))
        return false;
    }
    return true;
  }

 private:
  /// A name that promises one record per line: then a bad first line is a bad record.
  bool names_lines() const {
    const std::string name = plain_name(path_);
    return name.ends_with(".jsonl") || name.ends_with(".ndjson");
  }

  bool read_whole() {
    std::string text = read_file(path_), why;
    const auto document = parse(text, why);
    if (!document) fail(Errc::parse, "{}: {}", path_, syntax_error(text));
    return take(*document, path_, "", 0);
  }

  /// Python's json writes NaN and Infinity, which JSON does not know.
  std::optional<Json> parse(std::string& text, std::string& why) {
    text.reserve(text.size() + simdjson::SIMDJSON_PADDING);  // else the parser copies the text
    Json document;
    auto error = parser_.parse(text).get(document);
    if (error && null_for_nan(text)) error = parser_.parse(text).get(document);
    if (error) why = simdjson::error_message(error);
    return error ? std::nullopt : std::optional(document);
  }

  /// Anything that may hold structures. `id` is what a mapping calls it.
  bool take(Json value, const std::string& where, std::string_view id, int depth) {
    simdjson::dom::array list;
    if (value.get(list) == simdjson::SUCCESS) return take_list(list, where, depth);
    simdjson::dom::object object;
    if (value.get(object) != simdjson::SUCCESS) {
      records_.refuse(where, "expected an object or a list of objects");
      return true;
    }
    return take_object(object, where, id, depth);
  }

  bool take_list(simdjson::dom::array list, const std::string& where, int depth) {
    std::size_t index = 0;
    for (const Json item : list) {
      const std::string place = fmt::format("{}, record {}", where, ++index);
      if (depth == kDeepest)
        records_.refuse(place, "lists within lists, where a structure was expected");
      else if (!take(item, place, "", depth + 1))
        return false;
    }
    return true;
  }

  bool take_object(simdjson::dom::object object, const std::string& where, std::string_view id,
                   int depth) {
    if (has(object, "x-optimade")) return true;  // heading of an exchange file
    if (has(object, "type") && !has(object, "structure")) return take_entry(object, where);
    if (has(object, "lattice") || has(object, "sites") || has(object, "structure") ||
        has(object, "snl"))
      return records_.take(where, [&] { return read_summary(object, id); });
    if (has(object, "columns") && has(object, "data")) return take_table(object, where);
    if (has(object, "data")) {
      Json meta;
      if (object["meta"].get(meta) == simdjson::SUCCESS) origin_.read_meta(meta);
      return take(object["data"].value(), where, "", depth + 1);
    }
    if (has(object, "meta")) {
      origin_.read_meta(object["meta"].value());
      return true;
    }
    return take_mapping(object, where, depth);
  }

  bool take_entry(simdjson::dom::object entry, const std::string& where) {
    std::string_view type;
    if (entry["type"].get(type) != simdjson::SUCCESS) type = "";
    if (type == "info") origin_.read_info(entry);
    if (type != "structures") return true;
    return records_.take(where, [&] { return read_optimade(entry, origin_, records_.options()); });
  }

  /// {"mp-1": {...}, "mp-2": {...}}
  bool take_mapping(simdjson::dom::object object, const std::string& where, int depth) {
    const auto holds = [](Json value) {
      simdjson::dom::object child;
      return value.get(child) == simdjson::SUCCESS &&
             (has(child, "lattice") || has(child, "structure") || has(child, "attributes"));
    };
    const bool is_mapping =
        depth < kDeepest && std::any_of(object.begin(), object.end(),
                                        [&](const auto& field) { return holds(field.value); });
    for (const auto [key, value] : object) {
      const std::string place = fmt::format("{}, {}", where, key);
      if (is_mapping && holds(value)) {
        if (!take_object(value.get_object().value(), place, key, depth + 1)) return false;
        continue;
      }
      records_.refuse(is_mapping ? place : where,
                      fmt::format("no structure here: '{}' holds neither 'lattice' and 'sites', "
                                  "nor 'structure', nor 'attributes'",
                                  key));
      if (!is_mapping) return true;  // once for an object that is something else
    }
    return true;
  }

  /// pandas' orient="split": names of columns, then rows.
  bool take_table(simdjson::dom::object table, const std::string& where) {
    simdjson::dom::array columns, rows;
    if (table["columns"].get(columns) != simdjson::SUCCESS ||
        table["data"].get(rows) != simdjson::SUCCESS) {
      records_.refuse(where, "a table needs 'columns' and 'data' as lists");
      return true;
    }
    std::size_t index = 0;
    for (const Json row : rows) {
      const std::string place = fmt::format("{}, row {}", where, ++index);
      if (!records_.take(place, [&] { return read_row(columns, row); })) return false;
    }
    return true;
  }

  const std::string& path_;
  Records& records_;
  simdjson::dom::parser parser_;
  Origin origin_;
};

}  // namespace

bool read_structure_json(const std::string& path, Records& records) {
  return JsonReader(path, records).read();
}

}  // namespace kronite::io
