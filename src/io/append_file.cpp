// Append, sync, and go back to the last whole line when either fails.
#include "io/append_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/fail.hpp"  // for fail

namespace kronite::io {

AppendFile::AppendFile(std::string path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) refuse("write", errno);
  // A file system without locks is no reason not to run.
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(descriptor_);
    fail(Errc::unavailable, "{}: another run is writing this file", path_);
  }
  try {
    drop_half_line();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

AppendFile::~AppendFile() { ::close(descriptor_); }

void AppendFile::drop_half_line() {
  const off_t end = ::lseek(descriptor_, 0, SEEK_END);
  if (end < 0) refuse("read", errno);
  std::array<char, 4096> chunk;
  for (size_ = end; size_ > 0;) {
    const auto n = std::min<std::int64_t>(size_, chunk.size());
    if (::pread(descriptor_, chunk.data(), static_cast<std::size_t>(n), size_ - n) != n)
      refuse("read", errno);
    const std::string_view text(chunk.data(), static_cast<std::size_t>(n));
    if (const auto last = text.rfind('\n'); last != std::string_view::npos) {
      size_ += static_cast<std::int64_t>(last) + 1 - n;
      break;
    }
    size_ -= n;
  }
  if (size_ < end) truncate(size_);
}

void AppendFile::append(std::string_view lines) {
  int reason = 0;
  for (std::size_t done = 0; done < lines.size() && reason == 0;) {
    const ssize_t n = ::pwrite(descriptor_, lines.data() + done, lines.size() - done,
                               size_ + static_cast<std::int64_t>(done));
    if (n >= 0)
      done += static_cast<std::size_t>(n);
    else if (errno != EINTR)
      reason = errno;
  }
  if (reason == 0 && ::fdatasync(descriptor_) != 0 && errno != EINVAL) reason = errno;
  if (reason != 0) {
    // If even this fails, the next opening drops the half-written line.
    [[maybe_unused]] const int ignored = ::ftruncate(descriptor_, size_);
    refuse("write", reason);
  }
  size_ += static_cast<std::int64_t>(lines.size());
}

void AppendFile::truncate(std::int64_t bytes) {
  if (::ftruncate(descriptor_, bytes) != 0) refuse("write", errno);
  size_ = bytes;
}

void AppendFile::refuse(const char* action, int reason) const {
  fail(Errc::io, "{}: cannot {} this file: {}", path_, action, std::strerror(reason));
}

}  // namespace kronite::io
