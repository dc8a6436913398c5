// The bytes of a file one after the other, decompressed on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "io/decoder.hpp"  // for Decoder, Compression

namespace kronite::io {

/// Plain or compressed with gzip, xz, zstd or bzip2, told by the first bytes; of a compressed file
/// all members, one behind the other.
class ByteStream {
 public:
  /// @throws Error io; unavailable for a compression that this build cannot read.
  explicit ByteStream(const std::string& path);
  ~ByteStream();
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  /// The next bytes, at most `bytes` > 0; 0 at the end.
  /// @throws Error io; parse when compressed data are damaged, cut off, or expand beyond what a
  /// text can: a small file must not fill the memory.
  std::size_t read(char* to, std::size_t bytes);

 private:
  bool fill();
  void need_magic_bytes();
  bool next_member();
  std::size_t copy(char* to, std::size_t bytes);
  std::size_t decode(char* to, std::size_t bytes);
  void check_expansion() const;
  std::span<const char> waiting() const { return {buffer_.get() + at_, end_ - at_}; }

  std::string path_;
  int file_ = -1;
  bool at_end_of_file_ = false;
  std::unique_ptr<char[]> buffer_;
  std::size_t at_ = 0, end_ = 0;  // what waits in the buffer
  Compression compression_ = Compression::none;
  std::unique_ptr<Decoder> decoder_;  // of the current member; none between members
  std::uint64_t taken_ = 0, given_ = 0;
  std::int64_t file_bytes_ = 0;  // read from the file
};

/// How far the stream is in its file that read last on this thread, in bytes as they lie on the
/// disk: for saying how far a long reading has come.
std::int64_t last_read_position();

}  // namespace kronite::io
