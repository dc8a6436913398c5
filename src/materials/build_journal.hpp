// The journal of a build: what became of each record, in the order of reading, so that an
// interrupted build goes on where it was.
//
// Beside the library to be. A first line with the key of the build, then one entry per record:
// length (u32), CRC-32 (u32), the outcome, a line end. Numbers as the machine has them: a journal
// is read by the machine that wrote it. Whatever comes after the last whole entry is dropped.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "io/append_file.hpp"              // for AppendFile
#include "io/input.hpp"                    // for MappedFile
#include "materials/template_library.hpp"  // for Template, LeftOut

namespace kronite {

/// What a record became.
using Outcome = std::variant<Template, LeftOut>;

class BuildJournal {
 public:
  /// Opens or makes the file. Entries of a build with the same key stay; others are dropped, with a
  /// notice. `key` is one line that names everything the outcomes depend on.
  /// @throws Error io; unavailable when another build writes it; invalid_argument when the file is
  /// something else.
  BuildJournal(std::string path, const std::string& key);
  BuildJournal(const BuildJournal&) = delete;
  BuildJournal& operator=(const BuildJournal&) = delete;
  /// Writes what is pending, unless discard() was called.
  ~BuildJournal();

  const std::string& path() const { return path_; }
  /// Records whose outcome is known.
  std::int64_t size() const { return static_cast<std::int64_t>(offsets_.size()); }
  /// Of the next record. Reaches the disk after some seconds or megabytes. @throws Error io.
  void append(const Outcome& outcome);
  /// Writes what is pending, and makes read() possible for all entries. @throws Error io.
  void flush();
  /// Of record i < size(), after flush(). @throws Error corrupt when the file has changed.
  Outcome read(std::int64_t i) const;
  /// Removes the file.
  void discard();

 private:
  void require_ours() const;
  void begin(const std::string& heading);
  void find_entries(std::size_t heading_bytes);
  void write_pending();

  std::string path_;
  std::optional<io::AppendFile> file_;
  std::vector<std::int64_t> offsets_;  // of the entries in the file
  std::string pending_;
  std::int64_t pending_since_ = 0;  // ms of the steady clock
  std::unique_ptr<io::MappedFile> mapped_;
};

}  // namespace kronite
