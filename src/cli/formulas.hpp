// The formulas of a command: given one by one and in a list.
#pragma once

#include <string>
#include <vector>

#include "kronite/composition.hpp"  // for Composition, ElementTable

namespace kronite::cli {

struct Formula {
  std::string text;  ///< as given
  Composition composition;
};

/// Reads the arguments, then the list when its path is not empty. A formula that cannot be read or
/// holds an element outside the table is reported with its file and line; with `skip_bad` it is
/// left out, else nothing else happens.
/// @throws Error parse when there is a bad formula, or none that can be used.
std::vector<Formula> read_formulas(const std::vector<std::string>& arguments,
                                   const std::string& list, const ElementTable& table,
                                   bool skip_bad);

}  // namespace kronite::cli
