// mmap, read-only.
#include "io/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/fail.hpp"  // for fail

namespace kronite::io {

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
