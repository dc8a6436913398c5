// Matrices as CSV and as .npy.
#include "io/matrix_table.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_set>

#include "base/ascii.hpp"      // for trimmed
#include "base/fail.hpp"       // for fail
#include "base/number.hpp"     // for to_number, to_any_number
#include "base/printable.hpp"  // for printable
#include "io/csv.hpp"          // for CsvReader
#include "io/input.hpp"        // for read_file, plain_name
#include "io/npy.hpp"          // for parse_npy

namespace kronite::io {
namespace {

std::string column_place(const CsvReader& csv, const std::vector<std::string>& headings,
                         std::size_t column) {
  return fmt::format("{}: column {} ({})", csv.where(), column + 1, printable(headings[column]));
}

double finite_number(const CsvReader& csv, const std::vector<std::string>& headings,
                     const std::vector<std::string>& cells, std::size_t column) {
  const auto value = to_number(trimmed(cells[column]));
  if (!value)
    fail(Errc::parse, "{}: a finite number is expected, not \"{}\"",
         column_place(csv, headings, column), printable(cells[column]));
  return *value;
}

void check_width(const CsvReader& csv, const std::vector<std::string>& headings,
                 const std::vector<std::string>& cells) {
  if (cells.size() != headings.size())
    fail(Errc::parse, "{}: {} cells, the header has {}", csv.where(), cells.size(),
         headings.size());
}

std::vector<std::string> read_header(CsvReader& csv, std::vector<std::string>& cells) {
  if (!csv.next(cells))
    fail(Errc::parse, "{}: this file is empty; a header with names of columns is expected",
         csv.where());
  std::vector<std::string> headings;
  for (const std::string& cell : cells) headings.emplace_back(trimmed(cell));
  return headings;
}

void check_names(const std::string& path, const std::vector<std::string>& columns) {
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : columns)
    if (!name.empty() && !seen.insert(name).second)
      fail(Errc::parse, "{}:1: two columns are called {}", path, printable(name));
}

enum class FirstColumn { unknown, names, probably_names, numbers };

class MatrixReader {
 public:
  MatrixReader(const std::string& path, FirstColumn first) : csv_(path), first_(first) {
    table_.path = path;
  }

  MatrixTable read() {
    headings_ = read_header(csv_, cells_);
    while (csv_.next(cells_)) read_row();
    if (table_.rows == 0)
      fail(Errc::parse, "{}: rows of numbers are expected below the header", table_.path);
    table_.columns.assign(headings_.begin() + (has_names() ? 1 : 0), headings_.end());
    check_columns();
    return std::move(table_);
  }

 private:
  bool has_names() const {
    return first_ == FirstColumn::names || first_ == FirstColumn::probably_names;
  }

  void judge_first_column() {
    constexpr std::string_view kNames[] = {"", "id", "index", "name", "row", "formula"};
    if (std::find(std::begin(kNames), std::end(kNames), headings_.front()) != std::end(kNames))
      first_ = FirstColumn::names;
    else
      first_ = to_any_number(trimmed(cells_.front())) ? FirstColumn::numbers
                                                      : FirstColumn::probably_names;
  }

  void read_row() {
    if (first_ == FirstColumn::unknown) judge_first_column();
    const std::size_t begin = has_names() ? 1 : 0;
    if (headings_.size() <= begin)
      fail(Errc::parse, "{}: a column of numbers is expected behind the first one", csv_.where());
    check_width(csv_, headings_, cells_);
    const std::string name(trimmed(cells_.front()));
    if (first_ == FirstColumn::probably_names && to_any_number(name))
      fail(Errc::parse,
           "{}: {} is a number, but \"{}\" further up is none; a column of names that may be "
           "numbers is called id, index, name or row",
           where_column(0), printable(name), printable(table_.names.front()));
    if (has_names()) table_.names.push_back(name);
    for (std::size_t c = begin; c < cells_.size(); ++c) table_.values.push_back(number(c));
    ++table_.rows;
    table_.cols = static_cast<std::int64_t>(cells_.size() - begin);
  }

  double number(std::size_t column) const { return finite_number(csv_, headings_, cells_, column); }

  void check_columns() const { check_names(table_.path, table_.columns); }

  std::string where_column(std::size_t column) const {
    return column_place(csv_, headings_, column);
  }

