// Folders that runs write into.
#pragma once

#include <string>

namespace kronite::io {

/// Makes the folder and those above it, where they are not there. @throws Error io.
void make_folder(const std::string& path);

/// Whether there is anything in the folder but temporary files, which are all that a run killed in
/// its first moments leaves. @throws Error io.
bool holds_files(const std::string& path);

}  // namespace kronite::io
