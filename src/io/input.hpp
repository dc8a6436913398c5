// Reading files, plain or compressed (gzip, xz, zstd, bzip2, told by their first bytes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace kronite::io {

/// All of a file, decompressed. @throws Error io; parse when the compressed data are damaged or
/// the text is longer than 4 GiB; unavailable for a compression that this build cannot read.
std::string read_file(const std::string& path);
/// The first `most` bytes of the same, or as many as there are.
std::string read_head(const std::string& path, std::size_t most);

/// content_hash() of the same, read piece by piece: the text may be longer than memory.
std::string hash_of_file(const std::string& path);

/// The file's name without its folder and the ending of a compression: "MP.csv" of "a/MP.csv.xz".
std::string unpacked_name(const std::string& path);
/// The same in small letters.
std::string plain_name(const std::string& path);

/// One line after the other of a file that may be compressed and larger than memory.
class LineReader {
 public:
  explicit LineReader(const std::string& path);
  ~LineReader();

  /// The next line without its end ("\n" or "\r\n"); false at the end. @throws as read_file().
  bool next(std::string& line);
  /// Number of the line that next() gave, from 1.
  std::int64_t line_number() const { return line_number_; }

 private:
  struct Stream;
  std::string path_;
  std::unique_ptr<Stream> stream_;
  std::int64_t line_number_ = 0;
};

}  // namespace kronite::io
