// Reading with the system's calls; members, padding and limits are the same for all compressions.
#include "io/byte_stream.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/fail.hpp"  // for fail

namespace kronite::io {
namespace {

constexpr std::size_t kBuffer = 1 << 16;
thread_local std::int64_t g_last_read_position = 0;

[[noreturn]] void unreadable(const std::string& path) {
  fail(Errc::io, "{}: cannot read this file: {}", path, std::strerror(errno));
}

}  // namespace

std::int64_t last_read_position() { return g_last_read_position; }

ByteStream::ByteStream(const std::string& path)
    : path_(path), buffer_(std::make_unique_for_overwrite<char[]>(kBuffer)) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) unreadable(path);
  if (S_ISDIR(status.st_mode)) fail(Errc::io, "{}: this is a folder, a file was expected", path);
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) unreadable(path);
  try {
    need_magic_bytes();
    compression_ = compression_of({waiting().data(), waiting().size()});
    next_member();
  } catch (...) {
    ::close(file_);
    throw;
  }
}

ByteStream::~ByteStream() { ::close(file_); }

/// Reads more behind what waits; false at the end of the file.
bool ByteStream::fill() {
  std::memmove(buffer_.get(), buffer_.get() + at_, end_ - at_);
  end_ -= std::exchange(at_, 0);
  if (at_end_of_file_) return false;
  ssize_t n;
  do {
    n = ::read(file_, buffer_.get() + end_, kBuffer - end_);
  } while (n < 0 && errno == EINTR);
  if (n < 0) unreadable(path_);
  at_end_of_file_ = n == 0;
  end_ += static_cast<std::size_t>(n);
  file_bytes_ += n;
  g_last_read_position = file_bytes_;
  return n > 0;
}

void ByteStream::need_magic_bytes() {
  while (end_ - at_ < kMagicBytes && fill()) {
  }
}

/// Begins the member that comes next; false when there is none. Zeros behind a member are padding.
bool ByteStream::next_member() {
  if (compression_ == Compression::none) return false;
  for (;;) {
    while (at_ < end_ && buffer_[at_] == '\0') ++at_;
    if (at_ < end_ || !fill()) break;
  }
  if (at_ == end_) return false;
  need_magic_bytes();
  if (compression_of({waiting().data(), waiting().size()}) != compression_)
    fail(Errc::parse, "{}: other bytes follow the compressed data", path_);
  try {
    decoder_ = make_decoder(compression_);
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", path_, error.what());
  }
  return true;
}

std::size_t ByteStream::read(char* to, std::size_t bytes) {
  return compression_ == Compression::none ? copy(to, bytes) : decode(to, bytes);
}

std::size_t ByteStream::copy(char* to, std::size_t bytes) {
  if (at_ == end_ && !fill()) return 0;
  const std::size_t n = std::min(bytes, end_ - at_);
  std::memcpy(to, buffer_.get() + at_, n);
  at_ += n;
  return n;
}

std::size_t ByteStream::decode(char* to, std::size_t bytes) {
  while (decoder_ || next_member()) {
    Decoder::Step step;
    try {
      step = decoder_->step(waiting(), {to, bytes});
    } catch (const Error& error) {
      if (error.code() != Errc::parse) fail(error.code(), "{}: {}", path_, error.what());
      fail(Errc::parse, "{}: the compressed data are damaged or cut off ({})", path_, error.what());
    }
    at_ += step.taken;
    taken_ += step.taken;
    given_ += step.given;
    check_expansion();
    if (step.ended) decoder_.reset();
    if (step.given > 0) return step.given;
    if (!step.ended && step.taken == 0 && !fill())
      fail(Errc::parse, "{}: the compressed data are damaged or cut off (the file ends too early)",
           path_);
  }
  return 0;
}

void ByteStream::check_expansion() const {
  constexpr std::uint64_t kHarmless = 1 << 26;  // bytes
  constexpr std::uint64_t kMostExpansion =
      500;  // databases of structures shrink to a 3rd to a 40th
  if (given_ > kHarmless && given_ > kMostExpansion * taken_)
    fail(Errc::parse,
         "{}: it expands to more than {} times its size, as no file of structures does; if it is "
         "what you want to read, unpack it first",
         path_, kMostExpansion);
}

}  // namespace kronite::io
