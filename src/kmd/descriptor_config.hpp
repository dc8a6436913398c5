// Settings of descriptors in TOML files.
#pragma once

#include "io/toml_table.hpp"      // for TomlTable
#include "kmd/file_settings.hpp"  // for Kind, Settings

namespace kronite::kmd {

/// One of `names`, by number of the enumerators.
template <class Enum>
void read_name(io::TomlTable& table, const char* key, const std::vector<std::string>& names,
               Enum& value) {
  auto index = static_cast<std::size_t>(value);
  table.read(key, index, names);
  value = static_cast<Enum>(index);
}

/// kind, layout, kernel, scaling, n_grids, sigma, most_condition. @throws Error parse.
void read_descriptor(io::TomlTable& table, Kind& kind, Settings& settings);

}  // namespace kronite::kmd
