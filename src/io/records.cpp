// Refusals, and declared formulas against those of the sites.
#include "io/records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/log.hpp"        // for warning
#include "base/printable.hpp"  // for printable, message_line

namespace kronite::io {
namespace {

bool same_elements(const Composition& a, const Composition& b) {
  return std::equal(a.parts().begin(), a.parts().end(), b.parts().begin(), b.parts().end(),
                    [](const ElementAmount& x, const ElementAmount& y) { return x.z == y.z; });
}

/// Of compositions with the same elements; declared amounts may be rounded.
bool same_ratios(const Composition& a, const Composition& b) {
  constexpr double kRounding = 1e-2;  // of the amount: "Na0.33" stands for a third
  const double scale = b.total() / a.total();
  return std::equal(a.parts().begin(), a.parts().end(), b.parts().begin(),
                    [&](const ElementAmount& x, const ElementAmount& y) {
                      return std::abs(x.amount * scale - y.amount) <= kRounding * y.amount;
                    });
}

}  // namespace

Declared compare_to_declared(const StructureRecord& record, const Composition& found) {
  if (record.declared_formula.empty()) return Declared::nothing;
  Composition declared;
  try {
    declared = Composition::parse(record.declared_formula);
  } catch (const Error&) {
    return Declared::nothing;
  }
  if (!same_elements(declared, found)) return Declared::other_elements;
  return same_ratios(declared, found) ? Declared::the_same : Declared::other_amounts;
}

void Records::refuse(const std::string& where, const std::string& why) {
  ++found_;
  if (!skip_) throw Error(Errc::parse, message_line(where + ": " + why));
  sink_failed_ = true;
  skip_(message_line(where), message_line(why));
  sink_failed_ = false;
}

/// Sites of disordered records carry one element each and say nothing of the formula.
void Records::compare_formulas(const StructureRecord& record) {
  if (record.disordered) return;
  const Composition found = record.structure.composition();
  const Declared declared = compare_to_declared(record, found);
  if (declared == Declared::nothing || declared == Declared::the_same) return;
  if (++other_formulas_ == 1)
    first_other_formula_ = fmt::format("{} says {}, its sites are {}", record.where,
                                       printable(record.declared_formula), found.reduced_formula());
}

void Records::warn_of_formulas() const {
  if (other_formulas_ == 1) warning(first_other_formula_);
  if (other_formulas_ > 1)
    warning(fmt::format("{} of {} records declare a formula that their sites do not have; {}",
                        other_formulas_, found_, first_other_formula_));
}

}  // namespace kronite::io
