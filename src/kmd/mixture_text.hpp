// Mixtures as texts for people: formulas of elements, lists of other components.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kronite/kmd.hpp"  // for Weights, Components

namespace kronite::kmd {

/// The smallest integers whose shares of their sum are the weights within `tolerance` each; empty
/// where their sum would be above `most`.
std::vector<std::int64_t> integer_ratio(std::span<const double> weights, double tolerance,
                                        std::int64_t most);

/// How rows of weights read.
class MixtureText {
 public:
  explicit MixtureText(const Components& components);

  /// Whether every component is an element.
  bool elements() const { return elements_; }
  /// "CaTiO3": the formula of small integers (up to 1,000 atoms) whose atomic fractions are within
  /// 1e-6 of the row's; empty where there is none or components are no elements.
  std::string formula(const Weights& weights, std::int64_t row) const;
  /// "Ca0.2Ti0.2O0.6", which reads back as it is; "A 0.25, B 0.75" of other components. With
  /// `most` > 0 only so many of the largest weights, rounded to 4 digits, and "..." for the rest.
  std::string fractions(const Weights& weights, std::int64_t row, std::size_t most = 0) const;

 private:
  std::vector<std::string> names_;
  std::vector<int> z_;
  bool elements_ = true;
};

}  // namespace kronite::kmd
