// The readers of structure files, and how they read words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/records.hpp"         // for Records
#include "kronite/structure.hpp"  // for StructureRecord

namespace kronite::io {

// One reader per format; each returns false when the sink asked to stop, and throws Error (io or
// parse) when the file as a whole cannot be read.
bool read_cif(const std::string& path, Records& records);
bool read_poscar(const std::string& path, Records& records);
bool read_extxyz(const std::string& path, Records& records);
bool read_structure_json(const std::string& path, Records& records);
/// A table with one CIF text per row, in the column `cif`.
bool read_structure_csv(const std::string& path, Records& records);

/// By whichever of them knows the format: told by the content, else by the name. An index is no
/// format of its own here (io/structure_index.hpp).
bool read_structure_file(const std::string& path, Records& records);

/// All files below a folder, whatever they hold, in the order in which read_structures() reads
/// them.
/// @throws Error io when the folder, or one in it, cannot be read.
std::vector<std::string> files_below(const std::string& folder);

/// Whether the name of a file says that there are structures in it.
bool promises_structures(const std::string& path);
/// "mp-1" of "folder/mp-1.cif.gz"; empty for a name that does not promise one structure.
std::string name_of_structure_file(const std::string& path);

/// A text of one data block; `first_line` is its line in the file. @throws Error parse.
StructureRecord read_cif_text(const std::string& text, std::int64_t first_line);

/// Atomic number of an element symbol that may carry a charge or oxidation number ("Fe3+", "O2-",
/// "Na+"), be in capitals ("FE") or an isotope of hydrogen. 0 when it is none.
int element_of(std::string_view symbol);

/// Sites of a disordered structure: each carries its most frequent element.
struct SiteElement {
  int z = 0;
  bool shared = false;  ///< partial occupancy or several elements
};

/// @throws Error parse when no element is named or an occupancy is not in (0, 1].
SiteElement majority_element(const std::vector<std::pair<int, double>>& occupancies);

/// Short name of a licence from its name or address: "BY-C" for Creative Commons Attribution,
/// "BY-NC", "BY-SA" and so on for its relatives, "CC0", "PD" for the public domain. Other short
/// identifiers ("Apache-2.0") stay as they are; anything else is "unknown".
std::string license_of(std::string_view text);

/// Words between blanks.
std::vector<std::string_view> split_words(std::string_view line);

}  // namespace kronite::io
