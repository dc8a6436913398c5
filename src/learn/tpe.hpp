// Where to look next for good hyper-parameters: tree-structured Parzen estimators (Bergstra,
// Bardenet, Bengio and Kegl, NeurIPS 2011).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "math/random.hpp"  // for Random

namespace kronite::learn {

/// One hyper-parameter and the values it may take.
struct Dimension {
  enum class Kind { real, integer, choice };

  std::string name;
  Kind kind = Kind::real;
  double low = 0, high = 1;  ///< both ends included
  double step = 1;           ///< of integers: low, low + step, ...
  bool logarithmic = false;  ///< of real ones: factors count, not differences; low > 0
  std::vector<std::string> choices;

  static Dimension real(std::string name, double low, double high, bool logarithmic = false);
  static Dimension integer(std::string name, double low, double high, double step = 1);
  static Dimension choice(std::string name, std::vector<std::string> choices);

  /// Whether `value` is one it may take. A choice is the index of its name.
  bool allows(double value) const;
};

using Space = std::vector<Dimension>;
/// A value per dimension.
using Point = std::vector<double>;

struct Observation {
  Point point;
  double loss = 0;  ///< the smaller the better; NaN or infinite: a failed trial, as bad as any
};

struct TpeOptions {
  std::size_t random_trials = 10;  ///< before the estimators are asked
  double gamma = 0.2;              ///< share of trials that count as good, 25 at most
  std::size_t candidates = 24;     ///< draws of which the most promising is taken
};

/// Every value equally likely.
Point random_point(const Space& space, math::Random& random);

/// Per dimension, l(x) is estimated from the good trials and g(x) from the others; of `candidates`
/// draws from l the one of largest l(x) / g(x), and so of largest expected improvement, is taken.
Point suggest(const Space& space, const std::vector<Observation>& history,
              const TpeOptions& options, math::Random& random);

}  // namespace kronite::learn
