// Reading and writing CSV.
#include "io/csv.hpp"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <iterator>

#include "base/fail.hpp"       // for fail
#include "io/atomic_file.hpp"  // for AtomicFile
#include "kronite/io.hpp"      // for write_csv

namespace kronite::io {

bool CsvReader::next_line() {
  if (lines_) {
    if (!lines_->next(line_)) return false;
  } else {
    if (rest_.empty()) return false;
    const std::size_t stop = std::min(rest_.find('\n'), rest_.size());
    line_ = rest_.substr(0, stop);
    rest_.remove_prefix(std::min(stop + 1, rest_.size()));
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (++lines_read_ == 1 && line_.starts_with(kByteOrderMark))
    line_.erase(0, kByteOrderMark.size());
  return true;
}

bool CsvReader::next(std::vector<std::string>& cells) {
  do {
    if (!next_line()) return false;
  } while (line_.empty());
  line_number_ = lines_read_;
  std::size_t used = 0;
  for (std::size_t at = 0;; ++at) {
    if (used == cells.size()) cells.emplace_back();
    std::string& cell = cells[used++];
    cell.clear();
    if (at < line_.size() && line_[at] == '"') {
      read_quoted(at, cell);
    } else {
      const std::size_t stop = std::min(line_.find(',', at), line_.size());
      cell.assign(line_, at, stop - at);
      at = stop;
    }
    if (at == line_.size()) break;
  }
  cells.resize(used);
  return true;
}

/// Reads from the opening quote at `at` to just behind the closing one, over line ends.
void CsvReader::read_quoted(std::size_t& at, std::string& cell) {
  for (++at;;) {
    const std::size_t quote = line_.find('"', at);
    cell.append(line_, at, quote - at);
    if (quote == std::string::npos) {
      cell += '\n';
      if (!next_line()) fail(Errc::parse, "{}: a quoted cell has no closing quote", where());
      at = 0;
      continue;
    }
    at = quote + 1;
    if (at == line_.size() || line_[at] == ',') return;
    if (line_[at] != '"')
      fail(Errc::parse, "{}:{}: a comma is expected after the closing quote of a cell", name_,
           lines_read_);
    cell += '"';
    ++at;
  }
}

std::string CsvReader::where() const {
  return line_number_ == 0 ? name_ : fmt::format("{}:{}", name_, line_number_);
}

void append_csv_cell(std::string& to, std::string_view cell) {
  if (cell.find_first_of(",\"\r\n") == std::string_view::npos) {
    to += cell;
    return;
  }
  to += '"';
  for (const char c : cell) {
    if (c == '"') to += '"';
    to += c;
  }
  to += '"';
}

void append_csv_numbers(std::string& to, std::span<const double> values) {
  for (const double value : values)
    fmt::format_to(std::back_inserter(to), FMT_COMPILE(",{}"), value);
}

void append_csv_row(std::string& to, std::string_view name, std::span<const double> values) {
  append_csv_cell(to, name);
  append_csv_numbers(to, values);
  to += '\n';
}

void append_csv_header(std::string& to, std::string_view corner,
                       const std::vector<std::string>& columns) {
  append_csv_cell(to, corner);
  for (const std::string& column : columns) {
    to += ',';
    append_csv_cell(to, column);
  }
  to += '\n';
}

}  // namespace kronite::io

namespace kronite {

void write_csv(const std::string& path, const std::string& corner,
               const std::vector<std::string>& rows, const std::vector<std::string>& columns,
               MatrixView<const double> values) {
  if (values.rows != std::ssize(rows) || values.cols != std::ssize(columns))
    fail(Errc::invalid_argument, "{}: {} row names and {} column names do not fit {} x {} values",
         path, rows.size(), columns.size(), values.rows, values.cols);
  require(values.place == Place{}, "write_csv: the values must be in host memory");
  io::AtomicFile file(path);
  std::string text;
  io::append_csv_header(text, corner, columns);
  for (std::int64_t i = 0; i < values.rows; ++i) {
    io::append_csv_row(text, rows[i], {values.row(i), static_cast<std::size_t>(values.cols)});
    file.write(text);
    text.clear();
  }
  file.write(text);
  file.commit();
}

}  // namespace kronite
