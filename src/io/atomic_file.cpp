// Temporary name, every write checked, fsync, rename.
#include "io/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/fail.hpp"  // for fail

namespace kronite::io {
namespace {
constexpr std::size_t kBufferBytes = 1 << 20;
}

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  if (path_.empty()) fail(Errc::io, "cannot write a file without a name");
  // Renaming would put a file in the place of a device, and could not of a folder.
  struct stat status {};
  if (::stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    fail(Errc::io, "{}: cannot write this file: it is {}", path_,
         S_ISDIR(status.st_mode) ? "a folder" : "no regular file");
  temporary_ = fmt::format("{}.{}.tmp", path_, ::getpid());
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) refuse("create");
  buffer_.reserve(kBufferBytes);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  const char* from = static_cast<const char*>(data);
  written_ += bytes;
  while (bytes > 0) {
    const std::size_t part = std::min(bytes, kBufferBytes - buffer_.size());
    buffer_.insert(buffer_.end(), from, from + part);
    from += part;
    bytes -= part;
    if (buffer_.size() == kBufferBytes) flush();
  }
}

void AtomicFile::overwrite(std::size_t at, std::string_view text) {
  flush();
  while (!text.empty()) {
    const ssize_t n = ::pwrite(descriptor_, text.data(), text.size(), static_cast<::off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) refuse("write");
    at += static_cast<std::size_t>(n);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void AtomicFile::flush() {
  std::size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t n = ::write(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) refuse("write");
    done += static_cast<std::size_t>(n);
  }
  buffer_.clear();
}

void AtomicFile::commit() {
  flush();
  if (::fsync(descriptor_) != 0 && errno != EINVAL) refuse("write");
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary_.c_str());
    errno = reason;
    refuse("write");
  }
}

void AtomicFile::refuse(const char* action) const {
  fail(Errc::io, "{}: cannot {} this file: {}", path_, action, std::strerror(errno));
}

void require_writable(const std::string& path) { const AtomicFile probe(path); }

void write_file(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace kronite::io
