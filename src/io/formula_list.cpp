// Formula lists as plain text and as CSV.
#include "io/formula_list.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/ascii.hpp"      // for to_lower
#include "base/fail.hpp"       // for fail
#include "base/log.hpp"        // for notice
#include "base/printable.hpp"  // for printable
#include "io/csv.hpp"          // for CsvReader
#include "io/input.hpp"        // for LineReader

namespace kronite::io {
namespace {

constexpr std::array<std::string_view, 6> kColumns = {"formula",        "formula_pretty",
                                                      "pretty_formula", "reduced_formula",
                                                      "full_formula",   "composition"};

class ListBuilder {
 public:
  ListBuilder(const std::string& path, const SkipSink& skip) : path_(path), skip_(skip) {}

  void add(std::string_view text, std::int64_t line) {
    const std::string where = fmt::format("{}:{}", path_, line);
    try {
      notices_.clear();
      list_.push_back({std::string(text), Composition::parse(text, &notices_), line});
      for (const std::string& text_of_notice : notices_) notice(where + ": " + text_of_notice);
    } catch (const Error& e) {
      if (!skip_) throw Error(e.code(), where + ": " + e.what());  // with its caret
      skip_(where, e.what());
    }
    any_ = true;
  }

  std::vector<ListedFormula> finish() {
    if (!any_) fail(Errc::parse, "{}: there is no formula in this file", path_);
    return std::move(list_);
  }

 private:
  const std::string& path_;
  const SkipSink& skip_;
  std::vector<ListedFormula> list_;
  std::vector<std::string> notices_;
  bool any_ = false;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

std::size_t formula_column(const std::string& where, const std::vector<std::string>& header) {
  std::vector<std::string> names;
  for (const std::string& cell : header) names.push_back(to_lower(std::string(trimmed(cell))));
  for (const std::string_view column : kColumns) {
    const auto found = std::find(names.begin(), names.end(), column);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  }
  fail(Errc::parse, "{}: no column is called {}; the columns are: {}", where,
       fmt::join(kColumns, ", "), printable(fmt::format("{}", fmt::join(header, ", ")), 300));
}

void read_csv(const std::string& path, ListBuilder& list) {
  CsvReader reader(path);
  std::vector<std::string> cells;
  if (!reader.next(cells)) return;
  const std::size_t column = formula_column(reader.where(), cells);
  while (reader.next(cells)) {
    if (column >= cells.size())
      fail(Errc::parse, "{}: {} cells, but the formula is in column {}", reader.where(),
           cells.size(), column + 1);
    list.add(trimmed(cells[column]), reader.line_number());
  }
}

void read_text(const std::string& path, ListBuilder& list) {
  LineReader reader(path);
  std::string line;
  while (reader.next(line)) {
    const std::string_view text =
        trimmed(std::string_view(line).substr(0, std::min(line.find('#'), line.size())));
    if (!text.empty()) list.add(text, reader.line_number());
  }
}

}  // namespace

std::vector<ListedFormula> read_formula_list(const std::string& path, const SkipSink& skip) {
  ListBuilder list(path, skip);
  if (plain_name(path).ends_with(".csv"))
    read_csv(path, list);
  else
    read_text(path, list);
  return list.finish();
}

}  // namespace kronite::io
