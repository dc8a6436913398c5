// What a file of mixture descriptors says of itself, so that it is never read with other components
// or settings than it was made with (docs/formats.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kronite/kmd.hpp"  // for Settings, Components, Descriptor

namespace kronite::kmd {

enum class Kind { kernel_mean, statistics };

struct FileSettings {
  Kind kind = Kind::kernel_mean;
  std::string components_hash;
  std::int64_t components = 0, features = 0, width = 0;
  Settings settings;  ///< as chosen; of Kind::kernel_mean
  Condition condition;
  bool sum = false;  ///< whether there is a fifth block; of Kind::statistics
  std::string hash;  ///< Descriptor::hash(), or that of the statistics
};

FileSettings file_settings(const Descriptor& descriptor);
/// Of summary statistics.
FileSettings file_settings(const Components& components, bool sum);

/// One JSON object, on one line or with an indent, without a line end.
std::string to_json(const FileSettings& settings, bool one_line);
/// `where` names the text in messages. @throws Error parse.
FileSettings parse_file_settings(std::string_view text, const std::string& where);

/// The descriptor of a file, made anew. @throws Error invalid_argument when the file was made with
/// other components, holds statistics, or when the settings give another hash.
Descriptor descriptor_of(const FileSettings& settings, Components components,
                         const std::string& where);

/// "d.csv.settings.json" of "d.csv".
std::string settings_path(const std::string& file);

}  // namespace kronite::kmd
