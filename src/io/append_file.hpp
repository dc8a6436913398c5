// A file that a long run grows line by line and can take up again after it was killed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kronite::io {

class AppendFile {
 public:
  /// Opens or creates `path`, drops a last line without its end, and locks the file against a
  /// second writer. @throws Error io; unavailable when another process writes it.
  explicit AppendFile(std::string path);
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  ~AppendFile();

  /// Writes `lines` and syncs. On failure (such as a full disk) the file is as it was before.
  /// @throws Error io.
  void append(std::string_view lines);
  /// Drops everything behind the first `bytes`.
  void truncate(std::int64_t bytes);
  std::int64_t size() const { return size_; }

 private:
  void drop_half_line();
  [[noreturn]] void refuse(const char* action, int reason) const;

  std::string path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

}  // namespace kronite::io
