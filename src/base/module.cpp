// dlopen and dladdr.
#include "base/module.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

namespace kronite {
namespace {

std::filesystem::path find_module(const std::string& file, const char* variable) {
  std::vector<std::filesystem::path> places;
  if (const char* given = std::getenv(variable); given && *given) {
    places = {given};
  } else {
    Dl_info info{};
    if (::dladdr(reinterpret_cast<const void*>(&find_module), &info) == 0 || !info.dli_fname)
      return {};
    const auto folder = std::filesystem::absolute(info.dli_fname).parent_path();
    places = {folder / file, folder / "../lib" / file};
  }
  std::error_code ignored;  // a place that cannot be looked at holds no module
  for (const auto& place : places)
    if (std::filesystem::exists(place, ignored)) return place;
  return {};
}

}  // namespace

OpenedModule open_module(const std::string& file, const char* variable, const char* entry) {
  OpenedModule opened;
  opened.path = find_module(file, variable).string();
  if (opened.path.empty()) return opened;
  if (void* handle = ::dlopen(opened.path.c_str(), RTLD_NOW | RTLD_LOCAL))
    opened.entry = ::dlsym(handle, entry);
  else
    opened.why = ::dlerror();
  return opened;
}

}  // namespace kronite
