// Lists of formulas, as the commands take them with --file.
#pragma once

#include <cstdint>
#include <string>
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

/// Reads a .csv file from its first column called formula, formula_pretty, pretty_formula,
/// reduced_formula, full_formula or composition (in this order of preference), any other file as
/// one formula per line, where `#` begins a comment; plain or compressed. A formula that
/// cannot be read goes to `skip` as ("file:line", reason) when there is one. Notices carry
/// "file:line".
/// @throws Error io; parse at the first bad formula without `skip`, for a .csv file without such a
/// column, and for a file with no formula at all.
std::vector<ListedFormula> read_formula_list(const std::string& path, const SkipSink& skip = {});

}  // namespace kronite::io
