// What a template library is made of, for those who write one (the file itself: docs/formats.md).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "io/array_file.hpp"      // for ArrayFileWriter
#include "kronite/structure.hpp"  // for Structure
#include "kronite/templates.hpp"  // for TemplateLibrary

namespace kronite {

/// One crystal on its way into a library.
struct Template {
  Structure structure;      ///< primitive cell
  Composition composition;  ///< reduced
  std::string id, formula, ratio, license, source;
  int space_group = 0;
  double e_above_hull = 0;      ///< eV/atom or NaN
  double formation_energy = 0;  ///< eV/atom or NaN
};

/// Sorts by ratio label, then id, and lays out the arrays, statistics over the set included.
io::ArrayFileWriter pack_templates(std::vector<Template> templates);

/// A library in memory that outlives it; `name` stands for the path.
TemplateLibrary library_in_memory(std::span<const std::byte> bytes, const std::string& name);

}  // namespace kronite
