// Promises of everything that reads and writes crystals.
#pragma once

#include <string>
#include <vector>

#include "kronite/structure.hpp"

namespace kronite::fuzz {

/// Reads a file, which may be refused; its records must be sound, its skipped ones have a reason,
/// and what is written of the ordered ones reads back the same.
std::vector<StructureRecord> read_and_check(const std::string& path);

}  // namespace kronite::fuzz
