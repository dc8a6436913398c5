// Compressed files by their first bytes: one decoder per format.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace kronite::io {

/// Turns compressed bytes into plain ones, as much at a time as the caller has of either.
class Decoder {
 public:
  struct Step {
    std::size_t taken = 0;  ///< bytes of the input that are done with
    std::size_t given = 0;  ///< bytes put out
    bool ended = false;     ///< a member (gzip's word; a stream of xz, a frame of zstd) is whole
  };

  virtual ~Decoder() = default;
  /// `out` must not be empty. Neither taken nor given: it needs more input.
  /// @throws Error parse, whose text is the reason alone: the data are damaged.
  virtual Step step(std::span<const char> in, std::span<char> out) = 0;
};

enum class Compression { none, gzip, xz, zstd, bzip2 };

/// As many first bytes as tell the compression of a file.
inline constexpr std::size_t kMagicBytes = 10;
Compression compression_of(std::string_view first_bytes);

/// At the beginning of a member. @throws Error unavailable, whose text is the reason alone: kronite
/// was built without the library for it.
std::unique_ptr<Decoder> make_decoder(Compression compression);

}  // namespace kronite::io
