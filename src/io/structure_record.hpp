// One JSON object as a structure record.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

#include "kronite/structure.hpp"  // for StructureRecord, ReadOptions

namespace kronite::io {

using Json = simdjson::dom::element;

inline bool has(simdjson::dom::object object, const char* key) {
  return object[key].error() == simdjson::SUCCESS;
}

/// Where the entries of an OPTIMADE file come from, as its other lines say.
struct Origin {
  std::string provider, license = "unknown";

  /// The `meta` of a page: provider and implementation.
  void read_meta(Json meta);
  /// A line of type `info`: licences of the database.
  void read_info(simdjson::dom::object info);
};

/// pymatgen's Structure.as_dict(), or a Materials Project summary (or any object) with one under
/// `structure` or `snl`. @throws Error parse, naming the key that is missing or wrong.
StructureRecord read_summary(simdjson::dom::object object, std::string_view id);
/// An OPTIMADE entry of type `structures`.
StructureRecord read_optimade(simdjson::dom::object entry, const Origin& origin,
                              const ReadOptions& options);
/// A row of a table in which one column holds structures.
StructureRecord read_row(simdjson::dom::array columns, Json row);

}  // namespace kronite::io
