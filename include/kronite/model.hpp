// Trained rankers of templates: an ensemble of networks with all that it needs to be applied, in
// one safetensors file.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kronite/csp.hpp"       // for Ranker
#include "kronite/ensemble.hpp"  // for Ensemble

namespace kronite::csp {

/// P(alike | |phi(query) - phi(template)|) by an ensemble, phi standardised by the model's own mean
/// and standard deviation.
struct Model {
  Ensemble ensemble;
  std::vector<double> mean, std;  ///< of the descriptor, one value per column (290)
  std::string element_table;      ///< hash of the element table that phi is computed from
  double tau = 0.3;               ///< dissimilarity up to which two structures count as alike
  /// What else is known of it, in the order in which it is printed: name, training data and their
  /// hash, licence, settings, metrics, what it is not good for. Keys are unique.
  std::vector<std::pair<std::string, std::string>> card;

  /// Value of a key of the card; empty when it is not there.
  std::string card_value(const std::string& key) const;
};

/// @throws Error io; corrupt, naming what is wrong (truncated, foreign, shapes that do not fit).
Model read_model(const std::string& path);
/// Under a temporary name, then renamed; the same model gives the same bytes.
/// @throws Error io; invalid_argument for a model that could not be read back (Ensemble::check(),
/// statistics or tau that are no positive numbers, keys of the card that are there twice).
void write_model(const Model& model, const std::string& path);

/// Models inside the library, the best one first.
std::vector<std::string> embedded_models();
/// @throws Error invalid_argument, naming the models there are.
Model embedded_model(const std::string& name);

/// Ranks by the model's probability, with its spread (standard deviation) over the members.
/// @throws Error invalid_argument when `table` is not the one that the model was trained with.
std::unique_ptr<Ranker> classifier_ranker(Model model,
                                          const ElementTable& table = ElementTable::embedded());

}  // namespace kronite::csp
