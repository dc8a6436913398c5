// Files of descriptors, as `kronite kmd transform` writes them (docs/formats.md), row after row.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kmd/file_settings.hpp"  // for FileSettings

namespace kronite::kmd {

/// CSV (the descriptor's columns last, names of rows in the first of those before), .npy (names in
/// F.rows.csv, where that is there) or JSON Lines. Settings lie in FILE.settings.json, or in the
/// first line of JSON Lines.
class DescriptorRows {
 public:
  /// `settings_file`: read instead of where settings lie; empty: none.
  /// @throws Error io; parse, also where there are no settings or not so many columns as they say.
  explicit DescriptorRows(const std::string& path, const std::string& settings_file = {});
  ~DescriptorRows();
  DescriptorRows(DescriptorRows&&) noexcept;

  const FileSettings& settings() const { return settings_; }
  /// Where the settings were, for messages.
  const std::string& settings_where() const { return settings_where_; }
  /// Refuses a CSV whose columns have other names than these. @throws Error parse.
  void require_columns(const std::vector<std::string>& names) const;

  /// Appends the next rows, at most `most`: their values and their names, the number of a row
  /// (from 1) where it has none. How many; 0 at the end.
  /// @throws Error parse, naming file, line and column.
  std::int64_t read(std::int64_t most, std::vector<double>& values,
                    std::vector<std::string>& names);

  struct Source;  ///< of any format

 private:
  FileSettings settings_;
  std::string settings_where_;
  std::unique_ptr<Source> source_;
  std::int64_t rows_read_ = 0;
};

}  // namespace kronite::kmd
