// Parts of kronite that are opened when they are asked for, because of the libraries that they
// need.
#pragma once

#include <string>

namespace kronite {

struct OpenedModule {
  void* entry = nullptr;  ///< the function of that name
  std::string path;       ///< empty: there is no such file
  std::string why;        ///< what the loader says when the file cannot be opened
};

/// Opens the shared object `file` beside this library (or, linked into a program, in ../lib), or
/// the one that the environment variable names, and finds its function `entry`. It stays open.
OpenedModule open_module(const std::string& file, const char* variable, const char* entry);

}  // namespace kronite
