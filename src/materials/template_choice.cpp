// Lowest energy first, where energies can be compared.
#include "materials/template_choice.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "base/fail.hpp"       // for fmt::format
#include "io/material_id.hpp"  // for canonical_id

namespace kronite {
namespace {

using Group = std::vector<std::size_t>;  // numbers of templates of one formula

/// Unknown energies come last.
double known_first(double energy) {
  return std::isnan(energy) ? std::numeric_limits<double>::infinity() : energy;
}

/// The energy by which a formula's templates are compared: one kind for all of them, because a
/// distance from the hull and a formation energy say nothing about each other. A formation energy
/// decides only where that lets every template with an energy take part.
double TemplateKey::*energy_to_compare(const std::vector<TemplateKey>& keys, const Group& group) {
  bool hull_serves = true, formation_serves = true;
  for (const std::size_t i : group) {
    const bool hull = !std::isnan(keys[i].e_above_hull);
    const bool formation = !std::isnan(keys[i].formation_energy);
    if (hull || formation) {
      hull_serves &= hull;
      formation_serves &= formation;
    }
  }
  return !hull_serves && formation_serves ? &TemplateKey::formation_energy
                                          : &TemplateKey::e_above_hull;
}

void sort_best_first(const std::vector<TemplateKey>& keys, Group& group) {
  const auto energy = energy_to_compare(keys, group);
  const auto rank = [&](std::size_t i) {
    const TemplateKey& key = keys[i];
    return std::tuple(known_first(key.*energy), key.sites, std::string_view(key.id), i);
  };
  std::sort(group.begin(), group.end(),
            [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
}

/// One record that came twice, in two downloads for example, given that the ids name one entry. Ids
/// alone do not tell: that of a CIF may be "data_global".
bool is_duplicate(const TemplateKey& a, const TemplateKey& b) {
  constexpr double kSameVolume = 1e-4;
  const bool has_id = a.id != a.formula;  // a record without an id goes by its formula
  return has_id && a.space_group == b.space_group && a.sites == b.sites &&
         std::abs(a.volume - b.volume) <= kSameVolume * a.volume;
}

}  // namespace

TemplateKey key_of(const Template& t) {
  return {t.id,
          t.formula,
          t.ratio,
          t.where,
          t.space_group,
          static_cast<std::int64_t>(t.structure.size()),
          volume(t.structure.lattice),
          t.e_above_hull,
          t.formation_energy};
}

std::vector<Verdict> choose_templates(const std::vector<TemplateKey>& keys, bool keep_polymorphs) {
  std::unordered_map<std::string_view, Group> by_formula;
  for (std::size_t i = 0; i < keys.size(); ++i) by_formula[keys[i].formula].push_back(i);

  std::vector<Verdict> verdicts(keys.size());
  for (auto& [formula, group] : by_formula) {
    sort_best_first(keys, group);
    std::unordered_map<std::string, Group> by_id;
    for (const std::size_t i : group) {
      Group& alike = by_id[io::canonical_id(keys[i].id)];
      const auto first = std::find_if(alike.begin(), alike.end(), [&](std::size_t j) {
        return is_duplicate(keys[i], keys[j]);
      });
      if (first != alike.end())
        verdicts[i] = {Verdict::Kind::duplicate, *first};
      else if (!keep_polymorphs && i != group.front())
        verdicts[i] = {Verdict::Kind::polymorph, group.front()};
      if (first == alike.end()) alike.push_back(i);
    }
  }
  return verdicts;
}

std::vector<std::size_t> library_order(const std::vector<TemplateKey>& keys,
                                       const std::vector<Verdict>& verdicts) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (verdicts[i].kind == Verdict::Kind::kept) order.push_back(i);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(keys[a].ratio, keys[a].id, a) < std::tie(keys[b].ratio, keys[b].id, b);
  });
  return order;
}

LeftOut left_out_for(const std::vector<TemplateKey>& keys, const std::vector<Verdict>& verdicts,
                     std::size_t i) {
  const TemplateKey &left = keys[i], &kept = keys[verdicts[i].instead];
  if (verdicts[i].kind == Verdict::Kind::duplicate)
    return {
        left.where, left.id, left.formula, LeftOutReason::duplicate,
        fmt::format("the same crystal as in {}: id, formula, space group, sites and volume agree",
                    kept.where)};
  return {left.where, left.id, left.formula, LeftOutReason::polymorph,
          fmt::format("{} is kept for this formula", kept.id)};
}

}  // namespace kronite
