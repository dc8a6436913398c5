// What the readers of structure files share: where records go, and how they read words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kronite/error.hpp"      // for Error
#include "kronite/structure.hpp"  // for StructureRecord, RecordSink, SkipSink

namespace kronite::io {

/// Hands good records to the sink and says of bad ones where they stood.
class Records {
 public:
  Records(const RecordSink& sink, const SkipSink& skip) : sink_(sink), skip_(skip) {}

  /// Runs `read`, which returns a StructureRecord, and checks the result. What `read` or the check
  /// refuse goes to skip, or out as Error(parse) where there is no skip. False when the sink asked
  /// to stop.
  template <class Read>
  bool take(const std::string& where, Read&& read) {
    std::optional<StructureRecord> record;
    try {
      record.emplace(read());
      record->where = where;
      check_structure(record->structure);
    } catch (const Error& error) {
      refuse(where, error.what());
      return true;
    }
    ++found_;
    sink_failed_ = true;
    const bool more = sink_(std::move(*record));
    sink_failed_ = false;
    return more;
  }

  /// Reports a record that could not be used.
  void refuse(const std::string& where, const std::string& why) {
    ++found_;
    if (!skip_) throw Error(Errc::parse, where + ": " + why);
    skip_(where, why);
  }

  /// Records seen so far, good or bad.
  std::size_t found() const { return found_; }
  /// Whether an exception on its way out came from the sink, and so says nothing about the file.
  bool sink_failed() const { return sink_failed_; }

 private:
  const RecordSink& sink_;
  const SkipSink& skip_;
  std::size_t found_ = 0;
  bool sink_failed_ = false;
};

// One reader per format; each returns false when the sink asked to stop, and throws Error (io or
// parse) when the file as a whole cannot be read.
bool read_cif(const std::string& path, Records& records);
bool read_poscar(const std::string& path, Records& records);
bool read_extxyz(const std::string& path, Records& records);
bool read_structure_json(const std::string& path, Records& records);
/// A table with one CIF text per row, in the column `cif`.
bool read_structure_csv(const std::string& path, Records& records);

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

/// The whole of `text` as a number; empty when it is not one or not finite.
std::optional<double> to_number(std::string_view text);
/// Words between blanks.
std::vector<std::string_view> split_words(std::string_view line);

}  // namespace kronite::io
