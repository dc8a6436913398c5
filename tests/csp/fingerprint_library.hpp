// Template libraries whose fingerprints are set by the test: points in a plane.
#pragma once

#include <string>
#include <vector>

#include "kronite/fingerprint.hpp"         // for kFingerprintSize
#include "materials/template_library.hpp"  // for Template, pack_templates
#include "support/temporary_folder.hpp"    // for TemporaryFolder

namespace kronite::test {

/// A crystal of that formula whose fingerprint is (x, y, 0, 0, ...).
inline Template point(const std::string& formula, const std::string& id, float x, float y = 0) {
  Template t;
  t.composition = Composition::parse(formula).reduced();
  t.formula = t.composition.reduced_formula();
  t.ratio = t.composition.ratio_label();
  t.id = id;
  t.license = "CC0";
  t.source = "made for a test";
  t.space_group = 1;
  t.structure.lattice = {{{4, 0, 0}, {0, 4, 0}, {0, 0, 4}}};
  for (const auto& [z, amount] : t.composition.parts())
    for (int k = 0; k < static_cast<int>(amount); ++k) {
      const double at = 0.1 * static_cast<double>(t.structure.z.size());
      t.structure.z.push_back(static_cast<std::uint8_t>(z));
      t.structure.fractional.push_back({at, at, at});
    }
  t.fingerprint.assign(kFingerprintSize, 0);
  t.fingerprint[0] = x;
  t.fingerprint[1] = y;
  return t;
}

/// The mapping of a library outlives its file.
inline TemplateLibrary library_of(const io::ArrayFileWriter& writer) {
  const TemporaryFolder folder;
  writer.write(folder.path("library.ktl"));
  return TemplateLibrary::open(folder.path("library.ktl"));
}
inline TemplateLibrary library_of(std::vector<Template> templates) {
  return library_of(pack_templates(std::move(templates)));
}

/// `cations` x `anions` formulas of one ratio, "NaCl" where `anion_amount` is empty, "NaCl2" where
/// it is "2", at points of a lattice of `spacing` so that several share one.
inline void add_grid(std::vector<Template>& templates, const std::string& anion_amount, int cations,
                     float spacing) {
  const std::vector<std::string> metals{"Li", "Na", "K",  "Rb", "Cs", "Mg", "Ca", "Sr",
                                        "Ba", "Sc", "Y",  "La", "Ti", "Zr", "Hf", "V",
                                        "Nb", "Ta", "Cr", "Mo", "W",  "Mn", "Fe", "Co"};
  for (int c = 0; c < cations; ++c)
    for (const std::string anion : {"F", "Cl", "Br", "I", "O", "S", "Se"}) {
      const std::string formula = metals[static_cast<std::size_t>(c)] + anion + anion_amount;
      const auto k = static_cast<int>(templates.size());
      templates.push_back(point(formula, formula, spacing * static_cast<float>(k * 7 % 11),
                                spacing * static_cast<float>(k * 5 % 6)));
    }
}

}  // namespace kronite::test
