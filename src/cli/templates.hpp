// What the commands of `kronite templates` share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kronite/templates.hpp"  // for TemplateLibrary, LeftOut

namespace CLI {
class App;
}

namespace kronite::cli {

// Each adds its commands to `kronite templates`.
void add_templates_build(CLI::App& templates);   // templates_build.cpp: build, merge
void add_templates_read(CLI::App& templates);    // templates_read.cpp: info, list
void add_templates_export(CLI::App& templates);  // templates_export.cpp: show, export
void add_templates_sample(CLI::App& templates);  // templates_sample.cpp: sample

/// The demo set for an empty path.
TemplateLibrary open_library(const std::string& path);

/// Adds the argument for open_library().
void add_library_argument(CLI::App& command, std::string& path);

/// Which templates of a library are meant; all where nothing is given.
struct TemplateFilter {
  std::string ratio, formula;
  std::vector<std::string> elements;
  int space_group = 0;

  void add_options(CLI::App& command);
  /// Their numbers, ascending. @throws Error parse, invalid_argument for a wrong formula or
  /// element.
  std::vector<std::int64_t> matches(const TemplateLibrary& library) const;
};

}  // namespace kronite::cli
