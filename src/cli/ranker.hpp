// The ranker of a command: --ranker and --model.
#pragma once

#include <memory>
#include <string>

#include "kronite/csp.hpp"    // for Ranker
#include "kronite/model.hpp"  // for Model

namespace CLI {
class App;
}

namespace kronite::cli {

/// A ranker, and what a run keeps of it.
struct ChosenRanker {
  std::unique_ptr<csp::Ranker> ranking;
  double work = 0;                    ///< floating-point operations per template
  const csp::Model* model = nullptr;  ///< inside `ranking`; null by distance
  std::string model_name;             ///< where it is from
};

struct RankerOptions {
  std::string ranker, model;

  void add_options(CLI::App& command);
  /// @throws Error invalid_argument for options that contradict each other; as csp::open_model().
  ChosenRanker choose(const ElementTable& table) const;

 private:
  bool by_classifier() const;
};

/// Why a text is no cut-off of p; empty when it is one.
std::string probability_below_one(const std::string& text);

}  // namespace kronite::cli
