// Zip archives in memory, as .npz files are: stored or deflated members, no encryption.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kronite::io {

struct ZipMember {
  std::string name;
  std::string content;
};

/// All members in the order of the archive's directory; folders are left out. `path` names the
/// archive in messages. At most 4 GiB, and 1,000 times the size of the archive, are unpacked.
/// @throws Error parse when it is no archive, is damaged or uses what kronite does not read.
std::vector<ZipMember> unzip(std::string_view archive, const std::string& path);

}  // namespace kronite::io
