// Files as memory.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace kronite::io {

/// A file mapped read-only into memory for as long as this lives.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace kronite::io
