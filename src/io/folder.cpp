// Making folders and looking into them.
#include "io/folder.hpp"

#include <algorithm>
#include <filesystem>

#include "base/fail.hpp"  // for fail

namespace kronite::io {

namespace fs = std::filesystem;

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail(Errc::io, "{}: cannot make this folder: {}", path, error.message());
}

bool holds_files(const std::string& path) {
  std::error_code error;
  const fs::directory_iterator entries(path, error);
  if (error) fail(Errc::io, "{}: cannot read this folder: {}", path, error.message());
  return std::any_of(begin(entries), end(entries),
                     [](const fs::directory_entry& e) { return e.path().extension() != ".tmp"; });
}

}  // namespace kronite::io
