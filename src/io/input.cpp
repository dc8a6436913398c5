// Text of plain and compressed files, whole or by lines.
#include "io/input.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/ascii.hpp"      // for to_lower
#include "base/fail.hpp"       // for fail
#include "base/hash.hpp"       // for ContentHash
#include "io/byte_stream.hpp"  // for ByteStream

namespace kronite::io {
namespace {

constexpr std::size_t kChunk = 1 << 16;
/// Bytes of a text that is held at once: what the JSON parser can take.
constexpr std::size_t kMostText = 0xFFFFFFFF;

void check_size(std::size_t bytes, const std::string& path, const char* what) {
  if (bytes > kMostText)
    fail(Errc::parse, "{}: {} is longer than 4 GiB; write one record per line", path, what);
}

}  // namespace

std::string read_file(const std::string& path) {
  ByteStream stream(path);
  std::string text;
  for (std::size_t size = 0;;) {
    check_size(size, path, "the text");
    text.resize(size + std::max(kChunk, size / 2));
    const std::size_t n = stream.read(text.data() + size, text.size() - size);
    size += n;
    if (n == 0) {
      text.resize(size);
      return text;
    }
  }
}

std::string read_head(const std::string& path, std::size_t most) {
  ByteStream stream(path);
  std::string text(most, '\0');
  std::size_t size = 0;
  for (std::size_t n = 1; n > 0 && size < most; size += n)
    n = stream.read(text.data() + size, most - size);
  text.resize(size);
  return text;
}

std::string hash_of_file(const std::string& path) {
  ByteStream stream(path);
  std::vector<char> chunk(kChunk);
  ContentHash hash;
  while (const std::size_t n = stream.read(chunk.data(), chunk.size()))
    hash.take({chunk.data(), n});
  return hash.hex();
}

std::string unpacked_name(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  const std::string small = to_lower(name);
  for (const std::string_view ending : {".gz", ".xz", ".zst", ".bz2"})
    if (small.ends_with(ending)) {
      name.resize(name.size() - ending.size());
      break;
    }
  return name;
}

std::string plain_name(const std::string& path) { return to_lower(unpacked_name(path)); }

struct LineReader::Stream {
  explicit Stream(const std::string& path) : bytes(path) {}
  ByteStream bytes;
  std::array<char, kChunk> chunk;
  std::size_t at = 0, end = 0;
};

LineReader::LineReader(const std::string& path) : path_(path), stream_(new Stream(path)) {}
LineReader::~LineReader() = default;

bool LineReader::next(std::string& line) {
  line.clear();
  Stream& s = *stream_;
  for (bool any = false;; any = true) {
    if (s.at == s.end) {
      check_size(line.size(), path_, "a line");
      s.end = s.bytes.read(s.chunk.data(), kChunk);
      s.at = 0;
      if (s.end == 0) {
        if (any) ++line_number_;
        return any;
      }
    }
    const char* from = s.chunk.data() + s.at;
    const auto* stop = static_cast<const char*>(std::memchr(from, '\n', s.end - s.at));
    line.append(from, stop ? stop : s.chunk.data() + s.end);
    s.at = stop ? static_cast<std::size_t>(stop - s.chunk.data()) + 1 : s.end;
    if (stop) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      ++line_number_;
      return true;
    }
  }
}

}  // namespace kronite::io
