// A formula from a C caller; what the parser has to say goes to the log callback.
#pragma once

#include <string>
#include <vector>

#include "base/log.hpp"             // for notice
#include "capi/guard.hpp"           // for given
#include "kronite/composition.hpp"  // for Composition

namespace kronite::capi {

inline Composition parse_formula(const char* formula) {
  std::vector<std::string> notices;
  auto composition = Composition::parse(&given(formula, "formula"), &notices);
  for (const auto& text : notices) notice(text);
  return composition;
}

}  // namespace kronite::capi
