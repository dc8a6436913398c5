// The crystals that an evaluation predicts as if they were not known.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "kronite/csp_evaluation.hpp"  // for KnownCrystal
#include "kronite/structure.hpp"       // for ReadOptions

namespace kronite::cli {

/// Reduced formulas of a list (.csv, or one per line); nothing without a path.
/// @throws Error as read_formula_list().
std::unordered_set<std::string> formulas_of(const std::string& path);

/// All crystals of a file, folder or library, or those of the formulas in the list `formulas`,
/// where it is given. Says in notices what is left out: disordered crystals, what cannot be read.
/// @throws Error as read_structures(); invalid_argument when no crystal is left; cancelled.
std::vector<csp::KnownCrystal> read_known_crystals(const std::string& path,
                                                   const std::string& formulas,
                                                   const ReadOptions& reading);

}  // namespace kronite::cli
