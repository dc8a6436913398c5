// A table that lists structures by id, and the folder with one file for each: data.csv beside
// mp-1.cif.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "io/structure_reader.hpp"  // for Records

namespace kronite::io {

struct StructureIndex {
  std::string path;                                    ///< of the table
  std::string folder;                                  ///< with the files
  std::unordered_map<std::string, std::string> files;  ///< canonical id -> path
  /// Files that are named by the table but lie in another folder or have another ending: the same
  /// structures once more.
  std::vector<std::string> duplicates;
};

/// An index is a .csv file with a column material_id or id and none called cif, at least one row of
/// which names a structure file (ID.cif, ID.vasp, ...) in its own folder or in a folder in
/// that one. The folder that holds most of them is taken. Empty when the file is none.
/// @throws Error io, or parse for a table that is not CSV.
std::optional<StructureIndex> find_index(const std::string& path);

/// Reads the file of each row; what the row says comes before what the file says. Files in `done`
/// are not read again; those that are read go into it. False when the sink asked to stop.
bool read_index(const StructureIndex& index, Records& records,
                std::unordered_set<std::string>& done);

}  // namespace kronite::io
