// CSV (RFC 4180): records out of a file, and rows as text.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/input.hpp"  // for LineReader

namespace kronite::io {

/// One record after the other of a file, plain or compressed. Quoted cells may hold commas,
/// doubled quotes and line ends; empty lines are passed over.
class CsvReader {
 public:
  explicit CsvReader(const std::string& path) : name_(path), lines_(path) {}
  /// Reads `text`, which must outlive the reader; `name` stands for the file in messages.
  CsvReader(std::string name, std::string_view text) : name_(std::move(name)), rest_(text) {}

  /// The next record; false at the end. @throws Error parse for a quote in the wrong place.
  bool next(std::vector<std::string>& cells);
  /// Line on which the record that next() gave begins, from 1.
  std::int64_t line_number() const { return line_number_; }
  /// "file:line" of that record, "file" before the first, for messages.
  std::string where() const;

 private:
  bool next_line();
  void read_quoted(std::size_t& at, std::string& cell);

  std::string name_;
  std::optional<LineReader> lines_;
  std::string_view rest_;  ///< of a text, when there is no file
  std::string line_;
  std::int64_t lines_read_ = 0, line_number_ = 0;
};

/// Appends a cell, in quotes when it needs them.
void append_csv_cell(std::string& to, std::string_view cell);
/// Appends ",value,value..."; every number reads back exactly, whatever the locale.
void append_csv_numbers(std::string& to, std::span<const double> values);
/// Appends "name,value,value,...\n".
void append_csv_row(std::string& to, std::string_view name, std::span<const double> values);
/// Appends "name,name,...\n".
void append_csv_header(std::string& to, std::string_view corner,
                       const std::vector<std::string>& columns);

}  // namespace kronite::io
