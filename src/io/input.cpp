// zlib reads plain and compressed files alike; mmap for the rest.
#include "io/input.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/fail.hpp"  // for fail

namespace kronite::io {
namespace {

constexpr unsigned kChunk = 1 << 18;

gzFile open_or_fail(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    fail(Errc::io, "{}: cannot read this file: {}", path, std::strerror(errno));
  if (S_ISDIR(status.st_mode)) fail(Errc::io, "{}: this is a folder, a file was expected", path);
  gzFile file = ::gzopen(path.c_str(), "rb");
  if (!file) fail(Errc::io, "{}: cannot read this file: {}", path, std::strerror(errno));
  ::gzbuffer(file, kChunk);
  return file;
}

/// The next bytes; 0 at the end. A stream that was cut off is an error, not an end.
std::size_t read_some(gzFile file, const std::string& path, char* to, unsigned bytes) {
  const int n = ::gzread(file, to, bytes);
  int code = Z_OK;
  const char* text = n < static_cast<int>(bytes) ? ::gzerror(file, &code) : nullptr;
  if (code == Z_ERRNO) fail(Errc::io, "{}: cannot read this file: {}", path, std::strerror(errno));
  if (n < 0 || code == Z_BUF_ERROR || code == Z_DATA_ERROR)
    fail(Errc::parse, "{}: the compressed data are damaged or cut off ({})", path,
         text && *text ? text : "zlib");
  return static_cast<std::size_t>(n);
}

}  // namespace

std::string read_file(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(open_or_fail(path), ::gzclose);
  std::string text;
  for (std::size_t size = 0;;) {
    text.resize(size + std::max<std::size_t>(kChunk, size / 2));
    const std::size_t n =
        read_some(file.get(), path, text.data() + size,
                  static_cast<unsigned>(std::min<std::size_t>(text.size() - size, 1u << 30)));
    size += n;
    if (n == 0) {
      text.resize(size);
      return text;
    }
  }
}

struct LineReader::Stream {
  gzFile file;
  std::array<char, kChunk> chunk;
  std::size_t at = 0, end = 0;
  ~Stream() { ::gzclose(file); }
};

LineReader::LineReader(const std::string& path)
    : path_(path), stream_(new Stream{open_or_fail(path), {}}) {}
LineReader::~LineReader() = default;

bool LineReader::next(std::string& line) {
  line.clear();
  Stream& s = *stream_;
  for (bool any = false;; any = true) {
    if (s.at == s.end) {
      s.end = read_some(s.file, path_, s.chunk.data(), kChunk);
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

MappedFile::MappedFile(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) {
    const int reason = errno;
    if (descriptor >= 0) ::close(descriptor);
    fail(Errc::io, "{}: cannot read this file: {}", path, std::strerror(reason));
  }
  size_ = static_cast<std::size_t>(status.st_size);
  void* address = size_ == 0 || S_ISDIR(status.st_mode)
                      ? MAP_FAILED
                      : ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0);
  ::close(descriptor);
  if (address == MAP_FAILED && size_ != 0) fail(Errc::io, "{}: cannot map this file", path);
  data_ = address == MAP_FAILED ? nullptr : static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace kronite::io
