// What a template library is made of, for those who write one (the file itself: docs/formats.md).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "io/array_file.hpp"      // for ArrayFileWriter, ArrayFormat
#include "kronite/structure.hpp"  // for Structure
#include "kronite/templates.hpp"  // for TemplateLibrary

namespace kronite {

// As PNG's: the first byte and the line ends show a transfer that took the file for text.
inline constexpr io::ArrayFormat kLibraryFormat{
    {'\x89', 'K', 'T', 'L', '\r', '\n', '\x1a', '\n'}, 1, "template library"};

/// One crystal on its way into a library.
struct Template {
  Structure structure;      ///< primitive cell
  Composition composition;  ///< reduced
  std::string id, formula, ratio, license, source;
  std::string where;  ///< it was read; not stored
  int space_group = 0;
  double e_above_hull = 0;         ///< eV/atom or NaN
  double formation_energy = 0;     ///< eV/atom or NaN
  std::vector<float> fingerprint;  ///< 244 values, or none
};

/// Fingerprint of a template's cell in the precision of the library.
/// @throws Error as fingerprint() of kronite/fingerprint.hpp.
std::vector<float> library_fingerprint(const StandardCell& crystal);

/// Lays out the arrays of a library.
class TemplatePacker {
 public:
  TemplatePacker();
  TemplatePacker(const TemplatePacker&) = delete;
  TemplatePacker& operator=(const TemplatePacker&) = delete;
  ~TemplatePacker();

  /// One after the other, sorted by ratio, then id.
  void add(const Template& t);
  /// With the statistics over all of them; fingerprints are stored when every template has one.
  /// Leaves the packer empty.
  io::ArrayFileWriter finish();

 private:
  struct Columns;
  std::unique_ptr<Columns> columns_;
};

/// All at once, in any order.
io::ArrayFileWriter pack_templates(std::vector<Template> templates);

/// A library in memory that outlives it; `name` stands for the path.
TemplateLibrary library_in_memory(std::span<const std::byte> bytes, const std::string& name);

}  // namespace kronite
