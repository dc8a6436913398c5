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

  /// @throws Error invalid_argument when its parts do not fit each other or a number is not usable.
  void check() const;
  /// 16 hexadecimal digits that name what decides its probabilities: networks, mean, standard
  /// deviation and element table.
  std::string hash() const;
  /// Value of a key of the card; empty when it is not there.
  std::string card_value(const std::string& key) const;
};

/// @throws Error io; corrupt, naming what is wrong (truncated, foreign, shapes that do not fit).
Model read_model(const std::string& path);
/// Under a temporary name, then renamed; the same model gives the same bytes.
/// @throws Error io; invalid_argument for a model that could not be read back (Ensemble::check(),
/// statistics or tau that are no positive numbers, keys of the card that are there twice).
void write_model(const Model& model, const std::string& path);

/// Classifiers inside the library, the best one first.
std::vector<std::string> embedded_models();
/// @throws Error invalid_argument, naming the models there are.
Model embedded_model(const std::string& name);
/// The model at a path, which has a '/', ends in ".safetensors" or is a file that is there; else
/// the model of that name inside the library. @throws Error as read_model(), embedded_model().
Model open_model(const std::string& name_or_path);

/// A model at work. Its networks are copied to a device at their first use there and stay with it;
/// the copy goes with the device, or when this has gone and another model is used there. May be
/// used from several threads, one device each.
class Classifier : public Ranker {
 public:
  /// `table` must outlive this.
  /// @throws Error invalid_argument when `table` is not the one that the model was trained with, or
  /// the parts of the model do not fit each other.
  explicit Classifier(Model model, const ElementTable& table = ElementTable::embedded());

  const Model& model() const { return *model_; }
  std::string name() const override { return "classifier"; }
  /// score = p = mean over the members, p_std = their standard deviation (ddof 1; NaN where there
  /// is only one).
  /// @throws Error numerical when the networks give no number.
  std::vector<Scored> rank(Device& device, const Composition& query, const TemplateLibrary& library,
                           TemplateRange range) const override;

  struct Probability {
    double p = 0;      ///< that the structures of two compositions are alike
    double p_std = 0;  ///< its spread, as above
  };
  /// Of each pair (first_i, second_i), in tiles; the order of the two does not matter.
  /// @throws Error invalid_argument when there are not as many of both, or an element is not in the
  /// table; numerical, as rank().
  std::vector<Probability> probabilities(Device& device, const std::vector<Composition>& first,
                                         const std::vector<Composition>& second) const;

 private:
  /// `first` may be one composition, which is then compared with all of `second`.
  std::vector<Probability> score(Device& device, const std::vector<Composition>& first,
                                 const std::vector<Composition>& second) const;

  std::shared_ptr<const Model> model_;
  const ElementTable& table_;
};

/// @throws Error as Classifier.
std::unique_ptr<Ranker> classifier_ranker(Model model,
                                          const ElementTable& table = ElementTable::embedded());

}  // namespace kronite::csp
