// Pointing into a formula.
#include "materials/formula_error.hpp"

#include <fmt/format.h>  // for format

#include <algorithm>

#include "base/printable.hpp"  // for printable
#include "kronite/error.hpp"   // for Error

namespace kronite {
namespace {

// Characters of a long formula that are shown; those before the caret are at most as many bytes.
constexpr std::size_t kBeforeCaret = 40;
constexpr std::size_t kBehindCaret = 24;

}  // namespace

void refuse_formula(std::string_view formula, std::size_t at, const std::string& reason) {
  if (formula.empty()) throw Error(Errc::parse, "cannot read a formula: " + reason);
  std::size_t from = at > kBeforeCaret ? at - kBeforeCaret : 0;
  while (from < at && continues_character(formula[from])) ++from;
  const std::string before = (from > 0 ? "..." : "") + printable(formula.substr(from, at - from));
  const auto column =
      std::count_if(before.begin(), before.end(), [](char c) { return !continues_character(c); });
  // Not through fail(), which makes one line: the caret needs three.
  throw Error(
      Errc::parse,
      fmt::format("cannot read the formula \"{}\": {}\n  {}{}\n  {:>{}}", printable(formula),
                  reason, before, printable(formula.substr(at), kBehindCaret), '^', column + 1));
}

}  // namespace kronite
