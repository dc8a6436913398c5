// Refusals, and declared formulas against those of the sites.
#include "io/records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/log.hpp"        // for warning
#include "base/printable.hpp"  // for printable

namespace kronite::io {
namespace {

/// Whether two compositions have the same ratios; declared amounts may be rounded.
bool same_ratios(const Composition& a, const Composition& b) {
  constexpr double kRounding = 1e-2;  // of the amount: "Na0.33" stands for a third
  if (a.parts().size() != b.parts().size()) return false;
  const double scale = b.total() / a.total();
  return std::equal(a.parts().begin(), a.parts().end(), b.parts().begin(),
                    [&](const ElementAmount& x, const ElementAmount& y) {
                      return x.z == y.z &&
                             std::abs(x.amount * scale - y.amount) <= kRounding * y.amount;
                    });
}

}  // namespace

void Records::refuse(const std::string& where, const std::string& why) {
  ++found_;
  if (!skip_) throw Error(Errc::parse, where + ": " + why);
  skip_(where, why);
}

/// Sites of disordered records carry one element each and say nothing of the formula. Nor do texts
/// that are no formula.
void Records::compare_formulas(const StructureRecord& record) {
  if (record.disordered || record.declared_formula.empty()) return;
  try {
    const Composition declared = Composition::parse(record.declared_formula);
    const Composition found = record.structure.composition();
    if (same_ratios(declared, found)) return;
    if (++other_formulas_ == 1)
      first_other_formula_ =
          fmt::format("{} says {}, its sites are {}", record.where,
                      printable(record.declared_formula), found.reduced_formula());
  } catch (const Error&) {
  }
}

void Records::warn_of_formulas() const {
  if (other_formulas_ == 1) warning(first_other_formula_);
  if (other_formulas_ > 1)
    warning(fmt::format("{} of {} records declare a formula that their sites do not have; {}",
                        other_formulas_, found_, first_other_formula_));
}

}  // namespace kronite::io
