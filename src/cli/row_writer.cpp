// The two layouts of a table of numbers.
#include "cli/row_writer.hpp"

#include <cstdio>

#include "io/csv.hpp"  // for append_csv_cell, append_csv_numbers
#include "io/npy.hpp"  // for npy_header

namespace kronite::cli {
namespace {

void append_cells(std::string& text, const std::vector<std::string>& cells) {
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) text += ',';
    io::append_csv_cell(text, cell);
  }
}

}  // namespace

std::string check_row_file(const std::string& out) {
  return out == "-" || out.ends_with(".csv") || out.ends_with(".npy")
             ? ""
             : "a name that ends in .csv or .npy is expected, or - for CSV on standard output";
}

RowWriter::RowWriter(const std::string& out, const std::vector<std::string>& labels,
                     const std::vector<std::string>& columns)
    : columns_(columns.size()) {
  if (out != "-") table_.emplace(out);
  append_cells(text_, labels);
  if (out.ends_with(".npy")) {
    const std::string stem = out.substr(0, out.size() - std::string_view(".npy").size());
    column_names_.emplace(stem + ".columns.txt");
    for (const std::string& name : columns) column_names_->write(name + "\n");
    row_names_.emplace(stem + ".rows.csv");
    row_names_->write(text_ + "\n");
    table_->write(io::npy_header(0, std::ssize(columns)));
    return;
  }
  text_ += ',';
  append_cells(text_, columns);
  write_text(text_ += '\n');
}

void RowWriter::add(const std::vector<std::string>& labels, std::span<const double> values) {
  ++rows_;
  text_.clear();
  append_cells(text_, labels);
  if (row_names_) {
    row_names_->write(text_ += '\n');
    table_->write(values.data(), values.size_bytes());
    return;
  }
  io::append_csv_numbers(text_, values);
  write_text(text_ += '\n');
}

void RowWriter::write_text(std::string_view text) {
  if (table_)
    table_->write(text);
  else
    std::fwrite(text.data(), 1, text.size(), stdout);
}

void RowWriter::finish() {
  if (row_names_) {
    table_->overwrite(0, io::npy_header(rows_, static_cast<std::int64_t>(columns_)));
    column_names_->commit();
    row_names_->commit();
  }
  if (table_) table_->commit();
}

}  // namespace kronite::cli
