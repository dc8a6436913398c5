// The ranker of a command: --ranker and --model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kronite/csp.hpp"  // for Ranker

namespace CLI {
class App;
}

namespace kronite::cli {

/// A ranker, and what a run keeps of it.
struct ChosenRanker {
  std::unique_ptr<csp::Ranker> ranking;
  double work = 0;  ///< floating-point operations per template
  /// Where its model or metric is from, and the hash of it; empty by distance.
  std::string model_name, model_hash;
  double tau = 0;  ///< dissimilarity up to which it counts structures as alike; 0 by distance

  bool has_model() const { return !model_hash.empty(); }
};

struct RankerOptions {
  std::string ranker, model;

  void add_options(CLI::App& command);
  /// Without options the best ranker inside kronite that the library has all data for.
  /// @throws Error invalid_argument for options that contradict each other; as csp::open_model(),
  /// csp::open_metric().
  ChosenRanker choose(const ElementTable& table, const TemplateLibrary& library) const;

 private:
  std::string kind(const TemplateLibrary& library) const;
};

/// The name that was given, or that of the model inside kronite that ranks by default. @throws
/// Error invalid_argument when there is none.
std::string or_best_inside(const std::string& model);
/// The path of a model, or "NAME (inside kronite)".
std::string full_name(const std::string& model);

/// For --cutoff. @throws Error invalid_argument for a ranker that gives no p.
void require_probabilities(const ChosenRanker& chosen);

/// Why a text is no cut-off of p; empty when it is one.
std::string probability_below_one(const std::string& text);

}  // namespace kronite::cli
