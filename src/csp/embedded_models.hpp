// The files of rankers inside the library: data/models, listed in this folder's CMakeLists.txt.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace kronite::embedded {

struct ModelFile {
  std::string_view name;
  std::span<const std::byte> bytes;
};

/// Classifiers and learned metrics, in the order of their lists. Defined in a source that CMake
/// makes of embedded_models.cpp.in.
std::vector<ModelFile> models();
std::vector<ModelFile> metrics();

}  // namespace kronite::embedded
