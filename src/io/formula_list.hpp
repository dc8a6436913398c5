// Lists of formulas, as the commands take them with --file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kronite/composition.hpp"  // for Composition
#include "kronite/structure.hpp"    // for SkipSink

namespace kronite::io {

/// A formula as the list writes it, and what it says.
struct ListedFormula {
  std::string text;
  Composition composition;
  std::int64_t line = 0;  ///< from 1
};

/// The formulas of a list as texts, one after the other, in constant memory. A .csv file is read
/// from its first column called formula, formula_pretty, pretty_formula, reduced_formula,
/// full_formula or composition (in this order of preference), any other file as one formula per
/// line, where `#` begins a comment; plain or compressed.
class FormulaLines {
 public:
  /// `value_column`: a column of the .csv file whose cells are wanted too; empty: none.
  /// @throws Error io; parse for a .csv file without these columns, and for any other file where
  /// a column is asked for.
  explicit FormulaLines(const std::string& path, const std::string& value_column = {});
  ~FormulaLines();
  FormulaLines(FormulaLines&&) noexcept;

  /// Goes on to the next formula; false at the end. @throws Error io, parse.
  bool next();
  /// Of the formula that next() found, without blanks around it, until the next call.
  std::string_view text() const { return text_; }
  /// Its cell of the value column, until the next call.
  std::string_view value() const { return value_; }
  std::int64_t line() const { return line_; }  ///< from 1
  /// "file:line".
  std::string where() const;

 private:
  struct Source;
  std::string path_;
  std::unique_ptr<Source> source_;
  std::string_view text_, value_;
  std::int64_t line_ = 0;
};

/// All of a list. A formula that cannot be read goes to `skip` as ("file:line", reason) when there
/// is one. Notices carry "file:line".
/// @throws Error io; parse at the first bad formula without `skip`, for a .csv file without such a
/// column, and for a file with no formula at all.
std::vector<ListedFormula> read_formula_list(const std::string& path, const SkipSink& skip = {});

}  // namespace kronite::io
