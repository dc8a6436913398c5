// A few components with features, for tests of files.
#pragma once

#include "kronite/kmd.hpp"  // for Components

namespace kronite::kmd::test {

/// Five components, two features.
inline Components five_components() {
  return {{"A", "B", "C", "D", "E"}, {"size", "charge"}, {1, 0.3, 2, -1, 3.5, 0.1, 4, 0.9, 7, 0.5}};
}

}  // namespace kronite::kmd::test
