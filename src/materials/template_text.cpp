// CIF, extended XYZ, JSON and POSCAR, each with as much of a template as it can carry.
#include "materials/template_text.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/fail.hpp"         // for fmt::format
#include "io/csv.hpp"            // for append_csv_cell
#include "io/escape.hpp"         // for one_line
#include "io/pymatgen_json.hpp"  // for to_pymatgen

namespace kronite {
namespace {

using Json = nlohmann::ordered_json;

/// Every text and number of a template beside the crystal; NaN where an energy is unknown.
template <class Text, class Number>
void visit_metadata(const TemplateInfo& info, Text&& text, Number&& number) {
  text("material_id", info.id);
  text("license", info.license);
  text("source", info.source);
  number("energy_above_hull", info.e_above_hull);
  number("formation_energy_per_atom", info.formation_energy);
}

/// As CIF quotes a value of one line.
std::string cif_value(std::string_view value) {
  const std::string text = io::one_line(value);
  if (text.find('\'') == std::string::npos) return "'" + text + "'";
  if (text.find('"') == std::string::npos) return "\"" + text + "\"";
  return "\n;" + text + "\n;";
}

/// In quotes that the text does not hold; readers of extended XYZ know three kinds.
std::string xyz_value(std::string_view value) {
  std::string text = io::one_line(value);
  if (text.find('"') == std::string::npos) return "\"" + text + "\"";
  if (text.find('\'') == std::string::npos) return "'" + text + "'";
  for (char& c : text)
    if (c == '"') c = '\'';
  return "\"" + text + "\"";
}

}  // namespace

std::string template_cif(const TemplateLibrary& library, std::int64_t i) {
  const TemplateInfo info = library.info(i);
  std::string text =
      to_cif(from_primitive(library.structure(i), info.space_group), std::string(info.id));
  const auto add = [&](const char* name, const std::string& value) {
    text += fmt::format("{:<32} {}\n", fmt::format("_kronite_{}", name), value);
  };
  visit_metadata(
      info,
      [&](const char* name, std::string_view value) {
        if (!value.empty()) add(name, cif_value(value));
      },
      [&](const char* name, double value) {
        if (!std::isnan(value)) add(name, fmt::format("{}", value));
      });
  return text;
}

std::string template_extxyz(const TemplateLibrary& library, std::int64_t i) {
  std::string metadata;
  const auto add = [&](const char* name, const std::string& value) {
    metadata += fmt::format("{}{}={}", metadata.empty() ? "" : " ", name, value);
  };
  visit_metadata(
      library.info(i),
      [&](const char* name, std::string_view value) { add(name, xyz_value(value)); },
      [&](const char* name, double value) {
        if (!std::isnan(value)) add(name, fmt::format("{}", value));
      });
  return to_extxyz(library.structure(i), metadata);
}

std::string template_json(const TemplateLibrary& library, std::int64_t i) {
  const TemplateInfo info = library.info(i);
  const Structure structure = library.structure(i);
  Json line{{"formula_pretty", info.formula}, {"nsites", structure.size()}};
  visit_metadata(
      info, [&](const char* name, std::string_view value) { line[name] = value; },
      [&](const char* name, double value) {
        line[name] = std::isnan(value) ? Json(nullptr) : Json(value);
      });
  line["symmetry"] = {{"number", info.space_group}};
  line["structure"] = io::to_pymatgen(structure);
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string template_poscar(const TemplateLibrary& library, std::int64_t i) {
  const TemplateInfo info = library.info(i);
  return to_poscar(library.structure(i),
                   fmt::format("{} {}, space group {}", info.formula, info.id, info.space_group));
}

std::string left_out_csv(const std::vector<LeftOut>& all) {
  std::string text = "where,id,formula,reason,why\n";
  for (const LeftOut& left : all) {
    for (const std::string_view cell : {std::string_view(left.where), std::string_view(left.id),
                                        std::string_view(left.formula), name_of(left.reason)}) {
      io::append_csv_cell(text, cell);
      text += ',';
    }
    io::append_csv_cell(text, left.why);
    text += '\n';
  }
  return text;
}

std::string left_out_json(const std::vector<LeftOut>& all) {
  std::string text;
  for (const LeftOut& left : all) {
    const Json line{{"where", left.where},
                    {"id", left.id},
                    {"formula", left.formula},
                    {"reason", name_of(left.reason)},
                    {"why", left.why}};
    text += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return text;
}

}  // namespace kronite
