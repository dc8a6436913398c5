// The coordination numbers of crystals side by side, as an SVG picture that needs nothing else.
#pragma once

#include <string>
#include <vector>

#include "kronite/fingerprint.hpp"  // for Fingerprint

namespace kronite {

struct NamedFingerprint {
  std::string name;
  Fingerprint values{};
};

/// A group of bars per coordination number, one bar per crystal: the share of its sites. Lines and
/// letters take the surrounding text colour, so the picture suits light and dark pages. Four
/// crystals at most have colours of their own.
std::string draw_coordination(const std::vector<NamedFingerprint>& crystals);

}  // namespace kronite
