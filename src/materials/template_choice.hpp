// Which templates a library keeps, and in which order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "materials/template_library.hpp"  // for Template

namespace kronite {

/// What choosing and sorting need of a template, while the rest of it lies in a file.
struct TemplateKey {
  std::string id, formula, ratio;
  std::string where;
  int space_group = 0;
  std::int64_t sites = 0;
  double volume = 0;  ///< of the primitive cell, Å^3
  double e_above_hull = 0, formation_energy = 0;
};

TemplateKey key_of(const Template& t);

/// What becomes of a template.
struct Verdict {
  enum class Kind { kept, duplicate, polymorph };
  Kind kind = Kind::kept;
  std::size_t instead = 0;  ///< the template that is kept for it
};

/// The choice that build_templates() documents, in the order of `keys`. It does not depend on that
/// order as long as ids are unique.
std::vector<Verdict> choose_templates(const std::vector<TemplateKey>& keys, bool keep_polymorphs);

/// Numbers of the kept templates, sorted as a library wants them: by ratio, then id.
std::vector<std::size_t> library_order(const std::vector<TemplateKey>& keys,
                                       const std::vector<Verdict>& verdicts);

/// For a report: why template i is not in the library; its verdict must not be kept.
LeftOut left_out_for(const std::vector<TemplateKey>& keys, const std::vector<Verdict>& verdicts,
                     std::size_t i);

}  // namespace kronite
