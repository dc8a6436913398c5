// Formula lists as plain text and as CSV.
#include "io/formula_list.hpp"

#include <algorithm>
#include <array>
#include <optional>
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

std::size_t named_column(const std::string& where, const std::vector<std::string>& header,
                         const std::string& name) {
  for (std::size_t i = 0; i < header.size(); ++i)
    if (trimmed(header[i]) == name) return i;
  fail(Errc::parse, "{}: no column is called {}; the columns are: {}", where, printable(name),
       printable(fmt::format("{}", fmt::join(header, ", ")), 300));
}

}  // namespace

/// Either kind of file.
struct FormulaLines::Source {
  explicit Source(const std::string& path, const std::string& value_column) {
    if (!plain_name(path).ends_with(".csv")) {
      if (!value_column.empty())
        fail(Errc::parse,
             "{}: a column {} is asked for, so a table whose name ends in .csv is expected", path,
             printable(value_column));
      lines.emplace(path);
      return;
    }
    csv.emplace(path);
    if (!csv->next(cells)) return;
    formula = formula_column(csv->where(), cells);
    if (!value_column.empty()) value = named_column(csv->where(), cells, value_column);
  }
  std::string_view cell(std::size_t column, const char* what) const {
    if (column >= cells.size())
      fail(Errc::parse, "{}: {} cells, but the {} is in column {}", csv->where(), cells.size(),
           what, column + 1);
    return trimmed(cells[column]);
  }

  std::optional<CsvReader> csv;
  std::optional<LineReader> lines;
  std::vector<std::string> cells;
  std::string line;
  std::size_t formula = 0;
  std::optional<std::size_t> value;
};

FormulaLines::FormulaLines(const std::string& path, const std::string& value_column)
    : path_(path), source_(std::make_unique<Source>(path, value_column)) {}
FormulaLines::~FormulaLines() = default;
FormulaLines::FormulaLines(FormulaLines&&) noexcept = default;

bool FormulaLines::next() {
  Source& source = *source_;
  if (source.csv) {
    if (!source.csv->next(source.cells)) return false;
    text_ = source.cell(source.formula, "formula");
    if (source.value) value_ = source.cell(*source.value, "value");
    line_ = source.csv->line_number();
    return true;
  }
  while (source.lines->next(source.line)) {
    const std::string_view line = source.line;
    text_ = trimmed(line.substr(0, std::min(line.find('#'), line.size())));
    line_ = source.lines->line_number();
    if (!text_.empty()) return true;
  }
  return false;
}

std::string FormulaLines::where() const { return fmt::format("{}:{}", path_, line_); }

std::vector<ListedFormula> read_formula_list(const std::string& path, const SkipSink& skip) {
  FormulaLines lines(path);
  std::vector<ListedFormula> list;
  std::vector<std::string> notices;
  bool any = false;
  while (lines.next()) {
    any = true;
    try {
      notices.clear();
      list.push_back(
          {std::string(lines.text()), Composition::parse(lines.text(), &notices), lines.line()});
      for (const std::string& text : notices) notice(lines.where() + ": " + text);
    } catch (const Error& e) {
      if (!skip) throw Error(e.code(), lines.where() + ": " + e.what());  // with its caret
      skip(lines.where(), e.what());
    }
  }
  if (!any) fail(Errc::parse, "{}: there is no formula in this file", path);
  return list;
}

}  // namespace kronite::io
