// From files of structures to a template library: read, reduce, choose, write.
#include <algorithm>
#include <cmath>
#include <deque>
#include <exception>
#include <limits>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/fail.hpp"                   // for fail
#include "materials/element_table.hpp"     // for require_elements
#include "materials/symmetry.hpp"          // for check_symprec
#include "materials/template_library.hpp"  // for pack_templates

namespace kronite {
namespace {

/// A record on its way: reduced by whichever thread is free, kept in the order of reading.
/// Afterwards it has a result, or a refusal, or neither: then its formula is excluded.
struct Slot {
  std::string name;
  StructureRecord record;
  std::optional<Template> result;
  std::string refusal;
};

using Formulas = std::unordered_set<std::string>;

/// Where atoms sit right at the tolerance, spglib may name a symmetry that its own standard cell
/// does not have; a tighter tolerance then gives a consistent, less symmetric cell.
StandardCell standard_cell(const Structure& structure, double symprec) {
  for (const double tighter : {symprec, symprec / 10}) try {
      return standardise(structure, tighter);
    } catch (const Error& error) {
      if (error.code() != Errc::numerical) throw;
    }
  return standardise(structure, symprec / 100);
}

std::optional<Template> reduce(StructureRecord&& record, const Formulas& excluded, double symprec) {
  check_structure(record.structure);
  Template t;
  t.composition = record.structure.composition().reduced();
  t.formula = t.composition.reduced_formula();
  if (excluded.count(t.formula) != 0) return std::nullopt;
  require_elements(t.composition, ElementTable::embedded());
  t.ratio = t.composition.ratio_label();
  StandardCell crystal = standard_cell(record.structure, symprec);
  t.structure = std::move(crystal.primitive);
  t.space_group = crystal.symmetry.space_group;
  t.id = record.id.empty() ? t.formula : std::move(record.id);
  t.license = std::move(record.license);
  t.source = std::move(record.source);
  t.e_above_hull = record.e_above_hull;
  t.formation_energy = record.formation_energy;
  return t;
}

void process(Slot& slot, const Formulas& excluded, double symprec) noexcept {
  try {
    slot.result = reduce(std::move(slot.record), excluded, symprec);
  } catch (const std::exception& e) {
    slot.refusal = e.what();
  }
  slot.record = {};
}

/// Lowest energy first; without energies the smallest cell; then by id, so that the choice does
/// not depend on the order of the files.
bool preferred(const Template& a, const Template& b) {
  const auto known_first = [](double energy) {
    return std::isnan(energy) ? std::numeric_limits<double>::infinity() : energy;
  };
  const auto key = [&](const Template& t) {
    return std::tuple(known_first(t.e_above_hull), known_first(t.formation_energy),
                      t.structure.size(), std::string_view(t.id));
  };
  return key(a) < key(b);
}

std::vector<Template> best_of_each_formula(std::vector<Template> all, std::int64_t& dropped) {
  std::unordered_map<std::string, std::size_t> best;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto [at, first] = best.try_emplace(all[i].formula, i);
    if (!first && preferred(all[i], all[at->second])) at->second = i;
  }
  std::vector<Template> chosen;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (best.at(all[i].formula) == i) chosen.push_back(std::move(all[i]));
  dropped = static_cast<std::int64_t>(all.size() - chosen.size());
  return chosen;
}

Formulas reduced_formulas(const std::vector<std::string>& formulas) {
  Formulas reduced;
  for (const std::string& formula : formulas)
    reduced.insert(Composition::parse(formula).reduced_formula());
  return reduced;
}

/// Reads all sources on one thread and reduces on all of them.
class Reader {
 public:
  Reader(const BuildOptions& options, const SkipSink& skip, BuildReport& report)
      : options_(options),
        skip_(skip),
        report_(report),
        excluded_(reduced_formulas(options.exclude_formulas)) {}

  std::vector<Template> read(const std::vector<std::string>& sources) {
    std::exception_ptr failure;
#pragma omp parallel
#pragma omp single
    try {
      for (const std::string& source : sources) {
        if (cancelled_) break;
        read_structures(
            source, [this](StructureRecord&& record) { return take(std::move(record)); },
            [this](const std::string& where, const std::string& why) {
              ++report_.read;
              refuse(where, why);
            });
      }
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) std::rethrow_exception(failure);
    if (cancelled_) fail(Errc::cancelled, "stopped; no library was written");
    return collect();
  }

 private:
  void refuse(const std::string& where, const std::string& why) {
    ++report_.skipped;
    if (skip_) skip_(where, why);
  }

  bool take(StructureRecord&& record) {
    ++report_.read;
    if (options_.progress && !options_.progress(report_.read, 0)) cancelled_ = true;
    if (cancelled_) return false;
    std::string name = record.id.empty() ? record.declared_formula : record.id;
    if (name.empty()) name = record.structure.composition().reduced_formula();
    if (record.disordered) {
      ++report_.disordered;
      if (skip_) skip_(name, "disordered: partial or shared sites cannot be a template");
      return true;
    }
    Slot* slot = &slots_.emplace_back();
    slot->name = std::move(name);
    slot->record = std::move(record);
    const Formulas* excluded = &excluded_;
    const double symprec = options_.symprec;
#pragma omp task firstprivate(slot, excluded, symprec)
    process(*slot, *excluded, symprec);
    return true;
  }

  std::vector<Template> collect() {
    std::vector<Template> templates;
    for (Slot& slot : slots_) {
      if (slot.result)
        templates.push_back(std::move(*slot.result));
      else if (slot.refusal.empty())
        ++report_.excluded;
      else
        refuse(slot.name, slot.refusal);
    }
    slots_.clear();
    return templates;
  }

  const BuildOptions& options_;
  const SkipSink& skip_;
  BuildReport& report_;
  const Formulas excluded_;
  std::deque<Slot> slots_;  // elements stay where they are while tasks work on them
  bool cancelled_ = false;
};

}  // namespace

BuildReport build_templates(const std::vector<std::string>& sources, const std::string& out,
                            const BuildOptions& options, const SkipSink& skip) {
  check_symprec(options.symprec);
  BuildReport report;
  std::vector<Template> templates = Reader(options, skip, report).read(sources);
  if (!options.keep_polymorphs)
    templates = best_of_each_formula(std::move(templates), report.polymorphs);
  if (templates.empty())
    fail(Errc::invalid_argument,
         "{}: none of the {} structures read can be a template, so no "
         "library was written",
         out, report.read);
  report.kept = static_cast<std::int64_t>(templates.size());
  pack_templates(std::move(templates)).write(out);
  return report;
}

}  // namespace kronite
