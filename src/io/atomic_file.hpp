// A file that is whole or not there: written under a temporary name, synced, then renamed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kronite::io {

class AtomicFile {
 public:
  /// Opens a temporary file beside `path`. @throws Error io; also where `path` is a folder or
  /// device.
  explicit AtomicFile(std::string path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  /// Removes the temporary file unless commit() succeeded.
  ~AtomicFile();

  void write(const void* data, std::size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Replaces bytes that were written before, such as a header that needs to know what followed.
  void overwrite(std::size_t at, std::string_view text);
  std::size_t bytes_written() const { return written_; }
  /// Flushes, syncs and renames. @throws Error io (such as a full disk).
  void commit();

 private:
  void flush();
  [[noreturn]] void refuse(const char* action) const;

  std::string path_, temporary_;
  std::vector<char> buffer_;
  std::size_t written_ = 0;
  int descriptor_ = -1;
};

/// For long runs that write at their end. @throws Error io where AtomicFile cannot write.
void require_writable(const std::string& path);

/// The whole text as one file.
void write_file(const std::string& path, std::string_view text);

}  // namespace kronite::io
