// What tables and key=value lines say of a record, by the names that databases and data sets use.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "kronite/structure.hpp"  // for StructureRecord

namespace kronite::io {

/// The value under this name as text; empty when there is none.
using ColumnLookup = std::function<std::string(std::string_view name)>;

/// Sets what the columns give; the rest of the record stays.
/// @throws Error parse for an entry that is marked as deprecated.
void fill_from_columns(const ColumnLookup& column, StructureRecord& record);

/// The id of a row: the first of the columns that tables keep it in. Empty without one.
std::string id_from_columns(const ColumnLookup& column);

/// Refuses an entry that its database no longer holds to be right. @throws Error parse.
[[noreturn]] void refuse_deprecated(const std::string& id);

/// Number of a space group, or 0 when it is none.
int space_group_number(double number);

}  // namespace kronite::io
