// Descriptors of mixtures as files that say what they were made with (docs/formats.md).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/row_writer.hpp"     // for RowWriter
#include "io/atomic_file.hpp"     // for AtomicFile
#include "kmd/file_settings.hpp"  // for FileSettings

namespace kronite::cli {

/// What is wrong with the argument of --out: FILE.csv, FILE.npy, FILE.jsonl or "-" are expected.
std::string check_descriptor_file(const std::string& out);

/// Writes one row after the other, in any number. Files are not there before finish().
class DescriptorWriter {
 public:
  /// `out` as check_descriptor_file() takes it; `label` heads the names of rows ("formula").
  DescriptorWriter(const std::string& out, const std::string& label,
                   const std::vector<std::string>& columns, const kmd::FileSettings& settings);

  void add(const std::string& name, std::span<const double> values);
  void finish();

 private:
  std::string label_;
  std::optional<RowWriter> rows_;
  std::optional<io::AtomicFile> lines_, settings_;
  std::string text_;
};

}  // namespace kronite::cli
