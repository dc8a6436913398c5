// Templates as text that build_templates() reads back (crystal, id, licence, source and energies),
// and what was left out as a table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kronite/templates.hpp"  // for TemplateLibrary

namespace kronite {

/// A CIF of the conventional cell with its symmetry; what CIF has no item for stands in
/// _kronite_... items.
std::string template_cif(const TemplateLibrary& library, std::int64_t i);
/// A frame of extended XYZ: the primitive cell.
std::string template_extxyz(const TemplateLibrary& library, std::int64_t i);
/// One line in the shape of a Materials Project summary: the primitive cell.
std::string template_json(const TemplateLibrary& library, std::int64_t i);
/// The primitive cell; the first line says what it is. It carries nothing else.
std::string template_poscar(const TemplateLibrary& library, std::int64_t i);

/// A table with the columns where, id, formula, reason, why: CSV, and JSON Lines.
std::string left_out_csv(const std::vector<LeftOut>& all);
std::string left_out_json(const std::vector<LeftOut>& all);

}  // namespace kronite