  CsvReader csv_;
  FirstColumn first_;
  std::vector<std::string> cells_, headings_;
  MatrixTable table_;
};

class LongReader {
 public:
  explicit LongReader(const std::string& path) : csv_(path) { table_.path = path; }

  LongTable read(const LongColumns& wanted) {
    headings_ = read_header(csv_, cells_);
    check_names(table_.path, headings_);
    const std::size_t name = wanted.name.empty() ? 0 : place_of(wanted.name);
    std::vector<std::size_t> numbers;
    for (const std::string& column : wanted.numbers) numbers.push_back(place_of(column));
    if (wanted.numbers.empty())
      for (std::size_t c = 0; c < headings_.size(); ++c)
        if (c != name) numbers.push_back(c);
    for (const std::size_t c : numbers) table_.columns.push_back(headings_[c]);
    while (csv_.next(cells_)) {
      check_width(csv_, headings_, cells_);
      table_.names.emplace_back(trimmed(cells_[name]));
      table_.lines.push_back(csv_.line_number());
      for (const std::size_t c : numbers)
        table_.values.push_back(finite_number(csv_, headings_, cells_, c));
    }
    if (table_.names.empty())
      fail(Errc::parse, "{}: rows are expected below the header", table_.path);
    return std::move(table_);
  }

 private:
  std::size_t place_of(const std::string& column) const {
    const auto found = std::find(headings_.begin(), headings_.end(), column);
    if (found == headings_.end()) {
      std::string there;
      for (const std::string& heading : headings_)
        there += (there.empty() ? "" : ", ") + printable(heading);
      fail(Errc::parse, "{}:1: there is no column {}; there are {}", table_.path, printable(column),
           there);
    }
    return static_cast<std::size_t>(found - headings_.begin());
  }

  CsvReader csv_;
  std::vector<std::string> cells_, headings_;
  LongTable table_;
};

MatrixTable read_npy(const std::string& path) {
  NpyArray array = parse_npy(read_file(path), path);
  MatrixTable table;
  table.path = path;
  if (array.shape.size() > 2)
    fail(Errc::parse, "{}: this array has {} dimensions; a matrix is expected", path,
         array.shape.size());
  table.rows = array.shape.empty() ? 1 : array.shape[0];
  table.cols = array.shape.size() < 2 ? 1 : array.shape[1];
  table.values = std::move(array.values);
  if (table.values.empty())
    fail(Errc::parse, "{}: this array is empty: {} x {} values", path, table.rows, table.cols);
  for (std::size_t i = 0; i < table.values.size(); ++i)
    if (!std::isfinite(table.values[i]))
      fail(Errc::parse, "{}: row {}, column {}: a finite number is expected, not {}", path,
           i / static_cast<std::size_t>(table.cols) + 1,
           i % static_cast<std::size_t>(table.cols) + 1, table.values[i]);
  return table;
}

}  // namespace

std::string MatrixTable::name_of(std::int64_t row) const {
  return names.empty() ? fmt::format("{}", row + 1) : names[static_cast<std::size_t>(row)];
}

std::string MatrixTable::where(std::int64_t row) const {
  if (names.empty()) return fmt::format("{}: row {}", path, row + 1);
  return fmt::format("{}: row {} ({})", path, row + 1,
                     printable(names[static_cast<std::size_t>(row)]));
}

MatrixTable MatrixTable::rows_of(const std::vector<std::int64_t>& some) const {
  MatrixTable part{path, {}, columns, std::ssize(some), cols, {}};
  for (const std::int64_t row : some) {
    if (!names.empty()) part.names.push_back(names[static_cast<std::size_t>(row)]);
    const double* begin = values.data() + row * cols;
    part.values.insert(part.values.end(), begin, begin + cols);
  }
  return part;
}

MatrixTable read_matrix_table(const std::string& path) {
  if (plain_name(path).ends_with(".npy")) return read_npy(path);
  return MatrixReader(path, FirstColumn::unknown).read();
}

std::vector<std::string> read_headings(const std::string& path) {
  CsvReader csv(path);
  std::vector<std::string> cells, headings = read_header(csv, cells);
  check_names(path, headings);
  return headings;
}

LongTable read_long_table(const std::string& path, const LongColumns& columns) {
  return LongReader(path).read(columns);
}

}  // namespace kronite::io
