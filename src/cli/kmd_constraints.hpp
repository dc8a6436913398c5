// What a design may choose from, as the command line says it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kronite/kmd_design.hpp"  // for Constraints, Components

namespace CLI {
class App;
}

namespace kronite::cli {

/// --allow, --require, --forbid, --bounds, --most-elements, --least, --neutral, --oxidation.
struct ConstraintOptions {
  std::vector<std::string> allow, require, forbid, bounds, oxidation;
  std::optional<int> most;
  double least = kmd::Constraints().least_weight;
  bool neutral = false;

  void add(CLI::App& command);
  /// most_components stays 0 where --most-elements was not given. With --neutral, elements that
  /// --oxidation does not name have their common states.
  /// @throws Error invalid_argument, naming option and text.
  kmd::Constraints read(const kmd::Components& components) const;
};

}  // namespace kronite::cli
